"""What goes is announced for one minor version: 3.x only adds, so every old name works meanwhile."""

from __future__ import annotations

import warnings


def deprecated(old: str, new: str, *, gone: str = "3.2", level: int = 3) -> None:
    """Warn the caller's caller that ``old`` goes with version ``gone`` and what takes its place."""
    text = f"{old} is deprecated and goes with ima2 {gone}: use {new}"
    warnings.warn(text, DeprecationWarning, stacklevel=level)
