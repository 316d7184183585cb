"""How much of a plan is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.openai.conftest import Oauth, port_of
from tests.upstreams.world import World

import ima2
from ima2_plugins.openai.quota import window_label

USAGE: dict[str, Any] = {
    "email": "kite@example.invalid",
    "plan_type": "plus",
    "rate_limit": {
        "primary_window": {"used_percent": 42.4, "limit_window_seconds": 18_000, "reset_at": 1_790_000_000},
        "secondary_window": {"used_percent": 7, "limit_window_seconds": 604_800, "reset_at": 1_790_500_000},
    },
}


async def test_the_windows_are_named_by_their_length(oauth: Oauth, backend: World, auth_file: Path) -> None:
    backend.state["chatgpt.usage"] = (USAGE, 200)
    quota = await oauth(backend).quota()
    assert quota == ima2.Quota(
        (
            ima2.QuotaWindow("5h", 42, "2026-09-21T14:13:20Z"),
            ima2.QuotaWindow("7d", 7, "2026-09-27T09:06:40Z"),
        ),
        account={"email": "kite@example.invalid", "plan": "plus"},
    )


async def test_a_plan_without_windows_has_none(oauth: Oauth, backend: World, auth_file: Path) -> None:
    odd = {"primary_window": None, "secondary_window": {"used_percent": "much"}}
    backend.state["chatgpt.usage"] = ({"rate_limit": odd}, 200)
    assert await oauth(backend).quota() == ima2.Quota()


async def test_who_is_not_signed_in_is_told_as_that(oauth: Oauth, backend: World, home: Path) -> None:
    assert await oauth(backend).quota() == ima2.Quota(authenticated=False)


async def test_a_login_that_is_refused_is_told_as_that(oauth: Oauth, backend: World, auth_file: Path) -> None:
    backend.state["chatgpt.access"] = "revoked elsewhere"
    assert await oauth(backend).quota() == ima2.Quota(authenticated=False)


async def test_a_service_that_does_not_say_is_an_error(oauth: Oauth, backend: World, auth_file: Path) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await oauth(backend).quota()
    assert caught.value.code == "QUOTA_UNAVAILABLE"


async def test_of_a_proxys_login_nothing_is_known(oauth: Oauth, proxy: World) -> None:
    assert await oauth(proxy_port=port_of(proxy)).quota() is None


@pytest.mark.parametrize(
    ("seconds", "label"), [(18_000, "5h"), (604_800, "7d"), (86_400, "1d"), (90, "2min"), (5, "5s"), (None, "plan")]
)
def test_a_window_is_named_by_its_length(seconds: float | None, label: str) -> None:
    assert window_label(seconds) == label
