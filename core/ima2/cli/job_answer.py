"""What a command has in hand once its job has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ima2.cli.destination import MediaFile


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """What came: the pictures in order, seconds it took where known, what the server warns of, and the whole answer."""

    pictures: list[MediaFile] = field(repr=False)
    elapsed: float | str | None = None
    warnings: list[dict[str, Any]] = field(default_factory=list)
    recovered: bool = False
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)
