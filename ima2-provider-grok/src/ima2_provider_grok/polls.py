"""Waiting for a clip: the polls of one ordered job, and what its states mean.

States and failure codes: docs.x.ai, video generation. While a clip is being made xAI may answer 202.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from ima2 import Ima2Error, Job, Json, Progress
from ima2_provider_grok import failures
from ima2_provider_grok.exchange import Exchange
from ima2_provider_grok.settings import GrokSettings

_FAILED = {
    "invalid_argument": ("GROK_VIDEO_REQUEST_FAILED", 400),
    "permission_denied": ("GROK_VIDEO_REQUEST_FAILED", 403),
    "failed_precondition": ("GROK_VIDEO_REQUEST_FAILED", 412),
    "service_unavailable": ("GROK_VIDEO_POLL_FAILED", 502),
}
_LONGEST_PAUSE = 30.0


@dataclass(slots=True)
class Standing:
    """How far a job is. Progress never goes backwards; it is stalled when nothing moved for a while."""

    patience: float
    fraction: float | None = None
    moved: float = field(default_factory=time.monotonic)

    def hear(self, percent: Json) -> Progress:
        """Take xAI's percentage (0 to 100, or none) into account."""
        if isinstance(percent, int | float) and not isinstance(percent, bool):
            fraction = min(max(percent / 100, 0.0), 1.0)
            if self.fraction is None or fraction > self.fraction:
                self.fraction, self.moved = fraction, time.monotonic()
        return Progress(self.fraction, stalled=time.monotonic() - self.moved >= self.patience)


@dataclass(frozen=True, slots=True)
class Finished:
    """A clip that can be fetched."""

    url: str = field(repr=False)
    answer: dict[str, Json] = field(repr=False)

    @property
    def seconds(self) -> float | int | None:
        """Its length, as xAI states it."""
        value = self.answer["video"].get("duration")
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


class Polls:
    """Asks after one job until it is done. The clip is paid for, so a poll that fails is only asked again."""

    def __init__(self, settings: GrokSettings, exchange: Exchange, job: Job) -> None:
        self._exchange, self._job = exchange, job
        self._pause = settings.video_poll_interval_ms / 1000
        self._each = settings.video_start_timeout_ms / 1000
        self._whole = settings.video_timeout_ms / 1000
        self._patience = settings.video_stalled_ms / 1000

    async def run(self, request_id: str) -> AsyncIterator[Progress | Finished]:
        """Progress after each poll of a job under way, then the finished clip. Raises what became of it otherwise."""
        until = time.monotonic() + min(self._whole, self._job.remaining())
        standing, misses = Standing(self._patience), 0
        path = f"videos/{quote(request_id, safe='')}"
        while (left := until - time.monotonic()) > 0:
            try:
                answer = await self._exchange.ask(failures.VIDEO_POLL, path, min(self._each, left))
            except Ima2Error as error:
                if not _is_transient(error):
                    raise
                misses += 1
                self._job.log.warning("poll %d in a row failed: %s %d", misses, error.code, error.status)
            else:
                misses = 0
                if finished := outcome(answer):
                    yield finished
                    return
                yield standing.hear(answer.get("progress"))
            pause = min(self._pause * 2 ** min(misses, 8), max(self._pause, _LONGEST_PAUSE))
            await asyncio.sleep(min(pause, max(0.0, until - time.monotonic())))
        raise failures.timed_out(failures.VIDEO_POLL, self._whole)


def _is_transient(error: Ima2Error) -> bool:
    return error.status >= 500 or error.status in (408, 425, 429)


def outcome(answer: dict[str, Json]) -> Finished | None:
    """The finished clip; ``None`` while it is being made (and for a state nobody knows yet). Raises how it failed.

    Moderation is looked at first: a blocked clip often has no URL.
    """
    status = answer.get("status")
    if status == "expired":
        raise Ima2Error("GROK_VIDEO_EXPIRED", 502, "xAI no longer keeps this clip. Make it again.")
    if status == "failed":
        raise _failure(answer.get("error"))
    if status != "done":
        return None
    video = answer.get("video")
    video = video if isinstance(video, dict) else {}
    if video.get("respect_moderation") is False:
        text = "xAI's safety rules do not allow this clip. Change the prompt or the pictures."
        raise Ima2Error("GROK_VIDEO_MODERATION_BLOCKED", 502, text)
    url = video.get("url")
    if not isinstance(url, str) or not url:
        raise Ima2Error(
            "GROK_VIDEO_EMPTY_RESPONSE", 502, "xAI called the clip done but gave no address for it. Try again."
        )
    return Finished(url, {**answer, "video": video})


def _failure(error: Json) -> Ima2Error:
    reason = error.get("code") if isinstance(error, Mapping) else None
    code, status = _FAILED.get(str(reason), ("GROK_VIDEO_FAILED", 502))
    advice = "Check the prompt and the pictures." if status < 500 else "Try again later."
    return Ima2Error(code, status, f"xAI could not make the clip. {advice}", upstream_code=reason)
