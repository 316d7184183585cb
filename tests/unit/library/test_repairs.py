"""Once a picture is stored nothing fails its caller; what could not be written down is written later."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.library.listing import listed

import ima2
from ima2.library import Gallery, gallery, repairs
from ima2.library.repairs import Repairs
from ima2.testing import picture


@pytest.fixture(autouse=True)
def impatient(library: Gallery) -> None:
    library.repairs._first_s = 0.01


def failing(
    monkeypatch: pytest.MonkeyPatch, target: Any, name: str, fails: Callable[..., bool], error: Exception | None = None
) -> list[int]:
    """Lets a method fail as long as ``fails`` says so; counts the failures."""
    real, failures = getattr(target, name), [0]

    async def method(*values: Any) -> Any:
        if fails(*values):
            failures[0] += 1
            raise error or OSError(28, "No space left on device")
        return await real(*values)

    monkeypatch.setattr(target, name, method)
    return failures


async def test_a_sidecar_that_cannot_be_written_is_a_warning_and_follows(
    library: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [True]
    failures = failing(monkeypatch, library.storage, "put", lambda key, data: broken[0] and key.endswith(".json"))
    kept = await library.keep("a.png", picture(), {"prompt": "p"})
    assert [notice.code for notice in kept.warnings] == ["SIDECAR_PENDING"]
    async with asyncio.timeout(10):
        while failures[0] <= 1:
            await asyncio.sleep(0.01)
    broken[0] = False
    await library.repairs.settled()
    assert json.loads(await library.storage.get("a.png.json"))["prompt"] == "p"
    assert [row["prompt"] for row in await listed(library)] == ["p"]


async def test_a_locked_database_is_a_warning_and_the_row_follows(
    library: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [True]
    failing(monkeypatch, library.index, "put", lambda entries: broken[0], RuntimeError("database is locked"))
    kept = await library.keep("a.png", picture(), {"prompt": "p"})
    assert kept.warnings == (gallery.PENDING,)
    assert await listed(library) == []
    broken[0] = False
    await library.repairs.settled()
    assert [row["prompt"] for row in await listed(library)] == ["p"]
    assert library.index.total == 1


async def test_what_is_added_meanwhile_is_not_lost(library: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [True]
    failing(monkeypatch, library.storage, "put", lambda key, data: broken[0] and key.endswith(".json"))
    await library.keep("a.png", picture(), {"prompt": "p", "usage": None})
    assert await library.amend("a.png", {"usage": {"total": 3}}) == (gallery.PENDING,)
    assert await library.amend("a.png", {"elapsed": 2}) == (gallery.PENDING,)
    broken[0] = False
    assert await library.amend("a.png", {"cost": 1}) == ()
    await library.repairs.settled()
    sidecar = json.loads(await library.storage.get("a.png.json"))
    assert sidecar == {"prompt": "p", "usage": {"total": 3}, "elapsed": 2, "cost": 1}
    assert library.repairs.waiting == 0


async def test_the_last_chance_is_taken_at_the_end(library: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    library.repairs._first_s = 60
    broken = [True]
    failing(monkeypatch, library.storage, "put", lambda key, data: broken[0] and key.endswith(".json"))
    await library.keep("a.png", picture(), {"prompt": "p"})
    broken[0] = False
    await library.close()
    assert json.loads(await library.storage.get("a.png.json"))["prompt"] == "p"


async def test_what_waits_for_a_file_that_is_gone_is_dropped(library: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, library.storage, "put", lambda key, data: key.endswith(".json"))
    await library.keep("a.png", picture(), {"prompt": "p"})
    await library.storage.delete("a.png")
    await library.repairs.settled()
    assert library.repairs.waiting == 0


async def test_one_that_never_works_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairs, "LAST_CHANCE_S", 0.05)
    written: list[str] = []

    async def write(key: str) -> None:
        if key == "bad":
            raise OSError("never")
        written.append(key)
        queue.forget(key)

    queue = Repairs(write, first_s=0.001)
    for key in ("bad", "a", "b"):
        queue.add(key, {"x": 1})
    await asyncio.sleep(0.1)
    assert (written, queue.waiting) == (["a", "b"], 1)
    await queue.close()


async def test_a_missing_sidecar_is_written_again_and_a_present_one_is_left(library: Gallery) -> None:
    await library.storage.put("a.png", picture().data)
    await library.keep("b.png", picture(), {"prompt": "b"})
    assert await library.repair("a.png", {"prompt": "from the record", "request_id": "r"})
    assert await library.repair("b.png", {"prompt": "from the record"})
    assert not await library.repair("gone.png", {"prompt": "x"})
    assert {row["filename"]: row["prompt"] for row in await listed(library)} == {
        "a.png": "from the record",
        "b.png": "b",
    }


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), RuntimeError("bucket: secret"), KeyError("x")]
)
async def test_a_picture_that_cannot_be_stored_is_told_as_such(
    library: Gallery, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failing(monkeypatch, library.storage, "put", lambda key, data: True, error)
    with pytest.raises(ima2.Ima2Error) as failure:
        await library.keep("a.png", picture(), {})
    assert (failure.value.code, failure.value.status) == ("STORAGE_FAILED", 507)
    assert "secret" not in failure.value.text


async def test_the_gallery_can_be_asked_whether_it_takes_anything(
    library: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library.writable() is None
    monkeypatch.setattr(library.storage, "problem", lambda: "The folder is gone.")
    assert library.writable() == "The folder is gone."
