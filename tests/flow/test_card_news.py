"""Card news with nothing but the demo: from a topic to a ZIP, across a kill, and while it is off."""

from __future__ import annotations

import json
import signal
import zipfile
from typing import Any

import pytest
from tests.flow.cli import Cli, until

PLUGINS = "local_storage,pillow_thumbs,sse,gallery,demo,card_news"


def plan(*prompts: str, **more: Any) -> dict[str, Any]:
    cards = [{"id": f"card_{n}", "headline": f"Head {n}", "visualPrompt": text} for n, text in enumerate(prompts, 1)]
    return {"setId": "cs_flow", "title": "Boats", "size": "1024x1024", "provider": "demo", "cards": cards, **more}


def test_a_topic_becomes_a_set_of_cards_on_the_command_line(serve: Any, at_work: Any) -> None:
    served = serve(plugins=PLUGINS)
    cli: Cli = at_work(served.environ)
    draft = json.loads(
        cli("cardnews", "draft", "--topic", "red boats", "--data", '{"roleTemplateId": "short-3"}').stdout
    )
    assert draft["planner"]["model"] == "demo"
    assert "red boats" in draft["plan"]["title"]
    done = cli("cardnews", "generate", "--data", json.dumps({**draft, "size": "512x512"}))
    assert done.returncode == 0, done.stderr
    set_id = json.loads(done.stdout)["setId"]
    folder = served.generated / "cardnews" / set_id
    assert {"card-01.png", "card-02.png", "card-03.png", "card-01.json", "manifest.json"} <= {
        path.name for path in folder.iterdir()
    }
    rows = until(lambda: [r for r in served.client.get("/api/history").json()["items"] if r["thumb"]])
    assert rows[0]["kind"] == "card-news-card"
    assert cli("cardnews", "export", set_id, "-o", "set.zip").returncode == 0
    with zipfile.ZipFile(cli.folder / "set.zip") as whole:
        assert "texts.md" in whole.namelist()
    assert cli("cardnews", "template", "preview", "clean-report-square").returncode == 0
    assert (cli.folder / "clean-report-square.png").read_bytes().startswith(b"\x89PNG")
    again = cli("cardnews", "card", "regenerate", "card_2", "--set", set_id)
    assert "card-02-v2.png" in again.stdout
    assert json.loads(cli("cardnews", "set", "show", set_id).stdout)["plan"]["cards"][2]["status"] == "generated"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_goes_on_after_its_server_died(serve: Any, how: int) -> None:
    served = serve(plugins=PLUGINS)
    slow = plan("a boat demo:delay=50", "a fox demo:delay=2000", "an owl demo:delay=1500", "a cat")
    job = served.client.post("/api/cardnews/jobs", json=slow).json()
    at = f"/api/cardnews/jobs/{job['jobId']}"
    until(lambda: served.client.get(at).json()["generated"] >= 1)
    served.stop(how)
    served.start()
    inflight = until(lambda: served.client.get("/api/inflight").json()["jobs"])
    assert any(row["kind"].startswith("card-news") for row in inflight)
    ended = until(lambda: (found := served.client.get(at).json())["status"] == "done" and found, 40)
    assert (ended["generated"], ended["errors"]) == (4, 0), ended
    names = sorted(path.name for path in (served.generated / "cardnews" / "cs_flow").glob("*.png"))
    assert names == ["card-01.png", "card-02.png", "card-03.png", "card-04.png"], "nothing was drawn twice"
    manifest = served.client.get("/api/cardnews/sets/cs_flow/manifest").json()
    assert [card["status"] for card in manifest["cards"]] == ["generated"] * 4


def test_it_is_off_until_a_setting_turns_it_on(serve: Any, at_work: Any) -> None:
    served = serve(plugins="local_storage,demo")
    assert served.client.get("/api/cardnews/sets").status_code == 404
    environ = {name: value for name, value in served.environ.items() if name != "IMA2_PLUGINS"}
    cli: Cli = at_work(environ)
    done = cli("cardnews", "sets")
    assert done.returncode == 2
    assert done.stdout.count("\n") == 1
    assert "features.cardNews" in done.stdout
    assert "IMA2_CARD_NEWS=1" in done.stdout
    asked = cli("cardnews", "sets", IMA2_CARD_NEWS="1")
    assert asked.returncode == 2, "the server has none"
    assert "features.cardNews" in asked.stderr
    assert cli("config", "set", "features.cardNews", "true").returncode == 0
    assert cli("cardnews", "--help").returncode == 0


@pytest.mark.parametrize("data", ["{", "[]", "5"])
def test_data_that_is_no_object_is_a_usage_error(at_work: Any, serverless: Cli, data: str) -> None:
    assert serverless("cardnews", "draft", "--data", data, IMA2_PLUGINS="demo,card_news").returncode == 2
