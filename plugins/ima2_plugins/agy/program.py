"""The CLI itself: where it is, what it gets to see, which version it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ima2_plugins.agy.failures import no_program_error, start_error
from ima2_plugins.agy.invocation import STREAM_JSON, Invocation, invocation, version_in
from ima2_plugins.agy.process import ProcessResult, run
from ima2_plugins.agy.settings import AgySettings
from ima2_plugins.agy.stream import words_of

PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LC_CTYPE"),
    *("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"),
    *("DBUS_SESSION_BUS_ADDRESS", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "COMSPEC", "PATHEXT"),
    "GEMINI_API_KEY",
)
"""Environment variables the CLI gets: what its files, its sign-in and the network take, and no keys of others."""
PATIENCE_SECONDS = 10.0
"""How long ``--version`` may take before a run: nothing is asked of a CLI whose version is not known."""
_FOLDERS = (".local/bin", ".npm-global/bin")
_Stamp = tuple[str, int, int]


def environment() -> dict[str, str]:
    """The CLI's environment."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


class Program:
    """The Antigravity CLI as installed."""

    def __init__(self, settings: AgySettings) -> None:
        self._settings = settings
        self._known: tuple[_Stamp, Invocation] | None = None

    def path(self) -> str | None:
        """Where it is: as the setting names it, else in the folders where installers put it; ``None`` if nowhere."""
        command = self._settings.command
        if found := shutil.which(command):
            return os.path.abspath(found)
        if os.path.basename(command) != command:
            return None
        return shutil.which(command, path=os.pathsep.join(str(Path.home() / folder) for folder in _FOLDERS))

    async def invocation(self) -> Invocation:
        """How the installed version is called; asked once, and again when the program's file has changed.

        Raises 502 ``AGY_PROCESS_ERROR`` when it is not there or does not say its version.
        """
        stamp = self._stamp()
        if self._known is None or self._known[0] != stamp:
            told = await self._ask("--version", max(PATIENCE_SECONDS, self._settings.status_timeout_ms / 1000))
            if told is None:
                raise start_error()
            version = version_in(told)
            offers = version is not None and version >= STREAM_JSON
            self._known = (
                stamp,
                invocation(version, await self._ask("--help", PATIENCE_SECONDS) or "" if offers else ""),
            )
        return self._known[1]

    async def draw(self, how: Invocation, instructions: str, folder: Path, seconds: float) -> ProcessResult:
        """Run it in ``folder`` with the instructions on its standard input, nothing of them among its arguments.

        Raises ``TimeoutError``, or 502 ``AGY_PROCESS_ERROR`` when it cannot be started.
        """
        feed = instructions.encode("utf-8", "replace")
        ended = await self._run(*how.arguments, feed=feed, folder=folder, seconds=seconds)
        return ProcessResult(ended.code, words_of(ended.output), ended.stderr_bytes) if how.is_stream else ended

    async def runs(self) -> bool:
        """Whether it is there and answers ``--version`` in time."""
        return await self._ask("--version", self._settings.status_timeout_ms / 1000) is not None

    async def _ask(self, argument: str, seconds: float) -> str | None:
        """What it prints about itself, ``None`` when it does not run."""
        try:
            ended = await self._run(argument, folder=Path(tempfile.gettempdir()), seconds=seconds)
        except Exception:  # whatever keeps it from running, it does not
            return None
        return ended.output if ended.code == 0 else None

    async def _run(self, *arguments: str, feed: bytes = b"", folder: Path, seconds: float) -> ProcessResult:
        path = self.path()
        if path is None:
            raise no_program_error()
        try:
            return await run([path, *arguments], feed=feed, cwd=folder, env=environment(), seconds=seconds)
        except TimeoutError:
            raise
        except OSError:
            raise no_program_error() from None

    def _stamp(self) -> _Stamp:
        """What changes when the program does."""
        path = self.path()
        if path is None:
            raise no_program_error()
        facts = os.stat(path)
        return path, facts.st_mtime_ns, facts.st_size
