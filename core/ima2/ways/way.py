"""What every way to generate tells the studio."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import ClassVar

from ima2.contracts import Job, Provider
from ima2.errors import Ima2Error
from ima2.jobs.record import Draft
from ima2.library import Kept
from ima2.models import Artifact, Failed, ImageRequest, Json, Picture, Receipt, Update, Usage, VideoRequest


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings allow a request: counts, characters of base64, characters of text."""

    references: int = 5
    reference_chars: int = 7_340_032
    prompt_chars: int = 32_000
    name_bytes: int = 4
    node_bytes: int = 5


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that is safely in the gallery. ``created_at`` in milliseconds, when it was saved."""

    kept: Kept
    artifact: Artifact
    created_at: int


@dataclass(slots=True)
class Outcome:
    """What came of a job so far: pictures in the order they were asked for, what failed, what it took."""

    made: list[Made] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    warnings: list[dict[str, Json]] = field(default_factory=list)
    usage: dict[str, Json] | None = None
    searches: int = 0
    cost: float | None = None
    calls: list[Usage] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    error: Ima2Error | None = None
    """Why the job failed, once it has."""

    @property
    def elapsed(self) -> float:
        """Seconds since the work began, with one decimal."""
        return round(time.monotonic() - self.started, 1)

    def add_usage(self, usage: Usage) -> None:
        """Add what one call took: numbers add up, other values stay as first seen."""
        self.calls.append(usage)
        if usage.tokens is not None:
            total = self.usage = self.usage or {}
            for name, value in usage.tokens.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    total[name] = total.get(name, 0) + value
                else:
                    total.setdefault(name, value)
        self.searches += usage.searches
        if usage.cost is not None:
            self.cost = (self.cost or 0.0) + usage.cost

    def share(self, index: int) -> Usage:
        """What picture ``index`` took by itself, where its call is known; else what all of them took."""
        own = next((usage for usage in self.calls if usage.index == index), None)
        return own or Usage(self.usage, self.searches, self.cost)


class Way(ABC):
    """One job's request, from the client's JSON to the answer. Made by a ``read`` of its class, which refuses bad
    input."""

    kind: ClassVar[str]
    streams_at_once: ClassVar[bool] = False
    """Whether its phase is ``streaming`` from the start; others stay ``queued`` until the upstream has answered."""
    tells_pictures: ClassVar[bool] = False
    """Whether each picture is an ``image`` event of its own."""

    id: str
    provider: Provider
    request: ImageRequest | VideoRequest
    session_id: str | None
    warnings: list[dict[str, Json]]

    @abstractmethod
    def meta(self) -> dict[str, Json]:
        """What the job's record shows while it runs."""

    @abstractmethod
    def key(self, index: int, extension: str, created_at: int) -> str:
        """The name of picture ``index``."""

    @abstractmethod
    def sidecar(self, artifact: Artifact, created_at: int, format_name: str, outcome: Outcome) -> dict[str, Json]:
        """What is known of a picture when it is saved."""

    @abstractmethod
    def reply(self, outcome: Outcome) -> dict[str, Json]:
        """The answer, and the ``done`` event. Pictures stand in it as `ima2.Picture`."""

    @abstractmethod
    def refusal(self, error: Ima2Error, outcome: Outcome | None = None) -> dict[str, Json]:
        """The body of a failure, and with its status the ``error`` event. ``outcome`` is there once the work had
        begun."""

    @abstractmethod
    def updates(self, job: Job) -> AsyncIterator[Update]:
        """Ask the provider."""

    @abstractmethod
    async def as_asked(self, artifact: Artifact, outcome: Outcome) -> tuple[Picture, dict[str, Json]]:
        """What came, in the form that was asked for, and what there is to tell of that in the sidecar."""

    @abstractmethod
    def nothing(self) -> Ima2Error:
        """The failure of a provider that ended well and brought nothing."""

    @abstractmethod
    def draft(self) -> Draft:
        """The job as it asks to be admitted."""

    def begun(self) -> tuple[str, dict[str, Json]] | None:
        """The event at the start, if there is one."""
        return "phase", {"phase": "streaming"}

    def event_of(self, receipt: Receipt) -> tuple[str, dict[str, Json]] | None:
        """The event that says the upstream has accepted the work."""
        return None

    def noted(self, update: Receipt | Artifact) -> dict[str, Json]:
        """What the job's record shows from here on, however the job ends."""
        return {}

    def preview(self, index: int) -> dict[str, Json]:
        """What a ``partial`` event says beside the picture."""
        return {"index": index}

    def picture_event(self, made: Made, outcome: Outcome) -> dict[str, Json]:
        """The ``image`` event of a picture that was just kept."""
        return {"image": made.kept.picture, "filename": made.kept.key, "url": made.kept.url}

    def amendment(self, made: Made, outcome: Outcome) -> dict[str, Json]:
        """What is known of a picture only at the end, beside what the work took."""
        return {}

    def http_status(self, outcome: Outcome) -> int:
        """How the record of a job that brought pictures ends."""
        return 200

    def end_meta(self, outcome: Outcome) -> dict[str, Json]:
        """What the record shows in addition once the job has ended."""
        return {"filenames": [made.kept.key for made in outcome.made], "imageCount": len(outcome.made)}


def stamp(created_at: int, name_bytes: int) -> str:
    """The beginning of a file name: ``<ms>_<hex>``."""
    return f"{created_at}_{secrets.token_hex(name_bytes)}"
