"""Models that nobody declared, and what an account has: the real command, server and a server of the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.flow.cli import Cli, document
from tests.upstreams import openai_compatible
from tests.upstreams.world import World, running

PLUGINS = "local_storage,sse,models,openai_compatible"


@pytest.fixture
def lab() -> Iterator[World]:
    world = World()
    with running(world, openai_compatible.routes(world)):
        yield world


def test_a_model_that_nobody_declared_is_refused_unless_any_model_is_said(serve: Any, at_work: Any, lab: World) -> None:
    served = serve(plugins=PLUGINS, **openai_compatible.environment(lab.base_url))
    cli = at_work(served.environ)
    asked = ("gen", "a red fox", "--provider", "lab", "--model", "flux-x", "--json")
    refused = cli(*asked)
    assert refused.returncode != 0
    assert document(refused)["code"] == "INVALID_IMAGE_MODEL"
    assert not lab.calls("/images")
    answer = document(cli(*asked, "--any-model"))
    assert [warning["code"] for warning in answer["warnings"]] == ["MODEL_UNKNOWN"]
    assert [call.body["model"] for call in lab.calls("/images")] == ["flux-x"]


def test_a_refresh_shows_what_a_server_lists(serve: Any, at_work: Any, lab: World) -> None:
    served = serve(plugins=PLUGINS, **openai_compatible.environment(lab.base_url))
    lab.state["compatible.models"] = [{"id": "flux-dev"}, {"id": "sdxl"}]
    done = at_work(served.environ)("providers", "--refresh")
    assert "lab: lists flux-dev, sdxl" in done.stdout
    (row,) = served.client.get("/api/providers").json()["providers"]
    assert [one["id"] for one in row["listed"]["models"]] == ["flux-dev", "sdxl"]


def test_a_refresh_needs_no_server(serverless: Cli, lab: World) -> None:
    done = serverless("providers", "--refresh", IMA2_PLUGINS=PLUGINS, **openai_compatible.environment(lab.base_url))
    assert done.returncode == 0, done.stderr
    assert "lab: lists flux-dev" in done.stdout
