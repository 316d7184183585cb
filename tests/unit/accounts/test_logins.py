"""Signing in while a page looks on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.accounts.conftest import Open, Studio

import ima2
from ima2_plugins.accounts import logins


async def ended(one: Studio, session: str) -> dict[str, Any]:
    """What a login comes to."""
    for _ in range(200):
        answer = (await one.call("GET", f"/api/auth/switch/{session}"))[1]
        if answer["status"] != "pending":
            return answer
        await asyncio.sleep(0.01)
    raise AssertionError("it is still pending")


async def begin(one: Studio, **body: Any) -> dict[str, Any]:
    status, answer = await one.call("POST", "/api/auth/switch", provider="acme-login", **body)
    assert status == 200, answer
    return answer


async def test_a_code_is_shown_and_the_login_completes_once_it_was_entered(studio: Open) -> None:
    async with studio() as one:
        answer = await begin(one)
        assert (answer["userCode"], answer["verificationUrl"]) == ("AB-1", "https://acme.example/d")
        assert 800 < answer["expiresIn"] <= 900
        session = answer["sessionId"]
        assert (await one.call("GET", f"/api/auth/switch/{session}"))[1] == {"status": "pending"}
        one.acme.consent.set()
        assert await ended(one, session) == {"status": "complete"}


async def test_two_clicks_are_one_login(studio: Open) -> None:
    async with studio() as one:
        first, second = await asyncio.gather(begin(one), begin(one))
        assert (first["sessionId"], one.acme.logins) == (second["sessionId"], 1)


async def test_a_login_that_cannot_begin_is_told_with_502(studio: Open) -> None:
    async with studio() as one:
        one.acme.steps, one.acme.failure = [], ima2.Ima2Error("ACME_DOWN", 401, "Acme is closed.")
        one.acme.consent.set()
        status, answer = await one.call("POST", "/api/auth/switch", provider="acme-login")
        assert (status, answer["error"]) == (502, "Acme is closed.")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (ima2.Ima2Error("DENIED", 401, "You said no."), {"status": "error", "error": "You said no."}),
        (ima2.Ima2Error("LOGIN_EXPIRED", 408, "Too late."), {"status": "expired"}),
        (ima2.Ima2Error("AUTH", 401, "Late.", upstream_code="expired_token"), {"status": "expired"}),
        (ValueError("s3cret"), {"status": "error", "error": "Signing in failed unexpectedly (ValueError)."}),
    ],
)
async def test_how_a_login_failed_is_told(failure: Exception, expected: dict[str, str], studio: Open) -> None:
    async with studio() as one:
        one.acme.failure = failure
        session = (await begin(one))["sessionId"]
        one.acme.consent.set()
        assert await ended(one, session) == expected


async def test_a_code_that_nobody_enters_in_time_expires(studio: Open) -> None:
    async with studio() as one:
        one.acme.steps = [ima2.LoginStep("code", "Enter it.", url="https://a.example", code="X", expires_in=0.05)]
        assert await ended(one, (await begin(one))["sessionId"]) == {"status": "expired"}
        assert one.acme.closed == 1


async def test_more_logins_than_may_wait_are_refused(studio: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "MAX_PENDING", 1)
    async with studio() as one:
        await begin(one)
        status, answer = await one.call("POST", "/api/auth/switch", provider="acme-login", method="browser")
        assert (status, answer["code"]) == (429, "TOO_MANY_LOGINS")


async def test_a_login_that_is_over_is_forgotten_after_a_while(studio: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with studio() as one:
        one.acme.consent.set()
        session = (await begin(one))["sessionId"]
        assert await ended(one, session) == {"status": "complete"}
        monkeypatch.setattr(logins, "READABLE_SECONDS", -1)
        assert await one.call("GET", f"/api/auth/switch/{session}") == (404, {"status": "expired"})


async def test_logins_that_nobody_finished_end_with_the_process(studio: Open) -> None:
    async with studio() as one:
        await begin(one)
    assert one.acme.closed == 1


async def test_what_a_person_pasted_reaches_the_provider(studio: Open) -> None:
    async with studio() as one:
        one.acme.steps = [ima2.LoginStep("paste", "Paste it.", url="https://acme.example")]
        session = (await begin(one, method="paste"))["sessionId"]
        assert (await one.call("POST", f"/api/auth/switch/{session}", text=" code-7 "))[0] == 200
        assert await ended(one, session) == {"status": "complete"}
        assert one.acme.pasted == "code-7"
        assert (await one.call("POST", f"/api/auth/switch/{session}", text="again"))[0] == 400


async def test_a_login_can_be_given_up(studio: Open) -> None:
    async with studio() as one:
        session = (await begin(one))["sessionId"]
        await one.call("DELETE", f"/api/auth/switch/{session}")
        assert (await one.call("GET", f"/api/auth/switch/{session}"))[0] == 404
        assert one.acme.closed == 1


@pytest.mark.parametrize("body", [{}, {"provider": "acme"}, {"provider": ["acme-login"]}])
async def test_only_accounts_that_one_signs_in_to_are_taken(body: dict[str, Any], studio: Open) -> None:
    async with studio() as one:
        status, answer = await one.call("POST", "/api/auth/switch", **body)
        assert (status, answer["error"]) == (400, "provider must be acme-login.")
        assert (await one.call("POST", "/api/auth/switch", provider="acme-login", method="fax"))[0] == 400
        assert one.acme.logins == 0
