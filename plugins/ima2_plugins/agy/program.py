"""The CLI itself: where it is, what it gets to see, whether it runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ima2_plugins.agy.failures import missing
from ima2_plugins.agy.process import Ended, run
from ima2_plugins.agy.settings import AgySettings

PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LC_CTYPE"),
    *("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"),
    *("DBUS_SESSION_BUS_ADDRESS", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    "GEMINI_API_KEY",
)
"""Environment variables the CLI gets: what its files, its sign-in and the network take, and no keys of others."""
_FOLDERS = (".local/bin", ".npm-global/bin")


def environment() -> dict[str, str]:
    """The CLI's environment."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


class Program:
    """The Antigravity CLI as installed."""

    def __init__(self, settings: AgySettings) -> None:
        self._settings = settings

    def path(self) -> str | None:
        """Where it is: as the setting names it, else in the folders where installers put it; ``None`` if nowhere."""
        command = self._settings.command
        if found := shutil.which(command):
            return os.path.abspath(found)
        if os.path.basename(command) != command:
            return None
        return shutil.which(command, path=os.pathsep.join(str(Path.home() / folder) for folder in _FOLDERS))

    async def draw(self, instructions: str, folder: Path, seconds: float) -> Ended:
        """Run it in ``folder`` with the instructions on its standard input, nothing of them among its arguments.

        Raises ``TimeoutError``, or 502 ``AGY_PROCESS_ERROR`` when it cannot be started.
        """
        return await self._run("-p", "-", feed=instructions.encode("utf-8", "replace"), folder=folder, seconds=seconds)

    async def runs(self) -> bool:
        """Whether it is there and answers ``--version`` in time."""
        try:
            ended = await self._run(
                "--version", folder=Path(tempfile.gettempdir()), seconds=self._settings.status_timeout_ms / 1000
            )
        except Exception:  # whatever keeps it from running, it does not
            return False
        return ended.code == 0

    async def _run(self, *arguments: str, feed: bytes = b"", folder: Path, seconds: float) -> Ended:
        path = self.path()
        if path is None:
            raise missing()
        try:
            return await run([path, *arguments], feed=feed, cwd=folder, env=environment(), seconds=seconds)
        except TimeoutError:
            raise
        except OSError:
            raise missing() from None
