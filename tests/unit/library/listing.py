"""A page of the gallery as clients read it."""

from __future__ import annotations

import json
from typing import Any

from ima2 import LibraryQuery
from ima2.library import Gallery
from ima2.library.sidecar import spliced


async def listed(library: Gallery, **query: Any) -> list[dict[str, Any]]:
    """The rows of a page as the wire has them."""
    rows, _ = await library.rows(LibraryQuery(**query))
    return [json.loads(spliced(row.row, row.thumb_url, row.fields)) for row in rows]


async def names(library: Gallery, **query: Any) -> list[str]:
    """The file names of a page."""
    return [row["filename"] for row in await listed(library, **query)]
