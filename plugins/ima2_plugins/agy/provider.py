"""The provider ``agy``."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import cast

import ima2
from ima2_plugins.agy import artifact
from ima2_plugins.agy.failures import ADVICE, failure, parse_error, picture_error, silence_error, timeout_error
from ima2_plugins.agy.invocation import Invocation
from ima2_plugins.agy.output import artifact_path
from ima2_plugins.agy.process import ProcessResult
from ima2_plugins.agy.program import Program
from ima2_plugins.agy.prompt import SIZE, instructions
from ima2_plugins.agy.recovery import PREFIX, Runs, clear, collect_picture, runs_of
from ima2_plugins.agy.settings import AgySettings

MODEL = "nano-banana-2"
MAX_REFERENCES = 3
CHECKED = "2026-11-25"
_SUFFIX = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class AgyProvider(ima2.Provider):
    """Pictures by the Antigravity CLI: one run of it a picture, always the same model and size."""

    id = "agy"
    title = "Gemini (Antigravity CLI)"
    marks_orders = True
    credentials = (
        ima2.Credential(
            "agy",
            "Antigravity CLI",
            kind="program",
            hint="Install the Antigravity CLI and run `agy` once to sign in. Its subscription pays.",
        ),
    )
    capabilities = ima2.Capabilities(
        models=(
            ima2.Model(
                MODEL, "Nano Banana 2", source="ima2-gen 2.0.2; the CLI does not name its model", checked=CHECKED
            ),
        ),
        default_model=MODEL,
        sizes=ima2.Sizes(listed=(SIZE,), auto=False),
        default_size=SIZE,
        max_references=MAX_REFERENCES,
        edit=True,
        sequence=1,
        code_prefix="AGY",
        codes={"VIDEO_UNSUPPORTED": "AGY_VIDEO_UNSUPPORTED"},
        fixed={"model": MODEL, "size": SIZE},
        catalogue=CHECKED,
    )

    def __init__(self, settings: AgySettings) -> None:
        self._settings = settings
        self._program = Program(settings)

    def problem(self) -> str | None:
        """Whether the CLI is there. Whether it is signed in shows only when it is used."""
        return None if self._program.path() else ADVICE[0].upper() + ADVICE[1:]

    async def status(self) -> ima2.ProviderStatus:
        """``ready`` when the CLI runs, else ``offline``."""
        if problem := self.problem():
            return ima2.ProviderStatus("offline", reason=problem)
        if await self._program.runs():
            return ima2.ProviderStatus("ready", (MODEL,))
        return ima2.ProviderStatus("offline", reason="The Antigravity CLI is there but does not run.")

    async def images(self, request: ima2.ImageRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        """Make ``count`` pictures, or the one picture that a sequence comes to here."""
        pictures = _pictures(request)
        how = await self._program.invocation()
        count = 1 if request.sequence else max(1, request.count)
        names = tuple(f"ima2_generated_{secrets.token_hex(6)}" for _ in range(count))
        with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as made:
            runs = Runs(Path(made), names)
            yield runs.receipt()
            async for update in _side_by_side(
                [partial(self._draw, request, pictures, how, runs, index, job) for index in range(count)]
            ):
                yield update

    async def resume_images(
        self, receipt: ima2.Receipt, request: ima2.ImageRequest, job: ima2.Job
    ) -> AsyncIterator[ima2.Update]:
        """Take over what runs left behind that ended with the server that had started them."""
        runs = runs_of(receipt)
        try:
            starts = [partial(self._collect, runs, index, request) for index in range(len(runs.names))]
            async for update in _side_by_side(starts):
                yield update
        finally:
            await asyncio.to_thread(clear, runs)

    async def reconfigure(self, settings: object) -> None:
        """Use another command or other limits from the next run on."""
        if isinstance(settings, AgySettings):
            self._settings, self._program = settings, Program(settings)

    async def _draw(
        self,
        request: ima2.ImageRequest,
        pictures: Sequence[ima2.Picture],
        how: Invocation,
        runs: Runs,
        index: int,
        job: ima2.Job,
    ) -> AsyncIterator[ima2.Update]:
        """One run, one picture, in a folder of its own."""
        folder, name = runs.place(index), runs.names[index]
        references = await asyncio.to_thread(_write_references, pictures, folder)
        text = instructions(request.prompt, name, references, edit=request.source is not None)
        await job.order()
        picture = await self._picture(how, text, runs, index, job)
        if any(picture.data == given.data for given in pictures):
            raise picture_error("is one of the pictures it was given")
        for update in _result(picture, index, request):
            yield update

    async def _collect(self, runs: Runs, index: int, request: ima2.ImageRequest) -> AsyncIterator[ima2.Update]:
        picture = await asyncio.to_thread(collect_picture, runs, index, self._settings.max_artifact_bytes)
        for update in _result(picture, index, request):
            yield update

    async def _picture(self, how: Invocation, text: str, runs: Runs, index: int, job: ima2.Job) -> ima2.Picture:
        """The picture of a run; also of one that was stopped, or ended without a word, after it had made it."""
        folder = runs.place(index)
        try:
            ended = await self._run(how, text, folder, job)
            return await asyncio.to_thread(self._read_artifact, ended, runs.names[index], folder)
        except ima2.Ima2Error as error:
            if error.code not in ("AGY_TIMEOUT", "AGY_PROCESS_ERROR"):
                raise
            try:
                return await asyncio.to_thread(collect_picture, runs, index, self._settings.max_artifact_bytes)
            except ima2.Ima2Error:
                raise error from None

    async def _run(self, how: Invocation, text: str, folder: Path, job: ima2.Job) -> ProcessResult:
        seconds = min(self._settings.timeout_ms / 1000, job.remaining())
        try:
            ended = await self._program.draw(how, text, folder, seconds)
        except TimeoutError:
            raise timeout_error(seconds) from None
        job.log.info("agy ended: code %d, %d bytes on stderr", ended.code, ended.stderr_bytes)
        if ended.code != 0 and not ended.output.strip():
            raise silence_error(ended.code)
        return ended

    def _read_artifact(self, ended: ProcessResult, name: str, folder: Path) -> ima2.Picture:
        """The picture that the output names, or that bears the name: some builds print nothing into a pipe."""
        path = artifact_path(ended.output) or artifact.find(name, folder)
        if path is None:
            raise parse_error()
        return artifact.picture_at(path, folder, self._settings.max_artifact_bytes)


async def _side_by_side(starts: Sequence[Callable[[], AsyncIterator[ima2.Update]]]) -> AsyncIterator[ima2.Update]:
    """The updates of several runs; the failure of a single one is raised."""
    updates = cast("AsyncGenerator[ima2.Update]", starts[0]() if len(starts) == 1 else ima2.merged(starts))
    async with aclosing(updates):
        async for update in updates:
            yield update


def _result(picture: ima2.Picture, index: int, request: ima2.ImageRequest) -> tuple[ima2.Update, ...]:
    """What there is to tell of a picture."""
    size = ima2.size_of(picture.data)
    used = {"format": picture.media_type.removeprefix("image/"), **({"size": f"{size[0]}x{size[1]}"} if size else {})}
    usage = ima2.Usage({"agy_artifact_bytes": len(picture.data)}, index=index)
    return usage, ima2.Artifact(picture, index, revised_prompt=request.prompt, model=MODEL, used=used)


def _pictures(request: ima2.ImageRequest) -> list[ima2.Picture]:
    """The pictures of a request in their order, the one to edit first. Raises 400 for what the CLI cannot take."""
    if request.mask is not None:
        raise failure("AGY_MASK_UNSUPPORTED", "The Antigravity CLI edits whole pictures and takes no mask.")
    given = [*([request.source] if request.source else []), *request.references]
    if len(given) > MAX_REFERENCES:
        raise failure("AGY_REF_TOO_MANY", f"The Antigravity CLI takes at most {MAX_REFERENCES} pictures a request.")
    pictures = [one for one in given if isinstance(one, ima2.Picture) and _media_type(one) in _SUFFIX]
    if len(pictures) < len(given):
        raise failure("AGY_REF_UNSUPPORTED", "A picture for the Antigravity CLI must be a PNG, JPEG or WebP itself.")
    return pictures


def _media_type(picture: ima2.Picture) -> str:
    """What the bytes are; the declared type only where they do not tell."""
    return ima2.media_type_of(picture.data) or picture.media_type


def _write_references(pictures: Sequence[ima2.Picture], folder: Path) -> list[Path]:
    """The pictures as files, for the CLI to read, in a folder that is made for it."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for place, picture in enumerate(pictures):
        path = folder / f"ref_{place}.{_SUFFIX[_media_type(picture)]}"
        ima2.write_whole(path, picture.data)
        paths.append(path)
    return paths
