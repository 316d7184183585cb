"""What a job remembers of a clip beside its request, across a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ima2.jobs.record import now_ms
from ima2.models import Json


@dataclass(frozen=True, slots=True)
class Script:
    """What is known of a clip beside its request, as JSON: all that its sidecar and its answer need later.

    ``lineage`` is that of the clip it continues, ``source`` sums up the clip that is edited or extended, which is
    ``source_seconds`` long.
    """

    prompt: str = field(repr=False)
    session_id: str | None = None
    client_node_id: str | None = None
    lineage: Mapping[str, Json] | None = field(default=None, repr=False)
    parent: str | None = None
    source_frame: str | None = None
    source_filename: str | None = None
    topic: str | None = None
    chain_index: int = 0
    storyboard: bool = False
    at: int = field(default_factory=now_ms)
    """When it was asked for, in milliseconds."""
    source: Mapping[str, Json] | None = None
    source_seconds: float | None = None
