"""How the CLI is called: which arguments a version takes, and what it then prints.

Since 1.1.1 ``-p`` takes the next word as the prompt, so that ``-p -`` would ask for a picture of a dash; there the
prompt is read from standard input without the flag. 1.2.0 brings ``--output-format stream-json``. (Its form of input is
not published, so that the prompt stays plain text.) Sources: google-antigravity/antigravity-cli, issue 582; reports of
other programs that call it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PLAIN_STDIN = (1, 1, 1)
STREAM_JSON = (1, 2, 0)
OPTION = "stream-json"


@dataclass(frozen=True, slots=True)
class Invocation:
    """``arguments`` of a run, and whether its output is a stream of JSON documents."""

    arguments: tuple[str, ...]
    is_stream: bool = False


OLD = Invocation(("-p", "-"))
PLAIN = Invocation(())
STREAM = Invocation(("--output-format", OPTION), is_stream=True)


def version_in(output: str) -> tuple[int, int, int] | None:
    """The version that ``--version`` printed, ``None`` when it names none."""
    match = re.search(r"(?<![\d.])(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", output)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def invocation(version: tuple[int, int, int] | None, help_text: str = "") -> Invocation:
    """The call that a version takes. One that does not name itself is taken for a current one; a stream is asked for
    only where the CLI's own help offers it."""
    if version is not None and version < PLAIN_STDIN:
        return OLD
    if version is not None and version >= STREAM_JSON and OPTION in help_text:
        return STREAM
    return PLAIN
