"""A child's process group dies with this process, also when that is killed and can clean up nothing itself.

A pipe is held open here and nowhere else; a shell in the child's group waits for its end, which the system brings about
when this process is gone, and then kills the group. The shell then becomes the program itself, so that the process id
is the program's and there is no moment without a guard.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

SHELL = "/bin/sh"
_SCRIPT = """
pipe=/dev/fd/$1
shift
if [ -r "$pipe" ]; then
    ( read -r _ <"$pipe"; kill -KILL 0 ) </dev/null >/dev/null 2>&1 &
fi
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class GuardedCommand:
    """A command as it is to be started: ``descriptors`` are to be handed to it."""

    command: tuple[str, ...]
    descriptors: tuple[int, ...] = ()


def is_supported() -> bool:
    """Whether this system has process groups and a shell to watch them."""
    return os.name == "posix" and os.access(SHELL, os.X_OK)


@contextmanager
def supervise(command: Sequence[str]) -> Iterator[GuardedCommand]:
    """A command that dies with this process. Within the block it is guarded; afterwards its group is killed."""
    if not is_supported():
        yield GuardedCommand(tuple(command))
        return
    waiting, held = os.pipe()  # neither is inherited, but for what is handed over
    try:
        yield GuardedCommand((SHELL, "-c", _SCRIPT, "ima2-agy", str(waiting), *command), (waiting,))
    finally:
        os.close(waiting)
        os.close(held)
