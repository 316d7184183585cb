"""Checking what a provider yields, before anybody relies on it.

A breach never costs what was paid: what can be put right is put right, what cannot is left out, and both are told with
``PROVIDER_ANSWER_INVALID``.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.kernel.guard import provider_failure
from ima2.media.decode import MediaError, decode_media
from ima2.models import (
    Artifact,
    Failed,
    ImageRequest,
    Json,
    Notice,
    Partial,
    Phase,
    Picture,
    Progress,
    Receipt,
    Update,
    Usage,
    VideoRequest,
)

INVALID = "PROVIDER_ANSWER_INVALID"
log = logging.getLogger("ima2.plugins")


class Answers:
    """Checks the updates of one request, in the order they come.

    ``max_bytes`` bounds a picture or clip; ``reserved`` are names of facts that no provider may set. ``notices`` holds
    a sentence for each kind of breach so far, for the warnings of the answer.
    """

    def __init__(
        self,
        provider: Provider,
        request: ImageRequest | VideoRequest,
        *,
        max_bytes: int = 512 << 20,
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        self.notices: list[Notice] = []
        self._id, self._max, self._reserved = provider.id, max_bytes, reserved
        self._media = "image/" if isinstance(request, ImageRequest) else "video/"
        self._free = list(range((request.sequence or request.count) if isinstance(request, ImageRequest) else 1))
        self._count = len(self._free)

    def check(self, update: object) -> Update | None:
        """The update as it may be used; ``None`` for one to leave out. Raises `Ima2Error` ``PROVIDER_ANSWER_INVALID``
        (502) for what is no update at all."""
        match update:
            case Artifact():
                return self._artifact(update)
            case Phase(name):
                good = name in ("planning", "streaming", "decoding")
            case Progress(fraction):
                good = fraction is None or (_is_number(fraction) and 0 <= fraction <= 1)
            case Partial(picture, index):
                good = _is_picture(picture, self._max) and _is_count(index)
            case Usage():
                good = self._is_usage(update)
            case Receipt(id, data):
                good = isinstance(id, str) and id != "" and _is_object(data)
            case Notice(code, text, details):
                good = isinstance(code, str) and isinstance(text, str) and _is_object(details)
            case Failed(index, error) if _is_count(index) and isinstance(error, Exception):
                return Failed(index, provider_failure(self._id, error))
            case Failed():
                good = False
            case _:
                raise Ima2Error(INVALID, 502, f"The provider {self._id} answered with a {type(update).__name__}.")
        if not good:
            self._breach(f"a {type(update).__name__} was not usable and was left out")
        return update if good else None

    def _artifact(self, artifact: Artifact) -> Update | None:
        index = self._place(artifact.index)
        if index is None:
            self._breach("there were more results than asked for; the last were left out")
            return None
        try:
            picture = self._whole(artifact.picture)
        except Ima2Error as error:
            return Failed(index, error)
        words = {name: getattr(artifact, name) for name in ("revised_prompt", "url", "model")}
        wrong = {name: None for name, word in words.items() if not (word is None or isinstance(word, str))}
        facts, used = self._facts(artifact.facts, self._reserved), self._facts(artifact.used, frozenset())
        if wrong:
            self._breach("a text was none and was left out")
        return replace(artifact, index=index, picture=picture, facts=facts, used=used, **wrong)

    def _place(self, index: object) -> int | None:
        """The place among those asked for: the one named if it is free, else the first that is."""
        if not self._free:
            return None
        if index in self._free and not isinstance(index, bool):
            self._free.remove(place := int(str(index)))
            return place
        self._breach("a result had a place that does not exist or was taken, and got the next free one")
        return self._free.pop(0)

    def _whole(self, picture: object) -> Picture:
        if not isinstance(picture, Picture) or not isinstance(picture.data, bytes):
            raise Ima2Error(INVALID, 502, f"The provider {self._id} gave a {type(picture).__name__} for a picture.")
        if len(picture.data) > self._max:
            text = f"The result has {len(picture.data)} bytes; {self._max} are allowed."
            raise MediaError(INVALID, text, picture.data, picture.media_type)
        whole = decode_media(picture.data)
        if not whole.media_type.startswith(self._media):
            raise MediaError(INVALID, f"The result is {whole.media_type}.", whole.data, whole.media_type)
        return whole

    def _facts(self, facts: object, reserved: frozenset[str]) -> dict[str, Json]:
        given = dict(facts) if isinstance(facts, Mapping) else {"": facts}
        good = {name: fact for name, fact in given.items() if name not in reserved and _is_object({name: fact})}
        if len(good) < len(given):
            self._breach("a fact was no JSON, or had a name that is taken, and was left out")
        return good

    def _is_usage(self, usage: Usage) -> bool:
        tokens, cost, index = usage.tokens, usage.cost, usage.index
        return (
            (tokens is None or _is_object(tokens))
            and _is_count(usage.searches)
            and (cost is None or (_is_number(cost) and cost >= 0))
            and (index is None or (_is_count(index) and index < self._count))
        )

    def _breach(self, what: str) -> None:
        text = f"In the answer of the provider {self._id} {what}."
        if all(notice.text != text for notice in self.notices):
            log.warning("%s", text)
            self.notices.append(Notice(INVALID, text))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_picture(value: Any, most: int) -> bool:
    return isinstance(value, Picture) and isinstance(value.data, bytes) and 0 < len(value.data) <= most


def _is_object(value: Any) -> bool:
    """Whether a value is a JSON object, with names that are texts all the way down."""
    try:
        return isinstance(value, Mapping) and json.loads(json.dumps(dict(value), allow_nan=False)) == _plain(value)
    except (TypeError, ValueError, RecursionError):
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
