"""What is left, and what the bills say."""

from __future__ import annotations

import asyncio

from tests.unit.accounts.conftest import Open

import ima2

FULL = ima2.Quota(
    (ima2.QuotaWindow("5h", 12, "2026-07-01T00:00:00Z"),), True, {"email": "kite@example.invalid"}, 18.2, 150.0
)


async def test_a_quota_is_told_by_account_and_asked_for_once_in_a_while(studio: Open) -> None:
    async with studio() as one:
        one.acme.left = FULL
        answers = await asyncio.gather(*(one.call("GET", "/api/quota") for _ in range(3)))
        assert all(answer == answers[0] for answer in answers)
        assert answers[0][1]["acme-login"] == {
            "provider": "acme-login",
            "windows": [{"label": "5h", "percent": 12, "resetsAt": "2026-07-01T00:00:00Z"}],
            "authenticated": True,
            "account": {"email": "kite@example.invalid"},
            "billing": {"usedUsd": 18.2, "limitUsd": 150.0},
        }
        assert one.acme.quotas == 1
        assert (await one.call("GET", "/api/billing"))[1]["acme-login"]["billing"]["usedUsd"] == 18.2
        assert one.acme.quotas == 1


async def test_a_quota_that_cannot_be_learnt_is_an_error_and_no_zero(studio: Open) -> None:
    async with studio() as one:
        one.acme.left = RuntimeError("down")
        assert (await one.call("GET", "/api/quota"))[1]["acme-login"] == {
            "provider": "acme-login",
            "windows": [],
            "error": True,
        }


async def test_after_another_login_the_quota_is_asked_for_anew(studio: Open) -> None:
    async with studio() as one:
        assert (await one.call("GET", "/api/quota"))[1]["acme-login"]["authenticated"] is False
        one.acme.left = FULL
        one.acme.consent.set()
        session = (await one.call("POST", "/api/auth/switch", provider="acme-login"))[1]["sessionId"]
        while (await one.call("GET", f"/api/auth/switch/{session}"))[1]["status"] == "pending":
            await asyncio.sleep(0.01)
        assert (await one.call("GET", "/api/quota"))[1]["acme-login"]["authenticated"] is True
