"""The lineage of a clip: the start of its story and the three clips before it, as the wire tells it.

It travels in every clip's sidecar, so that a clip can be continued from its file alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ima2.models import Json

MAX_ENTRIES = 4
RETENTION = "keep-start-plus-latest-3"
PROMPT_CHARS = 8000
SERIES = 4
"""How many earlier clips of a series are told to the provider."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The clips that came before, oldest first, as JSON."""

    id: str
    entries: tuple[Mapping[str, Json], ...]

    def entries_for_provider(self) -> list[dict[str, Json]]:
        """The entries as a provider reads them, the last one as the parent."""
        return _placed(self.entries, "parent")

    def data(self) -> dict[str, Json]:
        """As JSON; `stored` reads it back."""
        return {"lineageId": self.id, "entries": [dict(entry) for entry in self.entries]}


def stored(facts: Mapping[str, Any], filename: str) -> Lineage | None:
    """The lineage of a clip of the gallery by its sidecar. One without is a lineage of its own, if its prompt is
    known."""
    kept = facts.get("videoContinuity")
    if isinstance(kept, Mapping) and isinstance(kept.get("lineageId"), str):
        entries = _entries(kept.get("entries"))
        if entries:
            return Lineage(kept["lineageId"][:300], entries)
    revised = facts.get("revisedPrompt") or facts.get("prompt")
    if not isinstance(revised, str) or not revised.strip():
        return None
    user = facts.get("userPrompt")
    created = facts.get("createdAt")
    first = entry(
        filename,
        user if isinstance(user, str) else revised,
        revised,
        created if isinstance(created, int) else 0,
        "current",
    )
    return Lineage(lineage_id(filename), (first,))


def hinted(value: Any) -> Lineage | None:
    """A lineage that a client sends along; one without usable entries counts as none."""
    if not isinstance(value, Mapping):
        return None
    entries = _entries(value.get("entries"))
    if not entries:
        return None
    known = value.get("lineageId")
    name = str(entries[0].get("filename") or "client")
    return Lineage(known[:300] if isinstance(known, str) and known else lineage_id(name), entries)


def continued(
    lineage: Lineage | None, clip: Mapping[str, Json], parent: str | None, source_frame: str | None
) -> dict[str, Json]:
    """``videoContinuity`` of a new ``clip`` (see `entry`) that comes after ``lineage``."""
    before = lineage.entries_for_provider() if lineage else []
    entries = _placed([*before, clip], "current")
    return {
        "lineageId": lineage.id if lineage else lineage_id(str(clip["filename"])),
        "parentFilename": parent,
        "sourceFrame": source_frame,
        "maxEntries": MAX_ENTRIES,
        "retention": RETENTION,
        "entries": entries,
    }


def entry(filename: str, user_prompt: str, revised_prompt: str | None, created_at: int, role: str) -> dict[str, Json]:
    """One clip of a lineage. ``created_at`` in milliseconds."""
    return {
        "id": f"clip:{filename}",
        "ordinal": 1,
        "role": role,
        "filename": filename,
        "userPrompt": user_prompt[:PROMPT_CHARS],
        "revisedPrompt": (revised_prompt or user_prompt)[:PROMPT_CHARS],
        "createdAt": created_at,
    }


def lineage_id(filename: str) -> str:
    """The id of the lineage that a clip begins."""
    return f"lineage:{filename.rpartition('.')[0] or filename}"


def in_series(earlier: Sequence[str], prompt: str) -> str:
    """The prompt of a clip of a series, behind what its predecessors showed (oldest first)."""
    if not earlier:
        return prompt
    listed = "\n".join(f"{number}. {text}" for number, text in enumerate(earlier, 1))
    return (
        "Earlier clips of this series, oldest first. Keep their characters, places and style; do not repeat them.\n"
        f"{listed}\n\nThe new clip: {prompt}"
    )


def _placed(entries: Sequence[Mapping[str, Json]], last: str) -> list[dict[str, Json]]:
    """The start and the latest three, numbered and with their roles."""
    chosen = [*entries[:1], *entries[1:][-(MAX_ENTRIES - 1) :]]
    roles = ["start", *["ancestor"] * max(0, len(chosen) - 2), *[last] * (len(chosen) > 1)]
    return [
        {**one, "ordinal": number, "role": role}
        for number, (one, role) in enumerate(zip(chosen, roles, strict=True), 1)
    ]


def _entries(value: Any) -> tuple[Mapping[str, Json], ...]:
    """The entries that say what their clip showed; others are left out."""
    usable = []
    for one in value[-64:] if isinstance(value, list) else ():
        if isinstance(one, Mapping) and isinstance(one.get("revisedPrompt"), str) and one["revisedPrompt"].strip():
            name, user, created = one.get("filename"), one.get("userPrompt"), one.get("createdAt")
            known = entry(
                name[:240] if isinstance(name, str) else "",
                user if isinstance(user, str) else one["revisedPrompt"],
                one["revisedPrompt"],
                created if isinstance(created, int) and not isinstance(created, bool) else 0,
                "ancestor",
            )
            usable.append(known)
    return tuple(usable)
