"""What a person says of their servers."""

from __future__ import annotations

import ipaddress
import os
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ima2 import setting

_NEAR = (".localhost", ".local", ".lan", ".home", ".internal", ".home.arpa")
Size = Annotated[str, Field(pattern=r"^[0-9]{2,5}x[0-9]{2,5}$")]


def base_address(value: str) -> str:
    """A base address without its trailing slash: http or https, no user name, query or fragment (``ValueError``)."""
    parts = urlsplit(value.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("base_url must be an http or https address such as http://127.0.0.1:8080/v1")
    return value.strip().rstrip("/")


class Server(BaseModel):
    """One server and what it can do. Nothing of it is guessed: what is not switched on is refused before it is asked.

    ``base_url`` is what stands before ``/images/generations``, mostly ending in ``/v1``. ``models`` draw,
    ``text_models`` answer in words; where the server has one model and takes no name, both stay empty. Empty ``sizes``
    allow any up to ``max_edge``; empty ``qualities`` and ``formats`` mean that the server is not asked for one.
    ``batch`` says that it takes ``n``; otherwise each picture is a call. ``free`` says that its work costs nothing, so
    that it may run again after a restart. ``extra`` are further fields of each request for pictures, sent as they are.
    """

    model_config = ConfigDict(extra="forbid")

    base_url: Annotated[str, AfterValidator(base_address)]
    title: str = Field("", max_length=80)
    api_key: SecretStr | None = None
    api_key_env: str = Field("", pattern=r"^[A-Za-z0-9_]*$")
    images: bool = True
    edits: bool = False
    masks: bool = False
    words: bool = False
    models: tuple[str, ...] = ()
    text_models: tuple[str, ...] = ()
    sizes: tuple[Size, ...] = ()
    default_size: Annotated[str, Field(pattern=r"^(auto|[0-9]{2,5}x[0-9]{2,5})$")] = "1024x1024"
    max_edge: int = Field(4096, ge=16, le=16384)
    qualities: tuple[str, ...] = ("low", "medium", "high")
    formats: tuple[Literal["png", "jpeg", "webp"], ...] = ()
    moderation: bool = False
    max_count: int = Field(4, ge=1, le=8)
    max_references: int = Field(4, ge=0, le=16)
    batch: bool = True
    response_format: Literal["auto", "b64_json", "url", "none"] = "auto"
    timeout_s: float = Field(600.0, gt=0, le=86_400)
    status_timeout_s: float = Field(3.0, gt=0, le=60)
    max_answer_mb: int = Field(256, ge=1, le=2048)
    free: bool = False
    usd_per_image: float | None = Field(None, ge=0)
    extra: dict[str, Any] = Field(default_factory=dict)

    def key(self) -> str:
        """The key, from the variable that ``api_key_env`` names or the settings; empty when there is none."""
        named = os.environ.get(self.api_key_env, "") if self.api_key_env else ""
        return (named or (self.api_key.get_secret_value() if self.api_key else "")).strip()

    def problem(self) -> str | None:
        """What stands in the way of asking it at all."""
        if self.api_key_env and not self.key():
            return f"The variable {self.api_key_env}, which is to hold its key, is not set."
        if self.key() and not self.key().isascii():
            return "Its key holds characters that no key has. Copy it again."
        if self.key() and not is_private(self.base_url):
            return "Its key would travel unprotected over the internet: give it an https address."
        if not (self.images or self.words):
            return "Neither images nor words are switched on for it in the settings."
        return None


class CompatibleSettings(BaseModel):
    """The plugin's settings. A server that is set wrongly is a provider that says so, so each is read on its own."""

    servers: dict[str, dict[str, Any]] = setting(
        None,
        default_factory=dict,
        help="Servers that speak OpenAI's wire: a name for each, and what is below it (base_url, models, ...).",
    )


def read_server(entry: dict[str, Any]) -> Server | str:
    """A server as it was set, or a sentence on what is wrong with it, which quotes no value."""
    try:
        return Server.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"][:2])
        reason = first["msg"].removeprefix("Value error, ")
        return f"Its settings are wrong: {place}: {reason}."


def is_private(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: https, this machine, or a network of one's own."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme == "https" or ("." not in host.strip("[]") and ":" not in host) or host.endswith(_NEAR):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
