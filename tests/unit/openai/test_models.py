"""Models that are served, that are not, and what is done about it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.unit.openai.conftest import KEY, NOBODY, Api, Oauth, port_of
from tests.upstreams.asking import all_of, draw, failure, only
from tests.upstreams.responses_checks import image_tool
from tests.upstreams.world import World

import ima2
from ima2_plugins.openai.catalogue import (
    API_MODELS,
    CATALOGUE,
    DRAWING_MODELS,
    LOGIN_MODELS,
    default_drawing_model,
    drawing_model,
)
from ima2_plugins.openai.fallbacks import DAY, Attempt, Fallbacks

QUIET = {"webSearch": False}
TOKEN_VERSION = "0.144.0"


def asked(world: World, part: str = "/responses") -> list[str]:
    return [call.body["model"] for call in world.calls(part)]


# -- the catalogue ---------------------------------------------------------------------------------


@pytest.mark.parametrize("models", [API_MODELS, LOGIN_MODELS])
def test_every_replacement_is_a_model_of_the_same_list_that_is_served(models: tuple[ima2.Model, ...]) -> None:
    names = {one.id: one for one in models}
    for one in models:
        assert one.source
        assert date.fromisoformat(one.checked)
        assert one.state != "ended" or (one.ends and one.replacement)
        assert not one.replacement or names[one.replacement].state == "served"


def test_every_drawing_model_that_ends_is_replaced_by_one_that_is_served() -> None:
    for one in DRAWING_MODELS:
        if one.ends:
            assert drawing_model(one.replacement).served(date.fromisoformat(CATALOGUE))


@pytest.mark.parametrize(("day", "served"), [("2026-10-22", True), ("2026-10-23", False)])
def test_a_model_is_served_until_the_day_it_ends(day: str, served: bool) -> None:
    one = next(one for one in DRAWING_MODELS if one.id == "gpt-image-1.5")
    facts = type(one)("x", "deprecated", "2026-10-23")
    assert facts.served(date.fromisoformat(day)) is served


def test_the_drawing_model_by_default_is_the_one_of_the_seed_as_long_as_it_is_served() -> None:
    assert default_drawing_model(date(2026, 11, 25)) == "gpt-image-2"


def test_a_dated_snapshot_has_the_facts_of_its_model() -> None:
    assert drawing_model("gpt-image-2-2026-04-21").prices == drawing_model("gpt-image-2").prices
    assert drawing_model("gpt-image-9").prices is None


async def test_the_capabilities_say_from_when_the_facts_are(api: Api, oauth: Oauth) -> None:
    for able in (api().capabilities, oauth().capabilities):
        assert able.catalogue == CATALOGUE
        assert able.text
    ended = {one.id: one.ends for one in oauth().capabilities.models if one.state == "ended"}
    assert ended == {"gpt-5.5": "2026-10-14", "gpt-5.4": "2026-08-31", "gpt-5.4-mini": "2026-08-31"}


async def test_a_default_that_the_catalogue_does_not_know_is_offered_all_the_same(api: Api) -> None:
    assert "gpt-7-sol" in [one.id for one in api(default_model="gpt-7-sol").capabilities.models]


# -- a model that is refused -----------------------------------------------------------------------


async def test_a_model_that_the_login_serves_no_more_is_replaced_once_and_the_answer_says_so(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    backend.state["responses.ended"] = {"gpt-5.4-mini"}
    updates = await draw(oauth(backend))
    assert asked(backend) == ["gpt-5.4-mini", "gpt-5.6-luna"]
    assert only(updates, ima2.Artifact).model == "gpt-5.6-luna"
    notice = only(updates, ima2.Notice)
    assert (notice.code, notice.details["requested"], notice.details["used"]) == (
        "MODEL_REPLACED",
        "gpt-5.4-mini",
        "gpt-5.6-luna",
    )


async def test_what_replaced_a_model_is_remembered_and_still_told(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    backend.state["responses.ended"] = {"gpt-5.4-mini"}
    provider = oauth(backend)
    await draw(provider)
    updates = await draw(provider, count=2)
    assert asked(backend)[2:] == ["gpt-5.6-luna", "gpt-5.6-luna"]
    assert only(updates, ima2.Notice).code == "MODEL_REPLACED"
    assert {one.model for one in all_of(updates, ima2.Artifact)} == {"gpt-5.6-luna"}


async def test_a_model_that_is_served_is_asked_as_it_was_named(oauth: Oauth, backend: World, auth_file: Path) -> None:
    updates = await draw(oauth(backend), model="gpt-5.4")
    assert asked(backend) == ["gpt-5.4"]
    assert only(updates, ima2.Artifact).model is None
    assert all_of(updates, ima2.Notice) == []


async def test_a_model_without_a_replacement_is_unavailable_and_others_are_named(api: Api, openai: World) -> None:
    openai.state["responses.ended"] = {"gpt-6-sol"}
    error = await failure(api(), model="gpt-6-sol")
    assert (error.code, error.status) == ("MODEL_UNAVAILABLE", 400)
    assert "gpt-6-sol" in error.text
    assert "gpt-5.6-luna" in error.text
    assert "gpt-6-sol" not in error.details["models"]
    assert asked(openai) == ["gpt-6-sol"]


async def test_a_replacement_that_is_refused_too_ends_it(api: Api, openai: World) -> None:
    openai.state["responses.ended"] = {"gpt-5.4", "gpt-5.6-terra"}
    error = await failure(api(), model="gpt-5.4")
    assert error.code == "MODEL_UNAVAILABLE"
    assert not {"gpt-5.4", "gpt-5.6-terra"} & set(error.details["models"])
    assert asked(openai) == ["gpt-5.4", "gpt-5.6-terra"]


async def test_a_404_that_names_no_model_is_about_the_address(api: Api, openai: World) -> None:
    error = await failure(api(base_url=f"{openai.base_url}/elsewhere"))
    assert (error.code, error.status) == ("INVALID_REQUEST", 404)
    assert "base URL" in error.text


async def test_a_drawing_model_that_is_refused_is_replaced_by_the_newest(api: Api, openai: World) -> None:
    openai.state["responses.ended"] = {"gpt-image-2"}
    updates = await draw(api())
    drew = [(image_tool(call.body) or {})["model"] for call in openai.calls("/responses")]
    assert drew == ["gpt-image-2", "gpt-image-2.6-sunburst"]
    assert asked(openai) == ["gpt-5.4-mini", "gpt-5.4-mini"]
    notice = only(updates, ima2.Notice)
    assert (notice.code, notice.details["field"]) == ("MODEL_REPLACED", "drawingModel")
    artifact = only(updates, ima2.Artifact)
    assert (artifact.model, artifact.facts["drawingModel"]) == (None, "gpt-image-2.6-sunburst")


async def test_words_are_answered_by_the_replacement_too(oauth: Oauth, backend: World, auth_file: Path) -> None:
    backend.state["responses.ended"] = {"gpt-5.4-mini"}
    result = await oauth(backend).text(ima2.TextRequest("What flies?", "oauth"))
    assert result.model == "gpt-5.6-luna"


def test_a_memory_lasts_a_day_and_belongs_to_one_upstream() -> None:
    now = [0.0]
    memory = Fallbacks(LOGIN_MODELS, lambda: now[0])
    first, second = Attempt("gpt-5.4"), Attempt("gpt-5.6-terra")
    memory.remember("login", first, second)
    assert memory.recall("login", first) == second
    assert memory.recall("proxy", first) == first
    now[0] = DAY - 1
    memory.remember("login", first, second)
    assert memory.recall("login", first) == second
    now[0] = DAY + 1
    assert memory.recall("login", first) == first


# -- the version of a client -----------------------------------------------------------------------


async def test_a_model_for_newer_clients_is_told_as_that_and_names_the_setting(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    backend.state["chatgpt.versions"] = {"gpt-6-sol": "0.155.0"}
    error = await failure(oauth(backend, image_transport="responses"), model="gpt-6-sol")
    assert (error.code, error.status) == ("CLIENT_VERSION_REQUIRED", 400)
    assert "oauth.clientVersion" in error.text
    assert "version" not in backend.calls("/responses")[0].headers


async def test_the_version_is_sent_where_somebody_chose_one_and_the_name_stays_ours(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    backend.state["chatgpt.versions"] = {"gpt-6-sol": "0.155.0"}
    updates = await draw(oauth(backend, client_version="0.155.0"), model="gpt-6-sol")
    assert all_of(updates, ima2.Artifact)
    (call,) = backend.calls("/responses")
    assert (call.headers["version"], call.headers["originator"]) == ("0.155.0", "ima2")
    assert call.headers["user-agent"].startswith("ima2/")


# -- the choice of the tool ------------------------------------------------------------------------


async def test_a_tool_that_cannot_be_chosen_by_name_is_left_to_the_model_to_choose(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    provider = oauth(backend)
    updates = await draw(provider, "TOOLNAMED kite")
    choices = [call.body["tool_choice"] for call in backend.calls("/responses")]
    assert choices == [{"type": "image_generation"}, "auto"]
    assert only(updates, ima2.Notice).code == "TOOL_CHOICE_AUTO"
    await draw(provider, "TOOLNAMED kite")
    assert [call.body["tool_choice"] for call in backend.calls("/responses")][2:] == ["auto"]


async def test_a_series_is_left_to_choose_too(oauth: Oauth, proxy: World) -> None:
    provider = oauth(proxy_port=port_of(proxy), assume_proxy=True)
    updates = await draw(provider, "TOOLNAMED MULTI2 kite", sequence=2)
    assert [call.body["tool_choice"] for call in proxy.calls("/responses")] == ["required", "auto"]
    assert len(all_of(updates, ima2.Artifact)) == 2


# -- lists of models -------------------------------------------------------------------------------


async def test_the_models_of_a_key_are_those_listed_that_can_call_the_tool(api: Api, openai: World) -> None:
    openai.state["responses.models"] = ("gpt-7-sol", "text-embedding-9", "gpt-6-sol-audio", "gpt-image-2", "bad name")
    models = await api().models()
    assert [one.id for one in models] == ["gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-7-sol"]
    assert {one.source for one in models} == {"listed by the account"}
    assert models[1].replacement == "gpt-5.6-terra"
    assert await api(api_key=None).models() == ()
    assert await api(base_url=f"http://127.0.0.1:{NOBODY}/v1").models() == ()


async def test_the_models_of_a_login_are_listed_to_a_client_with_a_version(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    backend.state["chatgpt.models"] = ("gpt-5.6-sol", "gpt-6-sol", "gpt-6-codex")
    assert await oauth(backend).models() == ()
    models = await oauth(backend, client_version=TOKEN_VERSION).models()
    assert [one.id for one in models] == ["gpt-5.6-sol", "gpt-6-sol"]


async def test_without_a_login_there_is_no_list(oauth: Oauth, backend: World) -> None:
    assert await oauth(backend).models() == ()


async def test_the_models_of_a_proxy_are_those_it_lists_whatever_the_catalogue_says(oauth: Oauth, proxy: World) -> None:
    models = await oauth(proxy_port=port_of(proxy)).models()
    assert [(one.id, one.state, one.ends) for one in models[:1]] == [("gpt-5.5", "served", None)]


# -- keys ------------------------------------------------------------------------------------------


async def test_a_key_is_verified_before_it_is_stored(api: Api, openai: World) -> None:
    openai.state["responses.keys"] = {"sk-good-1"}
    provider = api(api_key=None)
    assert (await provider.verify({"api_key": "sk-good-1"})).state == "ready"
    assert (await provider.verify({"api_key": "sk-bad-1"})).state == "auth_required"
    assert (await provider.verify({"api_key": "sk-\u00e9"})).state == "auth_required"
    assert (await provider.verify({})).state == "auth_required"
    assert len(openai.calls("/models")) == 2


async def test_a_saved_key_counts_at_once(api: Api, openai: World) -> None:
    provider = api(api_key=None)
    assert (await failure(provider)).code == "API_KEY_REQUIRED"
    settings = provider._settings.model_copy(update={"api_key": SecretStr(KEY), "default_model": "gpt-5.5"})
    await provider.reconfigure(settings)
    assert provider.problem() is None
    assert provider.about()["apiKeySource"] == "config"
    assert provider.capabilities.default_model == "gpt-5.5"
    await draw(provider)
    assert asked(openai) == ["gpt-5.5"]


async def test_new_settings_of_the_login_count_at_once(oauth: Oauth, proxy: World, backend: World) -> None:
    provider = oauth(backend)
    assert provider.problem() is not None
    await provider.reconfigure(provider._settings.model_copy(update={"proxy_port": port_of(proxy)}))
    assert all_of(await draw(provider), ima2.Artifact)
    assert provider.about()["oauthPort"] == port_of(proxy)


def test_each_credential_says_what_its_use_means(api: Api, oauth: Oauth) -> None:
    (key,) = api().credentials
    assert (key.kind, key.setting, key.env) == ("key", "api_key", "OPENAI_API_KEY")
    named = {one.name: one for one in oauth().credentials}
    assert named["chatgpt"].methods == ("browser", "device")
    assert "does not offer it" in named["chatgpt"].hint
    assert named["words"].methods == ("words",)
    assert named["codex"].kind == "program"
