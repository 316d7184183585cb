"""Services are asked for the models that the account has: on request and once a day, each for itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ima2
from ima2.testing.fakes import plugin
from ima2_plugins import models

Make = Callable[..., Any]
BY_HAND = {"IMA2_MODELS_LOOK": "0"}
AT_ONCE = {"IMA2_PLUGINS__MODELS__FIRST_LOOK_S": "0"}
LONG_AGO = "2026-01-31"


class Gallery(ima2.Provider):
    """A provider whose service lists what ``answer`` holds; an exception is raised, a number is how long it hangs."""

    id, title = "hall", "Hall"
    capabilities = ima2.Capabilities(
        models=(ima2.Model("old", ends=LONG_AGO, replacement="new"), ima2.Model("new", ends="2999-01-01")),
        default_model="old",
    )

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, 0

    async def models(self) -> Sequence[ima2.Model]:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, float):
            await asyncio.sleep(self.answer)
        return self.answer if isinstance(self.answer, tuple) else ()


class Broken(Gallery):
    id, title = "broken", "Broken"


class Silent(ima2.Provider):
    """A provider whose service lists nothing."""

    id, title = "silent", "Silent"


def offering(*providers: ima2.Provider) -> dict[str, Any]:
    return {"models": models, "halls": plugin(providers=list(providers))}


async def row(client: Any, name: str = "hall") -> dict[str, Any]:
    rows = (await client.get("/api/providers")).json()["providers"]
    return next(dict(one) for one in rows if one["id"] == name)


async def test_what_the_account_has_is_told_after_a_refresh(ima2_client: Make) -> None:
    hall = Gallery((ima2.Model("new"), ima2.Model("chat", media="text")))
    async with ima2_client(environ=BY_HAND, **offering(hall)) as client:
        assert (await row(client))["listed"] is None
        answer = (await client.post("/api/providers/refresh", json={})).json()
        assert answer["providers"][0]["models"] == ["new", "chat"]
        told = await row(client)
        assert [(one["id"], one["media"]) for one in told["listed"]["models"]] == [("new", "image"), ("chat", "text")]
        assert told["listed"]["at"] == answer["providers"][0]["listedAt"]


async def test_one_service_that_fails_stops_no_other(ima2_client: Make) -> None:
    parts = offering(Broken(ValueError("a secret")), Silent(), Gallery((ima2.Model("new"),)))
    async with ima2_client(environ=BY_HAND, **parts) as client:
        rows = (await client.post("/api/providers/refresh", json={})).json()["providers"]
        found = {one["id"]: (one["models"], one.get("reason")) for one in rows}
    assert found == {
        "broken": ([], "It failed (ValueError)."),
        "hall": (["new"], None),
        "silent": ([], "Its service lists no models."),
    }


async def test_a_service_that_hangs_is_left_alone_in_time(ima2_client: Make) -> None:
    environ = {**BY_HAND, "IMA2_PLUGINS__MODELS__TIMEOUT_S": "0.1"}
    async with ima2_client(environ=environ, **offering(Gallery(60.0))) as client:
        rows = (await client.post("/api/providers/refresh", json={"provider": "hall"})).json()["providers"]
    assert rows[0]["reason"] == "Its service did not answer in time."


async def test_what_was_listed_before_stays_when_a_service_says_nothing(ima2_client: Make) -> None:
    hall = Gallery((ima2.Model("new"),))
    async with ima2_client(environ=BY_HAND, **offering(hall)) as client:
        await client.post("/api/providers/refresh", json={})
        hall.answer = ima2.Ima2Error("DOWN", 503, "It is down.")
        (told,) = (await client.post("/api/providers/refresh", json={})).json()["providers"]
    assert (told["models"], told["reason"]) == (["new"], "It is down.")


async def test_an_unknown_provider_is_refused(ima2_client: Make) -> None:
    async with ima2_client(environ=BY_HAND, **offering(Silent())) as client:
        answer = await client.post("/api/providers/refresh", json={"provider": "nobody"})
        assert (answer.status_code, answer.json()["code"]) == (400, "UNKNOWN_PROVIDER")


async def test_a_server_looks_by_itself_and_remembers_it_for_a_day(ima2_runtime: Make) -> None:
    hall = Gallery((ima2.Model("new", ends="2999-01-01"),))
    async with ima2_runtime(environ=AT_ONCE, **offering(hall)):
        await until(lambda: hall.listed is not None)
    again = Gallery(())
    async with ima2_runtime(environ=AT_ONCE, **offering(again)):
        assert again.listed is not None
        assert again.listed.models == (ima2.Model("new", ends="2999-01-01"),)
        await asyncio.sleep(0.05)
        assert again.asked == 0


async def test_after_a_day_it_looks_again(ima2_runtime: Make, tmp_path: Path) -> None:
    hall = Gallery((ima2.Model("new"),))
    async with ima2_runtime(environ=AT_ONCE, **offering(hall)):
        await until(lambda: hall.listed is not None)
    (file,) = tmp_path.rglob("models.json")
    kept = json.loads(file.read_text())
    kept["hall"]["asked"] -= 24 * 3600 * 1000
    file.write_text(json.dumps(kept))
    again = Gallery((ima2.Model("newer"),))
    async with ima2_runtime(environ=AT_ONCE, **offering(again)):
        await until(lambda: again.asked == 1)


async def test_with_the_setting_off_nobody_is_asked(ima2_runtime: Make) -> None:
    hall = Gallery((ima2.Model("new"),))
    async with ima2_runtime(environ={**AT_ONCE, **BY_HAND}, **offering(hall)):
        await asyncio.sleep(0.05)
    assert hall.asked == 0


async def test_a_damaged_file_is_as_if_nothing_had_been_found(ima2_runtime: Make, tmp_path: Path) -> None:
    for content in ("{", "[1]", '{"hall": {"asked": "x"}}', '{"hall": {"asked": 1, "found": 0, "models": [7]}}'):
        folder = tmp_path / "home" / "plugins" / "models"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "models.json").write_text(content)
        hall = Gallery(())
        async with ima2_runtime(environ=BY_HAND, **offering(hall)):
            assert hall.listed is None


async def test_an_end_that_has_come_is_a_warning_unless_the_account_lists_the_model(ima2_client: Make) -> None:
    hall = Gallery((ima2.Model("new"),))
    async with ima2_client(environ=BY_HAND, **offering(hall)) as client:
        ended = f"old (the default) was ended by its service on {LONG_AGO}; new takes its place."
        assert (await row(client))["warnings"] == [ended]
        hall.answer = (ima2.Model("old"), ima2.Model("new"))
        await client.post("/api/providers/refresh", json={})
        assert (await row(client))["warnings"] == []


async def test_a_default_that_the_account_lacks_is_a_warning(ima2_client: Make) -> None:
    hall = Gallery((ima2.Model("new"),))
    hall.capabilities = ima2.Capabilities(models=(ima2.Model("plain"),), default_model="plain")
    async with ima2_client(environ=BY_HAND, **offering(hall)) as client:
        await client.post("/api/providers/refresh", json={})
        assert (await row(client))["warnings"] == [
            "plain (the default) is not among the models that the account lists."
        ]


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.01)
