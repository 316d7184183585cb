"""Signing in to a Grok subscription, step by step, for any client that can show a step: no other program is needed."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from ima2 import Credential, Ima2Error, LoginStep
from ima2_provider_grok import issuer
from ima2_provider_grok.callback import Callback
from ima2_provider_grok.issuer import Consent
from ima2_provider_grok.login_file import Login
from ima2_provider_grok.native import Account
from ima2_provider_grok.pasting import code_of

METHODS = ("browser", "device", "paste")
CREDENTIAL = Credential(
    "login",
    "Grok login",
    "login",
    methods=METHODS,
    hint=(
        "A Grok subscription with API access. The sign-in client is the public one of xAI's command line tools; "
        "whether others may go on using it is for xAI to say."
    ),
)
BROWSER_SECONDS = 300.0
Steps = AsyncGenerator[LoginStep, str | None]


def steps(method: str, account: Account) -> Steps:
    """The steps of one way to sign in. The login is stored, whole, right before the step ``done``."""
    flows = {"browser": _browser, "device": _device, "paste": _paste}
    if method not in flows:
        text = f"One signs in to Grok by {', '.join(METHODS)}, not by {method[:40]}."
        raise Ima2Error("LOGIN_METHOD_UNKNOWN", 400, text)
    return flows[method](account)


async def _browser(account: Account) -> Steps:
    """A browser on this machine comes back by itself. What is pasted instead counts too."""
    consent = await account.issuer.consent()
    async with Callback(issuer.CALLBACK_PORT, consent.state) as callback:
        text = "Open this page, sign in and agree."
        pasted = yield LoginStep("open", text, url=consent.url, expires_in=BROWSER_SECONDS)
        code = _code(pasted, consent) if pasted else await callback.code(BROWSER_SECONDS)
    yield await _finish(account, await account.issuer.exchange_code(consent, code))


async def _device(account: Account) -> Steps:
    """A short code, entered on a page anywhere."""
    device = await account.issuer.device()
    text = f"Open {device.url} and enter the code {device.user_code}."
    yield LoginStep("code", text, url=device.url, code=device.user_code, expires_in=device.expires_in)
    yield await _finish(account, await account.issuer.device_login(device))


async def _paste(account: Account) -> Steps:
    """A browser on any machine; the address it ends at is brought back by hand."""
    consent = await account.issuer.consent()
    text = "Open this page, sign in and agree. Then paste the address of the page that cannot be opened, or its code."
    pasted = yield LoginStep("paste", text, url=consent.url)
    code = _code(pasted or "", consent)
    yield await _finish(account, await account.issuer.exchange_code(consent, code))


def _code(pasted: str, consent: Consent) -> str:
    try:
        return code_of(pasted, consent.state)
    except ValueError as error:
        raise Ima2Error("GROK_AUTH_FAILED", 400, f"{error} Begin the login again.") from None


async def _finish(account: Account, login: Login) -> LoginStep:
    await account.store(login)
    return LoginStep("done", f"Signed in to Grok{f' as {login.email}' if login.email else ''}.", account=login.email)
