"""How the files of a job are called: by the job alone, so that work which is collected twice is one file, and what a
dead process had kept is found again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from ima2.interfaces import Label, Request
from ima2.media.sniff import EXTENSIONS
from ima2.models import ImageRequest, Json

STAMP = "named_at"
"""Where a label keeps the time, in milliseconds, that the names of its files begin with."""


def file_key(job_id: str, label: Label, index: int, extension: str, name_bytes: int) -> str:
    """The key of file ``index``; ``name_bytes`` is how long its ``{hex}`` is."""
    ms = label.extra.get(STAMP, 0)
    number = hashlib.sha256(f"{job_id} {ms}".encode()).hexdigest()[: 2 * name_bytes]
    name = label.name.format(ms=ms, hex=number, index=index, id=job_id)
    return f"{label.folder}/{name}.{extension}".lstrip("/")


def possible_keys(job_id: str, label: Label, request: Request, name_bytes: int) -> Iterator[tuple[int, str]]:
    """Every key that a file of a request may have, with its place: one for each form of file."""
    image = isinstance(request, ImageRequest)
    count = max(request.count, request.sequence) if isinstance(request, ImageRequest) else 1
    endings = [ending for media_type, ending in EXTENSIONS.items() if media_type.startswith("image/") is image]
    for index in range(count):
        for ending in endings:
            yield index, file_key(job_id, label, index, ending, name_bytes)


def stamped(extra: Mapping[str, Json], at: int) -> dict[str, Json]:
    """What a label keeps, with the time that names begin with."""
    return {STAMP: at, **extra}
