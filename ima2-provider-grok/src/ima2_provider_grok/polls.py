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
from ima2_provider_grok import failures, outcomes
from ima2_provider_grok.exchange import Exchange
from ima2_provider_grok.settings import GrokSettings

_LONGEST_PAUSE = 30.0
NEW_SECONDS = 15.0
"""How long an order that was just accepted may be unknown to the host that is asked after it."""
ENDS = frozenset({"done", "failed", "expired"})
"""States that a job stays in. Any other is taken for one under way."""


@dataclass(slots=True)
class ProgressTracker:
    """How far a job is. Progress never goes backwards; it is stalled when nothing moved for a while."""

    patience: float
    fraction: float | None = None
    moved: float = field(default_factory=time.monotonic)

    def update(self, percent: Json) -> Progress:
        """Take xAI's percentage (0 to 100, or none) into account."""
        if isinstance(percent, int | float) and not isinstance(percent, bool):
            fraction = min(max(percent / 100, 0.0), 1.0)
            if self.fraction is None or fraction > self.fraction:
                self.fraction, self.moved = fraction, time.monotonic()
        return Progress(self.fraction, stalled=time.monotonic() - self.moved >= self.patience)


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer of a poll that ends a job."""

    answer: dict[str, Json] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """A clip that can be fetched. ``model`` is the one its answer names."""

    url: str = field(repr=False)
    seconds: float | int | None
    """Its length, as xAI states it."""
    model: str | None = None


class Polls:
    """Asks after one job until it is done. The clip is paid for, so a poll that fails is only asked again."""

    def __init__(self, settings: GrokSettings, exchange: Exchange, job: Job) -> None:
        self._exchange, self._job = exchange, job
        self._pause = settings.video_poll_interval_ms / 1000
        self._each = settings.video_start_timeout_ms / 1000
        self._whole = settings.video_timeout_ms / 1000
        self._patience = settings.video_stalled_ms / 1000

    async def run(self, request_id: str) -> AsyncIterator[Progress | Ended]:
        """Progress after each poll of a job under way, then the answer that ends it, whichever way it ended."""
        began = time.monotonic()
        until = began + min(self._whole, self._job.remaining())
        tracker, misses = ProgressTracker(self._patience), 0
        path = f"videos/{quote(request_id, safe='')}"
        while (left := until - time.monotonic()) > 0:
            try:
                answer = await self._exchange.ask(failures.VIDEO_POLL, path, min(self._each, left))
            except Ima2Error as error:
                is_new = error.status == 404 and time.monotonic() - began < NEW_SECONDS
                if not is_new and not _is_transient(error):
                    raise
                misses += 1
                self._job.log.warning("poll %d in a row failed: %s %d", misses, error.code, error.status)
            else:
                misses = 0
                if answer.get("status") in ENDS:
                    yield Ended(answer)
                    return
                yield tracker.update(answer.get("progress"))
            pause = min(self._pause * 2 ** min(misses, 8), max(self._pause, _LONGEST_PAUSE))
            await asyncio.sleep(min(pause, max(0.0, until - time.monotonic())))
        raise failures.timeout_error(failures.VIDEO_POLL, self._whole)


def _is_transient(error: Ima2Error) -> bool:
    return error.status >= 500 or error.status in (408, 425, 429)


def finished_clip(answer: Mapping[str, Json]) -> Finished:
    """The clip of an answer that ends a job. Raises how it failed.

    Moderation is looked at first: a blocked clip often has no URL. It is billed all the same (reported by a reseller).
    """
    status = answer.get("status")
    if status == "expired":
        raise outcomes.error("expired", "xAI no longer keeps this clip.")
    if status == "failed":
        raise _failure(answer.get("error"))
    video = answer.get("video")
    video = video if isinstance(video, Mapping) else {}
    if video.get("respect_moderation") is False:
        text = (
            "xAI made this clip and holds it back by its safety rules; it may have been billed. "
            "Change the prompt or the pictures."
        )
        raise outcomes.error("clip-blocked", text, upstream_code=answer.get("block_reason"))
    url = video.get("url")
    if not isinstance(url, str) or not url:
        text = "xAI called the clip done but gave no address for it. It may have been billed."
        raise outcomes.error("no-address", text)
    seconds, model = video.get("duration"), answer.get("model")
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return Finished(url, seconds if known else None, model if isinstance(model, str) and model else None)


_REASONS = ("invalid_argument", "permission_denied", "failed_precondition", "service_unavailable", "internal_error")


def _failure(error: Json) -> Ima2Error:
    reason = error.get("code") if isinstance(error, Mapping) else None
    kind = reason if reason in _REASONS else "internal_error"
    advice = "Check the prompt and the pictures." if (outcomes.MEANINGS[kind].status or 500) < 500 else ""
    return outcomes.error(kind, f"xAI could not make the clip. {advice}".rstrip(), upstream_code=reason)
