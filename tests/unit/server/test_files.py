"""Files of the gallery over HTTP, from a storage that has no folder on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ima2 import Picture, Stored
from ima2.server.app import create_app
from ima2.server.ranges import part_of
from ima2.testing import MemoryStorage, picture, plugin

DATA = bytes(range(256)) * 3000
SIZE = len(DATA)


@pytest.fixture
async def served(ima2_runtime: Any) -> AsyncIterator[tuple[Any, httpx.AsyncClient]]:
    """A runtime over a bucket, and a client of it. ``a.mp4`` holds `DATA`."""
    bucket = plugin(storages=[MemoryStorage()])
    async with ima2_runtime(bucket=bucket, environ={"IMA2_STORAGE": "memory"}) as runtime:
        await runtime.library.storage.put("a.mp4", DATA)
        transport = httpx.ASGITransport(create_app(runtime), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield runtime, client


async def test_the_whole_file_comes_in_pieces(served: tuple[Any, httpx.AsyncClient]) -> None:
    answer = await served[1].get("/generated/a.mp4")
    assert (answer.status_code, answer.content) == (200, DATA)
    assert (answer.headers["content-type"], answer.headers["accept-ranges"]) == ("video/mp4", "bytes")
    assert answer.headers["content-length"] == str(SIZE)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-99", 10, 100),
        ("bytes=300000-", 300_000, SIZE),
        ("bytes=-5", SIZE - 5, SIZE),
        ("bytes=5-99999999", 5, SIZE),
        ("bytes=-99999999", 0, SIZE),
    ],
)
async def test_a_range_gives_those_bytes(
    served: tuple[Any, httpx.AsyncClient], asked: str, start: int, end: int
) -> None:
    answer = await served[1].get("/generated/a.mp4", headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, DATA[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=9-3", "bytes=1-2,5-6", "chunks=1-2", "bytes=a-b"])
async def test_what_is_no_range_gives_the_whole(served: tuple[Any, httpx.AsyncClient], asked: str) -> None:
    answer = await served[1].get("/generated/a.mp4", headers={"range": asked})
    assert (answer.status_code, len(answer.content)) == (200, SIZE)


async def test_a_range_beyond_the_end_is_refused(served: tuple[Any, httpx.AsyncClient]) -> None:
    answer = await served[1].get("/generated/a.mp4", headers={"range": f"bytes={SIZE}-"})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


async def test_head_tells_all_and_sends_nothing(served: tuple[Any, httpx.AsyncClient]) -> None:
    answer = await served[1].head("/generated/a.mp4")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(SIZE))
    part = await served[1].head("/generated/a.mp4", headers={"range": "bytes=1-2"})
    assert (part.status_code, part.headers["content-length"]) == (206, "2")
    assert (await served[1].head("/generated/no.mp4")).status_code == 404


async def test_a_client_that_has_it_gets_it_not_again(served: tuple[Any, httpx.AsyncClient]) -> None:
    first = await served[1].get("/generated/a.mp4")
    again = await served[1].get("/generated/a.mp4", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_range_of_a_file_that_changed_gives_the_whole() -> None:
    stored = Stored("a.mp4", 10, 1_700_000_000_000)
    tag = part_of(stored, {}).headers["ETag"]
    assert part_of(stored, {"range": "bytes=1-2", "if-range": tag}).status == 206
    assert part_of(stored, {"range": "bytes=1-2", "if-range": '"older"'}).status == 200


async def test_what_was_set_aside_is_given_out_and_then_leads_to_the_gallery(
    served: tuple[Any, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, client = served
    problem: list[str | None] = ["The bucket is gone."]
    monkeypatch.setattr(runtime.library.storage, "problem", lambda: problem[0])
    runtime.library._rescue._pause_s = 0.01
    made = await runtime.library.spool(picture(), {"prompt": "p"}, key="b.png")
    answer = await client.get(made.url)
    assert (answer.content, answer.headers["content-type"]) == (picture().data, "image/png")
    problem[0] = None
    for _ in range(200):
        answer = await client.get(made.url)
        if answer.status_code == 307:
            break
    assert answer.headers["location"] == "/generated/b.png"
    assert (await client.get("/generated/b.png")).status_code == 200
    assert (await client.get("/api/spool/1_000000000000.png")).status_code == 404


async def test_a_media_type_that_a_part_brings_is_listed_and_served(ima2_runtime: Any) -> None:
    import ima2

    class Brings(ima2.Thumbnailer):
        id = "brings"
        media_types = ("image/x-ours",)
        formats = (ima2.MediaFormat("image/x-ours", ("ours",), lambda data: data.startswith(b"OURS")),)

        async def thumbnail(self, source: Picture | Path, width: int = 320) -> bytes:
            return picture(media_type="image/jpeg").data

    async with ima2_runtime(brings=plugin(thumbnailers=[Brings()])) as runtime:
        kept = await runtime.library.add(Picture(b"OURS and more", "image/x-ours"), {"prompt": "p"}, name="a")
        await runtime.library.thumbs.settled()
        page = await runtime.library.page(ima2.LibraryQuery())
        assert (kept.key, page.items[0].thumb_url) == ("a.ours", "/generated/a.thumb.jpg")
        transport = httpx.ASGITransport(create_app(runtime), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.get(kept.url)
            assert (answer.content, answer.headers["content-type"]) == (b"OURS and more", "image/x-ours")
