"""Who shows files of the gallery hears that they are gone; files that may change are replaced whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from tests.unit.library.listing import listed

import ima2
from ima2.library import Gallery
from ima2.testing import picture


async def test_what_handlers_changed_is_added_up_and_a_broken_one_is_left_out(library: Gallery) -> None:
    heard: list[Sequence[str]] = []

    async def first(keys: Sequence[str]) -> Mapping[str, int]:
        heard.append(keys)
        return {"nodesTouched": 2}

    async def broken(keys: Sequence[str]) -> Mapping[str, int]:
        raise RuntimeError("no")

    async def second(keys: Sequence[str]) -> Mapping[str, int]:
        return {"nodesTouched": 1, "albumsTouched": 4}

    library.removal_handlers += [first, broken, second]
    assert await library.announce_removal(["a.png"]) == {"nodesTouched": 3, "albumsTouched": 4}
    assert heard == [["a.png"]]


async def test_a_canvas_version_is_replaced_with_its_facts_and_thumbnail(library: Gallery) -> None:
    await library.add(picture(color="red"), {"prompt": "first", "created_at": 5}, name="canvas-a-1")
    await library.thumbs.settled()
    before = await library.read("canvas-a-1.thumb.jpg")
    await library.replace("canvas-a-1.png", picture(color="blue"), {"prompt": "second", "created_at": 5})
    await library.thumbs.settled()
    (row,) = await listed(library)
    assert (row["prompt"], row["createdAt"]) == ("second", 5)
    assert await library.read("canvas-a-1.thumb.jpg") != before


async def test_other_files_are_never_replaced(library: Gallery) -> None:
    await library.add(picture(), {}, name="a")
    with pytest.raises(ima2.Ima2Error) as caught:
        await library.replace("a.png", picture(color="blue"), {})
    assert caught.value.code == "FILE_IMMUTABLE"
    with pytest.raises(KeyError):
        await library.replace("canvas-gone.png", picture(), {})
