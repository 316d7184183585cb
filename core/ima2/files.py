"""Files that are whole or absent."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from pathlib import Path

_BEGAN = time.time()
_CLOCK_S = 0.1
"""How far the two clocks a start is reckoned from may be apart."""
_LONGEST_WRITE_S = 3600.0
_MOST_LINKS = 40
_LIVE_PLACES = (("dev",), ("proc",))


def write_whole(path: Path, data: bytes, *, mode: int = 0o600, replace: bool = True, follow: bool = True) -> None:
    """Write a file so that a reader, or a crash, sees the old one, the new one or none.

    A temporary file of unique name in the same folder, flushed to disk, then renamed. A target that is no regular
    file (a pipe, a device, what a shell's ``>(...)`` gives) is written into, never replaced, and a link stays a link:
    the file it leads to is written. ``follow=False`` replaces a link itself. With ``replace=False`` anything existing
    is ``FileExistsError``. The folder must exist.
    """
    if replace and follow:
        place = _place(path)
        if place is None:
            path.write_bytes(data)
            return
        path = place
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            os.link(temporary, path)
            temporary.unlink()
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _place(path: Path) -> Path | None:
    """Where the regular file of that name lies, or would; ``None`` for what is to be written into as it stands."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        return None
    for _ in range(_MOST_LINKS):
        if path.absolute().parts[1:2] in _LIVE_PLACES:  # /dev/stdout is a link to whatever the output is now
            return None
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    return path


def private_folder(path: Path) -> Path:
    """Make a folder (and its parents) that only its owner can enter; an existing one keeps its mode."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    return path


def sweep(folder: Path) -> None:
    """Remove the temporary files in ``folder`` whose writers are dead: what a killed process left behind."""
    for path in folder.glob(".*.tmp"):
        if is_leftover(path):
            path.unlink(missing_ok=True)


def is_leftover(path: Path) -> bool:
    """Whether a file is a temporary one of `write_whole` that nobody will finish.

    Its writer's id alone says little: in containers it is always 1. A process that began after the file was last
    written is another one, and no file takes an hour.
    """
    parts = path.name.split(".")
    if len(parts) < 5 or parts[-1] != "tmp" or not parts[-3].isdigit():
        return False
    try:
        written = path.stat().st_mtime
    except OSError:
        return False
    began = started_at(int(parts[-3]))
    return began is None or written < began or time.time() - written > _LONGEST_WRITE_S


def started_at(pid: int) -> float | None:
    """When the process of that number began, in seconds since the epoch; ``None`` when there is none.

    0.0 where the system does not say.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except (PermissionError, OverflowError):
        pass
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK") - _CLOCK_S
    except (OSError, ValueError, IndexError):
        return _BEGAN if pid == os.getpid() else 0.0


def is_running(pid: int) -> bool:
    """Whether a process of that number exists."""
    return started_at(pid) is not None


def home_label(path: Path) -> str:
    """A path for people: the home folder as ``~``."""
    home, text = str(Path.home()), str(path)
    return "~" + text[len(home) :] if text == home or text.startswith(home + os.sep) else text
