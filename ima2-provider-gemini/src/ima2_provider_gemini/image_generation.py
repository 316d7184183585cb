"""One call and what comes of it: the pictures of the answer, what was really used, what it took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import ima2

from . import answers
from .calls import Call, prepare_call, upstream_name
from .catalogue import IMAGE_MODELS
from .differences import differences
from .failures import ModelGone, lane_codes
from .media import Unreadable, read_picture
from .prices import cost
from .service import Service


@dataclass(slots=True)
class ImageGeneration:
    """The calls of one request. ``spare`` are pictures that came beside those that were asked of a call."""

    service: Service
    request: ima2.ImageRequest
    call: Call
    job: ima2.Job
    spare: list[ima2.Artifact] = field(default_factory=list)
    replaced: bool = False
    told: list[Mapping[str, ima2.Json]] = field(default_factory=list)

    async def draw(self, index: int) -> AsyncIterator[ima2.Update]:
        """One call. A picture's place is ``index``, or as it comes where several were asked of the call."""
        prefix = self.service.prefix
        call, answer, notices = await self._answer()
        for notice in notices:
            yield notice
        tokens, place = answers.usage(answer), index if call.pictures == 1 else None
        try:
            with lane_codes(prefix):
                pictures, broken = await self._pictures(answer)
        except ima2.Ima2Error:
            yield ima2.Usage(tokens, index=place)  # nothing to show for it, and yet it was billed
            raise
        price = cost(call.model, pictures, call.inputs, answers.usage_metadata(answer))
        yield ima2.Usage(tokens, cost=price, index=place)
        artifacts = [self._artifact(one, call, answer) for one in pictures]
        # Of several where one was asked for, the last is the one that the model meant: earlier ones are its drafts.
        wanted = artifacts[-1:] if call.pictures == 1 else artifacts[: call.pictures]
        self.spare += artifacts[:-1] if call.pictures == 1 else artifacts[call.pictures :]
        for offset, artifact in enumerate(wanted):
            yield replace(artifact, index=index + offset)
            for notice in differences(self.request, artifact, call.model, call.config.notice is not None):
                if notice.details not in self.told:
                    self.told.append(notice.details)
                    yield notice
        if broken:
            text = "Gemini sent something in place of a picture that cannot be read."
            yield ima2.Notice("IMAGE_UNREADABLE", text, {"unreadable": len(broken)})

    async def _answer(self) -> tuple[Call, dict[str, Any], list[ima2.Notice]]:
        """Ask the model, and its replacement once where Google does not serve it: nothing was billed then."""
        call, notices = self.call, []
        if not self.service.is_gone(call.upstream) or not call.model.replacement:
            try:
                return call, await self._ask(call), []
            except ModelGone as error:
                self.service.remember_gone(call.upstream)
                if not call.model.replacement:
                    raise await self._unavailable(error) from None
        try:
            call = await asyncio.to_thread(self._substitute, call)
            answer = await self._ask(call)
        except ModelGone as error:
            raise await self._unavailable(error) from None
        if not self.replaced:
            self.replaced = True
            text = f"Google no longer serves {self.call.model.title} here; {call.model.title} drew instead."
            details = {"field": "model", "requested": self.call.model.id, "used": call.model.id}
            notices = [
                ima2.Notice("MODEL_REPLACED", text, details),
                *([call.config.notice] if call.config.notice else []),
            ]
        return call, answer, notices

    async def _ask(self, call: Call) -> dict[str, Any]:
        limit = self.service.settings.generation_timeout_ms / 1000 * call.pictures
        seconds = min(limit, self.job.remaining())
        return await self.service.generate(call.upstream, call.content, seconds, self.job.order)

    def _substitute(self, call: Call) -> Call:
        return prepare_call(self.request, IMAGE_MODELS[call.model.replacement], self.service.settings)

    async def _unavailable(self, error: ModelGone) -> ima2.Ima2Error:
        """400 ``MODEL_UNAVAILABLE``, naming the models that work."""
        settings = self.service.settings
        try:
            names = await self.service.model_names(settings.status_timeout_ms / 1000)
        except ima2.Ima2Error:
            names = None
        upstream = {one.id: upstream_name(one, settings) for one in IMAGE_MODELS.values()}
        works = [
            name
            for name, called in upstream.items()
            if not self.service.is_gone(called) and (called in names if names is not None else True)
        ]
        asked = self.call.model.title
        advice = f"Use one of: {', '.join(works)}." if works else "Check the project and its location in the settings."
        return ima2.Ima2Error(
            "MODEL_UNAVAILABLE",
            400,
            f"Google does not serve {asked} to these credentials. {advice}",
            upstream_code=error.upstream_code,
            upstream_type=error.upstream_type,
            details={"models": works},
        )

    async def _pictures(self, answer: dict[str, Any]) -> tuple[list[ima2.Picture], list[ima2.Ima2Error]]:
        """The pictures that can be read, and why others cannot. Raises the first reason when none can."""
        pictures: list[ima2.Picture] = []
        broken: list[ima2.Ima2Error] = []
        for one in answers.pictures(answer):
            try:
                pictures.append(await read_picture(one, self.service, self.job.remaining()))
            except Unreadable:
                broken.append(answers.missing_result(answer, "GEMINI_API_NO_IMAGE", "image that can be read"))
            except ima2.Ima2Error as error:
                broken.append(error)
        if not pictures:
            raise broken[0]
        return pictures, broken

    def _artifact(self, picture: ima2.Picture, call: Call, answer: dict[str, Any]) -> ima2.Artifact:
        size = ima2.size_of(picture.data)
        used = {
            "format": picture.media_type.removeprefix("image/"),
            **({"size": f"{size[0]}x{size[1]}"} if size else {}),
        }
        facts = {"aspectRatio": call.config.ratio, "imageSize": call.config.size} if call.config.ratio else {}
        words = answers.caption(answer) or call.prompt
        model = served_model_id(answers.served_model(answer), call, self.service)
        return ima2.Artifact(picture, revised_prompt=words, model=model, facts=facts, used=used)


def served_model_id(name: str, call: Call, service: Service) -> str:
    """The model that drew, by our name of it where we have one. Google adds a version to the name that was sent."""
    if not name or name == call.upstream or name.startswith((f"{call.upstream}-0", f"{call.upstream}@")):
        return call.model.id
    known = {upstream_name(one, service.settings): one.id for one in IMAGE_MODELS.values()}
    return known.get(name, name)
