"""Log lines: when, how bad, of which request, and nothing private."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest

from ima2 import logs
from ima2.logs import REQUEST_ID, Lines, Redacted, configure

LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Leave logging as it was."""
    root, own = logging.getLogger(), logging.getLogger("ima2")
    before = root.handlers[:], root.level, own.level, logging.root.manager.disable
    yield
    root.handlers[:], root.level, own.level, logging.root.manager.disable = before


@pytest.mark.parametrize("level", ["debug", "info", "warn", "error"])
def test_every_level_has_time_level_and_request(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(level)
    token = REQUEST_ID.set("req_7")
    try:
        for name in ("debug", "info", "warning", "error"):
            getattr(logging.getLogger("ima2.x"), name)("a %s line", name)
    finally:
        REQUEST_ID.reset(token)
    logging.getLogger("ima2.x").error("of no request")
    out, err = capsys.readouterr()
    told = ["debug", "info", "warning", "error"]
    shown = told[["debug", "info", "warn", "error"].index(level) :]
    lines = (out + err).splitlines()
    for name, line in zip(shown, lines[:-1], strict=True):
        assert re.fullmatch(LINE + rf"{name} \[ima2.x\] a {name} line requestId=req_7", line)
    assert re.fullmatch(LINE + r"error \[ima2.x\] of no request", lines[-1])
    assert all("warning" in line or "error" in line for line in err.splitlines())


def test_silent_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    configure("silent")
    logging.getLogger("ima2.x").critical("nothing")
    assert capsys.readouterr() == ("", "")


def test_a_line_is_one_line_and_holds_no_secret() -> None:
    words = "a\nb\rc Bearer abc.def xai-0123456789 http://me:secret@proxy:1 data:image/png;base64,AAAA"
    line = Redacted("%(message)s").format(logging.LogRecord("x", 20, "", 0, words, (), None))
    assert "\n" not in line
    assert not re.search(r"abc\.def|0123456|secret|AAAA", line)


def test_where_nobody_reads_lines_cost_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    class Closed(io.StringIO):
        writes = 0

        def write(self, _: str) -> int:
            self.writes += 1
            raise BrokenPipeError

    closed = Closed()
    handler = Lines(closed)
    logger = logging.getLogger("ima2.closed")
    logger.addHandler(handler)
    try:
        for _ in range(3):
            logger.error("x")
    finally:
        logger.removeHandler(handler)
    assert closed.writes == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_line_with_wrong_arguments_is_told_without_them(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    Lines(stream).handle(logging.LogRecord("x", 40, "", 0, "%d", ("a prompt",), None))
    assert stream.getvalue() == "error [x] a line that could not be written\n"
    assert "prompt" not in capsys.readouterr().err
    assert logs.redact("plain") == "plain"
