"""A file that stands for several pictures is a row of the gallery for as long as it lies there."""

from __future__ import annotations

from typing import Any

import pytest

from ima2.library_api import LibraryQuery

FACTS = {"created_at": 5, "kind": "set", "title": "Boats", "url": "/generated/a.png", "session_id": "s"}


async def test_a_document_is_listed_with_facts_of_its_own(ima2_runtime: Any) -> None:
    async with ima2_runtime() as runtime:
        library = runtime.library
        await library.storage.put("sets/a/manifest.json", b"{}")
        await library.list_document("sets/a/manifest.json", FACTS)
        await library.refresh()
        (item,) = (await library.page(LibraryQuery(session_id="s"))).items
        assert (item.key, item.created_at, item.thumb_url) == ("sets/a/manifest.json", 5, None)
        assert (item.facts["title"], item.facts["url"]) == ("Boats", "/generated/a.png")
        assert (await library.make_thumbnails()).failures == []
        with pytest.raises(KeyError):
            await library.trash(["sets/a/manifest.json"])
        await library.storage.delete("sets/a/manifest.json")
        await library.refresh()
        assert (await library.page(LibraryQuery())).items == []


async def test_what_is_missing_is_not_listed(ima2_runtime: Any) -> None:
    async with ima2_runtime() as runtime:
        with pytest.raises(KeyError):
            await runtime.library.list_document("sets/gone.json", FACTS)
