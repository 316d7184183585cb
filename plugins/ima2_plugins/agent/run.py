"""One run: a plan is carried out, every picture is taken into the session as soon as it is there, and the turns say
what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ima2
from ima2_plugins.agent import sessions
from ima2_plugins.agent.ids import new_id, now_ms
from ima2_plugins.agent.manifest import brief
from ima2_plugins.agent.requests import image_request, video_request

if TYPE_CHECKING:
    from ima2_plugins.agent.agent import Agent

KIND = "agent"
NAME = "{ms}_{hex}_agent"
TEXT_ONLY = frozenset({"EMPTY_RESPONSE", "IMAGE_TOOL_NOT_CALLED"})
AGAIN = "Answer with the picture itself. Words alone are no answer here."
BUSY_S, PAUSE_S, SUMMARY_CHARS = 120.0, 1.0, 200
_NEW_THREAD = ("AUTH", "TIMEOUT", "PROTOCOL")

Submit = Callable[[Any, ima2.Label], Awaitable[ima2.JobHandle]]


class AgentView(ima2.JobView):
    """A picture of a conversation: its sidecar says what the person asked, not what it was wrapped into."""

    def facts(self, artifact: ima2.Artifact, result: ima2.JobResult) -> Mapping[str, ima2.Json]:
        return {"prompt": self.label.facts.get("user_prompt", "")}

    def translate(self, error: ima2.Ima2Error) -> ima2.Ima2Error:
        if error.upstream_code != "moderation_blocked":
            return error
        return ima2.Ima2Error("MODERATION_REFUSED", 400, error.text, upstream_code=error.upstream_code)


class Run:
    """What is made for one prompt of one session. ``images`` are the ids of what was taken in so far."""

    def __init__(self, agent: Agent, session_id: str, request_id: str, plan: Mapping[str, Any], settings: Any) -> None:
        self.agent, self.session_id, self.request_id = agent, session_id, request_id
        self.plan, self.settings = plan, settings
        self.images: list[str] = []
        self.failures: list[ima2.Ima2Error] = []
        self._calls: dict[int, list[dict[str, Any]]] = {}
        self._limit = asyncio.Semaphore(max(1, plan["plannedParallelism"]))

    async def make(self, submit: Submit) -> dict[str, Any]:
        """Make everything the plan names. Raises the first failure when nothing came of it."""
        current, row = await self._context()
        prompts = self.plan["prompts"]
        takes = [self._take(number, prompt, row, current, submit) for number, prompt in enumerate(prompts, 1)]
        await asyncio.gather(*takes)
        if not self.images and self.failures:
            raise self.failures[0]
        return {"sessionId": self.session_id, "imageIds": list(self.images)}

    async def tell(self, error: ima2.Ima2Error | None) -> None:
        """Write the turns that say what was done: what was made is kept, whatever ``error`` ended the rest."""
        calls = [one for number in sorted(self._calls) for one in self._calls[number]]
        error = error or (self.failures[0] if self.failures and not self.images else None)
        text, images = self._answer(error), list(self.images)
        lost = error is not None and any(word in error.code for word in _NEW_THREAD)

        def work(connection: Any) -> None:
            if calls:
                bad = "error" if not images else "complete"
                said = "Made what was asked." if images else "Nothing could be made."
                sessions.add_turn(connection, self.session_id, "tool", said, status=bad, images=images, calls=calls)
            if lost:
                sessions.change(connection, self.session_id, codex_thread_id=new_id("codex"))
                note = "The conversation with the provider broke off; the next request begins a new one."
                sessions.add_turn(connection, self.session_id, "tool", note, status="error")
            status = "error" if error and not images else "complete"
            sessions.add_turn(connection, self.session_id, "assistant", text, status=status, images=images)

        await self.agent.write(work, self.session_id)

    async def _context(self) -> tuple[ima2.Picture | None, Any]:
        """The picture to go on from, and a turn that tells of it."""
        started = now_ms()
        row = await self.agent.read(lambda connection: sessions.find(connection, self.session_id))
        shown = row["current_image_id"]
        found = await self.agent.read(lambda connection: sessions.image(connection, self.session_id, shown))
        current = await self._read(found["filename"]) if found else None
        said = "Loaded the current picture and what the session holds to."
        if found and current is None:
            said = "The current picture is no picture, or no longer in the gallery; it is left aside."
        call = _call("context", "ima2.get_image_context", started, outputSummary=said)

        def work(connection: Any) -> None:
            sessions.add_turn(connection, self.session_id, "tool", said, calls=[call])

        await self.agent.write(work, self.session_id)
        return current, row

    async def _read(self, key: str) -> ima2.Picture | None:
        try:
            data = await self.agent.ctx.library.read(key)
        except (KeyError, ValueError):
            return None
        kind = ima2.media_type_of(data) or ""
        return ima2.Picture(data, kind) if kind.startswith("image/") else None

    async def _take(self, number: int, prompt: str, row: Any, current: ima2.Picture | None, submit: Submit) -> None:
        """One of several. Its failure is noted, and stops none of the others."""
        async with self._limit:
            started, video = now_ms(), self.plan["mode"] == "video"
            request_id = self.request_id if not self._numbered else f"{self.request_id}_{number}"
            name = "ima2.generate_video" if video else "ima2.generate_image"
            said: dict[str, Any] = {"requestId": request_id, "inputSummary": prompt[:SUMMARY_CHARS]}
            kind = "video" if video else "generate"
            try:
                make = video_request if video else image_request
                words = brief(row, prompt, continues=current is not None)
                request, notes = make(self.agent.ctx.studio, self.settings, words, current)
                result = await self._result(request, request_id, prompt, submit)
            except Exception as failure:
                error = self._known(failure)
                self.failures.append(error)
                failed = {"errorCode": error.code, "errorMessage": error.text}
                self._calls[number] = [_call(kind, name, started, status="error", **said, **failed)]
                return
            await self._keep(number, prompt, result, _call(kind, name, started, **said), notes)

    def _known(self, error: Exception) -> ima2.Ima2Error:
        if isinstance(error, ima2.Ima2Error):
            return error
        self.agent.ctx.log.error("job %s: %s", self.request_id, type(error).__name__)
        return ima2.Ima2Error("AGENT_ERROR", 500, f"The work failed unexpectedly ({type(error).__name__}).")

    @property
    def _numbered(self) -> bool:
        """Whether the pictures have ids of their own, beside that of the job around them."""
        return self.plan.get("numbered", True) or len(self.plan["prompts"]) > 1

    async def _result(self, request: Any, request_id: str, prompt: str, submit: Submit) -> ima2.JobResult:
        """What was made. Words in place of a picture are answered by asking once more, in stronger words."""
        try:
            return await self._once(request, request_id, prompt, submit)
        except ima2.Ima2Error as error:
            if error.code not in TEXT_ONLY:
                raise
        try:
            stronger = replace(request, prompt=f"{request.prompt}\n\n{AGAIN}")
            return await self._once(stronger, f"{request_id}_again", prompt, submit)
        except ima2.Ima2Error as error:
            if error.code not in TEXT_ONLY:
                raise
            text = "The provider answered in words, twice, and brought no picture."
            raise ima2.Ima2Error("AGENT_TEXT_ONLY_RESULT", 422, text) from None

    async def _once(self, request: Any, request_id: str, prompt: str, submit: Submit) -> ima2.JobResult:
        facts = {"kind": KIND, "user_prompt": prompt}
        label = ima2.Label(request_id, KIND, self.session_id, name=NAME, facts=facts)
        deadline = asyncio.get_running_loop().time() + BUSY_S
        while True:
            try:
                handle = await submit(request, label)
                break
            except ima2.Ima2Error as error:
                if error.code != "TOO_MANY_JOBS" or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(PAUSE_S)
        return await handle.result()

    async def _keep(
        self, number: int, prompt: str, result: ima2.JobResult, call: dict[str, Any], notes: list[str]
    ) -> None:
        """Take what was made into the session."""
        made = [image_values(one.key, one.url, prompt, one.artifact.revised_prompt, one.picture) for one in result.kept]

        def work(connection: Any) -> tuple[list[str], str | None]:
            ids = [sessions.add_image(connection, self.session_id, one) for one in made]
            finding = sessions.add_finding(connection, self.session_id, prompt) if result.searches else None
            return ids, finding

        ids, finding = await self.agent.write(work, self.session_id)
        self.images += ids
        names = ", ".join(one.key for one in result.kept)
        call |= {"outputSummary": " ".join([f"Made {names}.", *notes]), "imageIds": ids}
        calls = [call]
        if finding:
            call["webFindingIds"] = [finding]
            summary = f"Searched the web {result.searches} times."
            calls.insert(0, _plain("web", "ima2.web_search", outputSummary=summary, webFindingIds=[finding]))
        self._calls[number] = calls

    def _answer(self, error: ima2.Ima2Error | None) -> str:
        """What the assistant says at the end."""
        made, wanted = len(self.images), len(self.plan["prompts"])
        what = "clip" if self.plan["mode"] == "video" else "picture"
        if error is not None and not made:
            return error.text
        if made < wanted:
            why = error or (self.failures[0] if self.failures else None)
            return f"Made {made} of {wanted} {what}s.{f' The rest failed: {why.text}' if why else ''}"
        return f"Made the {what}." if made == 1 else f"Made {made} {what}s."


def image_values(
    key: str, url: str, prompt: str | None, revised: str | None, picture: ima2.Picture | None = None
) -> dict[str, Any]:
    """The columns of a picture."""
    pixels = ima2.size_of(picture.data) if picture is not None else None
    width, height = pixels or (None, None)
    said = {"filename": key, "url": url, "prompt": prompt, "revised_prompt": revised}
    return {**said, "width": width, "height": height}


def _call(kind: str, name: str, started: int, status: str = "complete", **said: Any) -> dict[str, Any]:
    times = {"startedAt": started, "finishedAt": now_ms(), "durationMs": now_ms() - started}
    return {**_plain(kind, name, status, **said), **times}


def _plain(kind: str, name: str, status: str = "complete", **said: Any) -> dict[str, Any]:
    return {"id": new_id(f"tc_{kind}"), "name": name, "status": status, **said}
