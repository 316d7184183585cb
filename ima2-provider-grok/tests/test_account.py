"""Status, quota and words."""

from __future__ import annotations

from typing import Any

import pytest
from tests.upstreams import xai
from tests.upstreams.asking import KITE, told
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_grok.quota import quota_of

PNG = ima2.Picture(picture(), "image/png")


async def test_a_provider_that_can_draw_is_ready(api: Any, world: World) -> None:
    assert await api().status() == ima2.ProviderStatus("ready", xai.MODELS)
    world.state["xai.models"] = ["grok-4.3"]
    assert await api().status() == ima2.ProviderStatus("no_image_model", ("grok-4.3",))


@pytest.mark.parametrize("upstream", [401, 403, 500])
async def test_a_provider_that_is_refused_says_how(api: Any, world: World, upstream: int) -> None:
    world.state["xai.models_status"] = upstream
    assert await api().status() == ima2.ProviderStatus("error", reason=f"HTTP {upstream}")


async def test_a_provider_that_is_not_there_is_offline(api: Any, grok: Any) -> None:
    assert (await api(base_url="http://127.0.0.1:9/v1").status()).state == "offline"
    assert (await grok(no_proxy=True, proxy_port=9).status()).state == "offline"


async def test_a_provider_without_credentials_asks_for_them(api: Any, grok: Any) -> None:
    assert (await api(api_key=None).status()).state == "auth_required"
    status = await grok().status()
    assert status.state == "auth_required"
    assert "ima2 grok login" in (status.reason or "")


async def test_the_quota_is_a_month_in_dollars(grok: Any, sign_in: Any) -> None:
    sign_in()
    assert await grok().quota() == ima2.Quota(
        (ima2.QuotaWindow("monthly", 12, "2026-12-01T00:00:00.000Z"),),
        True,
        {"email": "user@example.com", "plan": "SuperGrok"},
        18.2,
        150.0,
    )


async def test_without_a_login_there_is_no_quota(grok: Any, api: Any) -> None:
    assert await grok().quota() == ima2.Quota(authenticated=False)
    assert await api().quota() is None


async def test_a_refused_bill_leaves_the_windows_out(grok: Any, sign_in: Any, world: World) -> None:
    sign_in()
    world.state["xai.bill"] = (403, {"error": "no"})
    assert await grok().quota() == ima2.Quota(account={"email": "user@example.com"})
    world.state["xai.bill"] = (200, {"unexpected": True})
    world.state["xai.user"] = (500, {})
    assert await grok().quota() == ima2.Quota()


async def test_a_bill_without_an_account_still_counts(grok: Any, sign_in: Any, world: World) -> None:
    sign_in()
    world.state["xai.user"] = (500, {})
    quota = await grok().quota()
    assert quota.account == {"email": None, "plan": "SuperGrok"}
    assert quota.used_usd == 18.2


async def test_a_billing_page_without_end_is_given_up(grok: Any, sign_in: Any, world: World) -> None:
    sign_in()
    world.state["xai.bill"] = (200, {"config": {"monthlyLimit": {"val": 15000}}, "padding": "x" * (2 << 20)})
    assert (await grok().quota()).windows == ()


async def test_a_billing_page_that_cannot_be_reached_is_an_error(grok: Any, sign_in: Any) -> None:
    sign_in()
    with pytest.raises(ima2.Ima2Error) as caught:
        await grok(billing_url="http://127.0.0.1:9").quota()
    assert caught.value.code == "GROK_NETWORK_FAILED"


@pytest.mark.parametrize(
    ("limit", "used", "percent", "plan"),
    [
        (150_000, 150_000, 100, "SuperGrok Heavy"),
        (15_000, 0, 0, "SuperGrok"),
        (5_000, 1_250, 25, "SuperGrok (5000 val)"),
        (0, 10, 0, "SuperGrok (0 val)"),
    ],
)
def test_plans_are_told_by_their_limit(limit: int, used: int, percent: int, plan: str) -> None:
    quota = quota_of({"config": {"monthlyLimit": {"val": limit}, "used": {"val": used}, "billingPeriodEnd": "x"}}, None)
    assert quota.windows == (ima2.QuotaWindow("monthly", percent, None),)
    assert quota.account["plan"] == plan


async def test_words_come_from_the_planners_model_which_sees_the_pictures(api: Any, world: World) -> None:
    result = await api().text(ima2.TextRequest("describe it", "grok-api", system="be brief", pictures=(PNG,)))
    assert (result.text, result.model) == ("Brief: red.", "grok-4.3")
    assert result.cost == pytest.approx(0.0061)
    body = world.calls("responses")[0].body
    assert body["input"][0] == {"role": "system", "content": "be brief"}
    assert [part["type"] for part in body["input"][1]["content"]] == ["input_image", "input_text"]
    assert "tools" not in body
    assert (await api().text(ima2.TextRequest("x", "grok-api", model="grok-9"))).model == "grok-9"


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ("search:blank", "GROK_EMPTY_RESPONSE", 502),
        ("search:fail429", "GROK_RATE_LIMITED", 429),
        ("search:fail400", "GROK_BAD_REQUEST", 400),
        ("search:hang", "GENERATION_TIMEOUT", 504),
    ],
)
async def test_words_that_do_not_come_are_an_error(api: Any, words: str, code: str, status: int) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await api(generation_timeout_ms=300).text(ima2.TextRequest(f"{KITE} {words}", "grok-api"))
    assert (caught.value.code, caught.value.status) == (code, status)
    assert xai.MARKER not in told(caught.value)


def test_the_proxys_address_is_told(grok: Any, api: Any) -> None:
    told_of = grok(proxy_port=18700).runtime()
    assert told_of == {"configuredPort": 18700, "actualPort": 18700, "url": "http://127.0.0.1:18700/v1"}
    assert api().runtime() is None


async def test_words_take_earlier_turns_and_a_schema(api: Any, world: World) -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    turns = (ima2.Message("user", "hello"), ima2.Message("assistant", "yes?"))
    provider = api()
    assert provider.capabilities.text
    await provider.text(ima2.TextRequest("go on", "grok-api", system="be brief", messages=turns, schema=schema))
    body = world.calls("responses")[0].body
    assert [turn["role"] for turn in body["input"]] == ["system", "user", "assistant", "user"]
    assert body["text"]["format"] == {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}


async def test_words_name_the_model_that_said_them(api: Any, world: World) -> None:
    world.state["xai.serves"] = {"grok-4.3": "grok-4.6"}
    assert (await api().text(ima2.TextRequest("x", "grok-api"))).model == "grok-4.6"
    world.state["xai.gone"] = {"grok-4.5"}
    assert (await api().text(ima2.TextRequest("x", "grok-api", model="grok-4.5"))).model == "grok-4.6"


async def test_words_that_are_refused_are_a_refusal(api: Any) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await api().text(ima2.TextRequest(f"{KITE} search:refused", "grok-api"))
    assert (caught.value.code, caught.value.status) == ("SAFETY_REFUSAL", 422)
    assert xai.MARKER not in told(caught.value)
