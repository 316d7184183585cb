"""Failures as a person can understand them: one mapping for every route, every upstream and both directions of a call.

The sentences are fixed per kind and hold fragments that the web page recognises; nothing an upstream wrote
is passed on but short labels. They advise to try again only where `reasons` says that this can help.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from ima2 import Ima2Error, network_error, safe_label
from ima2_plugins.openai.reasons import MEANINGS, Kind
from ima2_plugins.openai.upstream_error import UpstreamError

if TYPE_CHECKING:
    import httpx

Upstream = Literal["key", "proxy", "login", "words"]
"""Who is asked: the API with a key, ChatGPT through a local proxy, ChatGPT with the login itself, or the API with a
login made by “Sign in with ChatGPT”, which is for words only."""

REFUSED = {
    "input": "The request was rejected by the provider's safety system. Change the prompt or the pictures.",
    "output": "The generated image was filtered by the provider's safety system. Change the prompt.",
    None: "The provider declined this for safety reasons. Change the prompt or the pictures.",
}
SIGN_IN = "Sign in anew with `codex login`, or in ima2 itself."
EXPIRED = f"The ChatGPT login is no longer valid. {SIGN_IN}"
_BAD_PROXY = "The local ChatGPT proxy's login was not accepted. Run `codex login` and start the proxy anew."
_NO_ADDRESS = "OpenAI does not know this address. Check the base URL in the settings."
_BAD_WORDS = "The login by “Sign in with ChatGPT” was not accepted. Sign in anew, or remove it."
_TEXTS: Mapping[Kind, str] = {
    "policy": "OpenAI's usage policies forbid this request. Change what is asked for.",
    "usage": "The usage limit of this ChatGPT plan is reached. Try again when it resets, or use an API key.",
    "plan": "This ChatGPT plan does not include the feature. Use another plan or an API key.",
    "quota": "The OpenAI account of this API key has no credit left. Add credit or raise its limit first.",
    "rate": "OpenAI takes no more requests from this account right now. Wait a little and try again.",
    "key": "OpenAI did not accept the API key. Check the key in the settings or in OPENAI_API_KEY.",
    "capability": "This account or model does not offer the image tool at the moment. Choose another model.",
    "version": (
        "ChatGPT serves this model only to clients that name a version of Codex, which ima2 does not do by itself. "
        "The setting oauth.clientVersion (IMA2_CODEX_CLIENT_VERSION) sends the one that you choose."
    ),
    "edge": "ChatGPT's edge protection blocked this connection. Wait a while and try again, or use another network.",
    "redirect": "OpenAI's address answered with a redirect, which is not followed. Check the base URL in the settings.",
    "broken": "OpenAI broke the answer off with an error event. What was done until then may have been billed.",
    "unknown": "OpenAI broke the answer off with an error event. What was done until then may have been billed.",
    "pictures": "OpenAI cannot use one of the input pictures. Send others: PNG, JPEG or WebP, not tiny, not huge.",
    "region": "OpenAI does not serve the country or region that this connection comes from.",
    "residency": "This account's data has to stay in a region that this address does not serve. Set its base URL.",
    "access": "OpenAI does not let this account do that. Check the account's access and verification.",
    "large": "The pictures of this request are too large for OpenAI. Send fewer or smaller ones.",
    "allowance": (
        "The image tool call failed: the model ran out of its output allowance. Choose a lower reasoning effort."
    ),
    "stopped": "The image tool call failed: the model was stopped before it drew.",
    "words-only": "“Sign in with ChatGPT” is for words: OpenAI refuses pictures on it.",
    "request": "OpenAI found an invalid request value. Check size, quality, model and pictures.",
}
_BEGUN_TEXTS: Mapping[Kind, str] = {
    "usage": "The usage limit of this ChatGPT plan was reached while the answer came. It resets after a while.",
    "rate": "OpenAI broke the answer off: this account asks for more than it may. What was done may have been billed.",
}
"""For failures inside an answer that had begun: what came before them may have been billed."""


def refusal(cause: UpstreamError, *, stage: str | None = None) -> Ima2Error:
    """422 ``SAFETY_REFUSAL``, with the stage where it is known: the request itself or the picture made of it."""
    if cause.kind == "policy":
        return build(cause, "policy")
    known = stage or cause.stage
    details = {"moderationStage": known} if known else {}
    return build(cause, "moderation", text=REFUSED[known], details=details)


def failure(
    cause: UpstreamError,
    upstream: Upstream,
    *,
    wait: float | None = None,
    model: str = "",
    working: tuple[str, ...] = (),
) -> Ima2Error:
    """The error for what an upstream said. ``wait`` is how many seconds it asks to wait; ``working`` are models to
    name where ``model`` is refused."""
    status = cause.status
    match cause.kind:
        case "moderation" | "policy":
            return refusal(cause)
        case "usage":
            return build(cause, "usage", wait=cause.resets_in if cause.resets_in is not None else wait)
        case "expired" | "key":
            return _unauthorized(cause, upstream)
        case "model":
            return unavailable(cause, upstream, model, working)
        case "edge" if upstream in ("key", "words"):
            text = "Something between here and OpenAI blocked the request."
            return build(cause, "edge", code="NETWORK_FAILED", text=text)
        case "server" if status is not None and status >= 500:
            text = f"OpenAI answered with an error of its own ({status}). Nothing was sent a second time."
            return build(cause, "server", text=text, wait=wait)
        case "server":
            return build(cause, "broken")
        case "request" if status == 404:
            return build(cause, "request", text=_NO_ADDRESS)
        case kind:
            return build(cause, kind, wait=wait)


def unavailable(cause: UpstreamError, upstream: Upstream, model: str, working: tuple[str, ...]) -> Ima2Error:
    """``MODEL_UNAVAILABLE``: the service does not serve the model to this account; models that work are named."""
    whose = "this account" if upstream == "key" else "this ChatGPT login"
    name = f"the model {safe_label(model)}" if model else "this model"
    text = f"OpenAI does not serve {name} to {whose}."
    if working:
        text += f" Models that are served: {', '.join(working)}."
    if upstream == "login":
        text += " ChatGPT serves some only with the setting oauth.clientVersion."
    return build(cause, "model", text=text, details={"models": list(working)})


def _unauthorized(cause: UpstreamError, upstream: Upstream) -> Ima2Error:
    """401. What a login is told never speaks of API keys, whatever the upstream's label says."""
    if upstream == "key":
        return build(cause, "key")
    if upstream == "words":
        return build(cause, "expired", text=_BAD_WORDS, status=401)
    if upstream == "login":
        return build(cause, "expired", status=401)
    labelled = (cause.code or "").endswith("api_key")
    text = _BAD_PROXY if labelled else EXPIRED
    return build(cause, "key" if labelled else "expired", text=text, status=401)


def build(
    cause: UpstreamError,
    kind: Kind,
    *,
    code: str = "",
    status: int | None = None,
    text: str = "",
    wait: float | None = None,
    details: Mapping[str, Any] | None = None,
) -> Ima2Error:
    """The error of a kind, with the upstream's labels, its outcome and whether trying again can help in ``details``.

    Only an HTTP status below 500 or of a server error is passed on.
    """
    meaning = MEANINGS[kind]
    begun = cause.status is None
    text = text or (_BEGUN_TEXTS.get(kind, "") if begun else "")
    passed = cause.status if cause.status is not None and (cause.status < 500 or kind == "server") else 400
    return Ima2Error(
        code or meaning.code,
        status or meaning.status or passed,
        text or _TEXTS.get(kind) or (EXPIRED if kind == "expired" else _TEXTS["request"]),
        upstream_code=cause.code,
        upstream_type=cause.type,
        upstream_param=cause.param,
        retry_after=wait,
        details={"failureKind": meaning.outcome, "retry": meaning.again and not begun, **(details or {})},
    )


def unreachable(error: httpx.RequestError, upstream: Upstream) -> Ima2Error:
    """No connection, or one that broke. ``OAUTH_UNAVAILABLE`` only where a local proxy was never reached."""
    import httpx

    connected = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
    if upstream == "proxy" and not connected:
        text = "The local ChatGPT proxy is not running. Start it, or run `codex login` and unset IMA2_NO_OAUTH_PROXY."
        return Ima2Error("OAUTH_UNAVAILABLE", 503, text)
    found = network_error(error, service="OpenAI")
    text = f"{found.text} The call may have been billed." if connected else found.text
    return Ima2Error(found.code, found.status, text, details=found.details)


def timed_out(seconds: float) -> Ima2Error:
    """504: the whole exchange took longer than it may."""
    text = f"OpenAI did not finish within {seconds:.0f} s; the call may have been billed. Smaller sizes are quicker."
    return Ima2Error("RESPONSES_IMAGE_TIMEOUT", 504, text)


def too_large() -> Ima2Error:
    """502: an answer beyond every sane size."""
    return Ima2Error("RESPONSES_STREAM_ERROR", 502, "OpenAI's answer was larger than any picture can be.")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds an answer asks to wait: ``retry-after-ms``, or ``retry-after`` as seconds or a date."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after", "")
        if value.replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()) if value else None
    except (ValueError, TypeError):
        return None
