"""The curated lists: repositories of prompts that ima2-gen names, and those that a person approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CHECKED_AT = "2026-04-28"
MANUAL = "manual-review"
_MANUAL_NOTE = "Listed for a person to look through; nothing of it is read by itself."


def _read(
    name: str, repo: str, title: str, kind: str, paths: Sequence[str], licence: str, seeds: Sequence[str]
) -> dict[str, Any]:
    owner, _, short = repo.partition("/")
    return {
        "id": name,
        "repo": repo,
        "owner": owner,
        "name": short,
        "displayName": title,
        "defaultRef": "main",
        "allowedPaths": list(paths),
        "extensions": ["md"],
        "sourceType": kind,
        "licenseSpdx": licence,
        "requiresAttribution": True,
        "trustTier": "curated",
        "lastVerifiedAt": CHECKED_AT,
        "notes": "A public collection of prompts; name its authors where you use them.",
        "searchSeeds": list(seeds),
        "defaultSearch": True,
    }


def _manual(name: str, repo: str, title: str, seeds: Sequence[str]) -> dict[str, Any]:
    return {
        "id": name,
        "repo": repo,
        "displayName": title,
        "defaultRef": "main",
        "allowedPaths": [],
        "extensions": ["md", "txt"],
        "sourceType": MANUAL,
        "licenseSpdx": "NOASSERTION",
        "requiresAttribution": True,
        "trustTier": MANUAL,
        "lastVerifiedAt": None,
        "notes": _MANUAL_NOTE,
        "searchSeeds": list(seeds),
        "defaultSearch": False,
    }


BUILT_IN: tuple[Mapping[str, Any], ...] = (
    _read(
        "picotrex-nano-banana",
        "PicoTrex/Awesome-Nano-Banana-images",
        "Awesome Nano Banana Images",
        "nano-banana-gallery",
        ("README_en.md", "README.md"),
        "Apache-2.0",
        ("nano banana", "image generation", "reference image"),
    ),
    _read(
        "aimikoda-nano-banana-pro",
        "aimikoda/nano-banana-pro-prompts",
        "Nano Banana Pro Prompts",
        "nano-banana-prompts",
        ("README.md",),
        "NOASSERTION",
        ("nano banana pro", "gpt-image-2", "prompt"),
    ),
    _manual(
        "stable-diffusion-awesome-manual",
        "yuyan124/awesome-stable-diffusion-prompts",
        "Awesome Stable Diffusion Prompts",
        ("stable diffusion", "prompt"),
    ),
    _manual(
        "stable-diffusion-templates-manual",
        "Dalabad/stable-diffusion-prompt-templates",
        "Stable Diffusion Prompt Templates",
        ("stable diffusion", "template"),
    ),
    _manual(
        "midjourney-awesome-manual",
        "Ezagor-dev/awesome-midjourney-prompts",
        "Awesome Midjourney Prompts",
        ("midjourney", "prompt"),
    ),
    _manual(
        "diagram-image-prompts-manual",
        "danielrosehill/Tech-Diagram-Image-Gen-Prompts",
        "Tech Diagram Image Prompts",
        ("diagram", "prompt"),
    ),
)


def readable(source: Mapping[str, Any]) -> bool:
    """Whether files of it are read: a person has looked at it, and some are named."""
    return source["trustTier"] != MANUAL and bool(source["allowedPaths"])


def approved_source(
    candidate: Mapping[str, Any], paths: Sequence[str], *, default_search: bool, checked_at: str
) -> dict[str, Any]:
    """The list entry of a repository that a person approved."""
    return {
        "id": candidate["id"],
        "repo": candidate["repo"],
        "owner": candidate["owner"],
        "name": candidate["name"],
        "displayName": candidate["fullName"],
        "defaultRef": candidate["defaultBranch"] or "main",
        "allowedPaths": list(paths),
        "extensions": sorted({path.rpartition(".")[2].lower() for path in paths}),
        "sourceType": "github-discovery",
        "licenseSpdx": candidate["licenseSpdx"],
        "requiresAttribution": True,
        "trustTier": "reviewed",
        "lastVerifiedAt": checked_at,
        "notes": candidate.get("reviewNotes") or "",
        "searchSeeds": list(candidate.get("topics") or [])[:10],
        "defaultSearch": default_search,
    }
