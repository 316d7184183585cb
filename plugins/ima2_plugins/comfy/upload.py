"""One picture to one ComfyUI, within the rules that keep it on this machine."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx

import ima2
from ima2_plugins.comfy.settings import ComfySettings

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
LONGEST_ANSWER = 65_536
FAILED = "COMFY_UPLOAD_FAILED"
_ORIGIN = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\]):([0-9]{1,5})/?")
_ODD = re.compile(r"[/\\:\x00-\x1f]|%2f|%5c|\.\.", re.IGNORECASE)


def filename_of(fields: Mapping[str, Any]) -> str:
    """The one field of a body. 400 ``COMFY_IMAGE_INVALID``."""
    name = fields.get("filename")
    if set(fields) != {"filename"} or not isinstance(name, str):
        raise invalid("The body must hold a filename, and nothing else.")
    return name


def origin_of(url: str) -> str:
    """The address to send to. 400 ``COMFY_URL_NOT_LOCAL`` for any that is not plainly this machine."""
    match = _ORIGIN.fullmatch(url)
    if match is None or not 0 < int(match[1]) < 65_536:
        text = "comfy.defaultUrl must be http://127.0.0.1, localhost or [::1] with a port, and nothing behind it."
        raise ima2.Ima2Error("COMFY_URL_NOT_LOCAL", 400, text)
    return url.rstrip("/")


async def read_picture(storage: ima2.Storage, name: str, most: int) -> ima2.Picture:
    """A picture at the top of the gallery. 400 ``COMFY_IMAGE_INVALID``, 404 ``COMFY_IMAGE_NOT_FOUND``."""
    if not ima2.is_key(name) or _ODD.search(name):
        raise invalid("filename must be the plain name of a picture in the gallery.")
    try:
        size = (await storage.stat(name)).size
        data = await storage.get(name) if size <= most else b""
    except KeyError:
        raise ima2.Ima2Error("COMFY_IMAGE_NOT_FOUND", 404, "There is no such picture.") from None
    if size > most:
        raise invalid(f"The picture has {size} bytes; at most {most} are sent.")
    media_type = ima2.media_type_of(data)
    if media_type not in EXTENSIONS:
        raise invalid("The file is no PNG, JPEG or WebP picture.")
    return ima2.Picture(data, media_type)


async def upload(http: httpx.AsyncClient, settings: ComfySettings, name: str, picture: ima2.Picture) -> str:
    """Send it; the name that ComfyUI gave it. 502 ``COMFY_UPLOAD_FAILED``. It follows no redirect."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name.rpartition(".")[0]).strip("-")[:80] or "image"
    sent = f"ima2_{int(time.time() * 1000)}_{stem}.{EXTENSIONS[picture.media_type]}"
    files = {"image": (sent, picture.data, picture.media_type)}
    address = f"{origin_of(settings.url)}/upload/image"
    try:
        async with (
            asyncio.timeout(settings.upload_timeout_ms / 1000),
            http.stream(
                "POST", address, files=files, data={"type": "input"}, follow_redirects=False, timeout=None
            ) as response,
        ):
            if response.status_code != 200:
                raise failed(f"ComfyUI answered with status {response.status_code}.")
            answer = await ima2.read_json_limited(response, LONGEST_ANSWER)
    except TimeoutError:
        raise failed(f"ComfyUI did not take the picture within {settings.upload_timeout_ms} ms.") from None
    except ima2.Ima2Error as error:
        raise (error if error.code == FAILED else failed("ComfyUI's answer is too long.")) from None
    except ValueError:
        raise failed("ComfyUI's answer is no JSON.") from None
    except httpx.HTTPError:
        raise failed(f"ComfyUI was not reached at {settings.url}: is it running?") from None
    given = answer.get("name") if isinstance(answer, dict) else None
    if not isinstance(given, str) or not given:
        raise failed("ComfyUI did not say how it called the picture.")
    return given


def invalid(text: str) -> ima2.Ima2Error:
    """400 ``COMFY_IMAGE_INVALID``."""
    return ima2.Ima2Error("COMFY_IMAGE_INVALID", 400, text)


def failed(text: str) -> ima2.Ima2Error:
    """502 ``COMFY_UPLOAD_FAILED``."""
    return ima2.Ima2Error(FAILED, 502, text)
