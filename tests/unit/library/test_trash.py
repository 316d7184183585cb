"""What is taken away comes back, or is gone for good."""

from __future__ import annotations

import pytest
from tests.unit.library.listing import listed, names

import ima2
from ima2.library import Gallery
from ima2.testing import MemoryStorage, picture


async def everything(library: Gallery) -> set[str]:
    return {stored.key async for stored in library.storage.list()}


async def test_a_file_goes_with_sidecar_and_thumbnail_and_comes_back_as_it_was(library: Gallery) -> None:
    await library.keep("a.png", picture(), {"prompt": "p", "created_at": 5})
    await library.thumbs.settled()
    token = await library.trash(["a.png"])
    assert await names(library) == []
    assert library.index.total == 0
    assert token.endswith("_a.png")
    assert await everything(library) == {f".trash/{token}", f".trash/{token}.json"}
    assert await library.restore(token) == ["a.png"]
    await library.thumbs.settled()
    (row,) = await listed(library)
    assert (row["prompt"], row["createdAt"], row["thumb"]) == ("p", 5, "/generated/a.thumb.jpg")
    assert await everything(library) == {"a.png", "a.png.json", "a.thumb.jpg"}


async def test_several_files_of_folders_come_back_by_one_token(library: Gallery) -> None:
    for key in ("set/a.png", "set/b.png", "a.png"):
        await library.keep(key, picture(), {"prompt": key})
    token = await library.trash(["set/a.png", "a.png", "set/a.png"])
    assert await names(library) == ["set/b.png"]
    assert sorted(await library.restore(token)) == ["a.png", "set/a.png"]
    assert {row["prompt"] for row in await listed(library)} == {"a.png", "set/a.png", "set/b.png"}
    assert not [key for key in await everything(library) if key.startswith(".trash/")]


async def test_what_an_older_program_put_there_comes_back_too(library: Gallery) -> None:
    await library.storage.put(".trash/1700000000000_old.png", picture().data)
    await library.storage.put(".trash/1700000000000_old.png.json", b'{"prompt":"old"}')
    assert await library.restore("1700000000000_old.png") == ["old.png"]
    assert [row["prompt"] for row in await listed(library)] == ["old"]


async def test_a_file_without_sidecar_goes_and_comes_back(library: Gallery) -> None:
    await library.storage.put("bare.png", picture().data)
    await library.restore(await library.trash(["bare.png"]))
    await library.thumbs.settled()
    assert await everything(library) == {"bare.png", "bare.thumb.jpg"}


async def test_nothing_moves_when_one_is_missing(library: Gallery) -> None:
    await library.keep("a.png", picture(), {})
    with pytest.raises(KeyError):
        await library.trash(["a.png", "no.png"])
    assert await names(library) == ["a.png"]


async def test_nothing_is_written_over_when_a_file_comes_back(library: Gallery) -> None:
    await library.keep("a.png", picture(color="#111111"), {})
    token = await library.trash(["a.png"])
    second = await library.keep("a.png", picture(color="#222222"), {})
    with pytest.raises(ima2.Ima2Error) as failure:
        await library.restore(token)
    assert (failure.value.status, failure.value.code) == (409, "RESTORE_TARGET_EXISTS")
    assert await library.read("a.png") == second.picture.data


@pytest.mark.parametrize("token", ["", "1_no.png", "../a.png", "a.png", "1_../../x", ".trash", "1_a.png/x", "1_a\x00"])
async def test_what_is_not_in_the_trash_does_not_come_back(library: Gallery, token: str) -> None:
    await library.keep("a.png", picture(), {})
    with pytest.raises(ima2.Ima2Error) as failure:
        await library.restore(token)
    assert (failure.value.status, failure.value.code) == (404, "TRASH_NOT_FOUND")


async def test_what_is_erased_leaves_nothing(library: Gallery) -> None:
    await library.keep("a.png", picture(), {"prompt": "p"})
    await library.keep("b.png", picture(), {"prompt": "p"})
    await library.thumbs.settled()
    await library.erase(["a.png"])
    assert await everything(library) == {"b.png", "b.png.json", "b.thumb.jpg"}
    with pytest.raises(KeyError):
        await library.erase(["a.png"])
    assert library.index.total == 1


async def test_a_file_that_cannot_follow_brings_back_those_before_it(
    library: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(library.storage, MemoryStorage):
        pytest.skip("one storage is enough")
    await library.keep("a.png", picture(), {})
    await library.keep("b.png", picture(), {})
    move = library.storage.move

    async def failing(key: str, to: str) -> None:
        if key == "b.png":
            raise OSError("no")
        await move(key, to)

    monkeypatch.setattr(library.storage, "move", failing)
    with pytest.raises(OSError, match="no"):
        await library.trash(["a.png", "b.png"])
    assert {"a.png", "a.png.json", "b.png"} <= await everything(library)
    assert set(await names(library)) == {"a.png", "b.png"}
