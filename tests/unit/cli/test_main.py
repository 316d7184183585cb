"""Dispatch, help, errors and exit codes of the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest

from ima2 import VERSION, Ima2Error
from ima2.cli import cli, output

Run = Callable[..., Any]
PINNED = (
    "Usage:",
    "commands:",
    "serve [--dev]",
    "status",
    "doctor",
    "version",
    "Generation workflow:",
    "ima2 gen -n <N>",
    "ima2 ps --json",
    "ima2 cancel <id>",
    "gen <prompt>",
    "cancel <id>",
    "ping",
)


@pytest.mark.parametrize(("args", "code"), [((), 1), (("--help",), 0), (("-h",), 0), (("nonsense", "--help"), 0)])
def test_the_main_help_holds_what_scripts_look_for(ima2: Run, args: tuple[str, ...], code: int) -> None:
    answer = ima2(*args)
    assert answer.code == code
    assert [token for token in PINNED if token not in answer.out] == []
    assert answer.out.index("Usage:") < answer.out.index("Generation workflow:") < answer.out.index("Server commands:")


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_the_version_is_bare(ima2: Run, flag: str) -> None:
    assert ima2(flag).out == f"{VERSION}\n"


def test_an_unknown_command_is_two_lines_on_stdout_with_close_matches(ima2: Run) -> None:
    answer = ima2("plugin", "list")
    first, second = answer.out.splitlines()
    assert answer.code == 1
    assert "Unknown command" in first
    assert "Did you mean plugins" in first
    assert "--help" in second
    assert answer.err == ""


@pytest.mark.parametrize("group", ["plugins", "config"])
def test_a_bare_group_shows_its_help(ima2: Run, group: str) -> None:
    answer = ima2(group)
    assert answer.code == 0
    assert "Commands:" in answer.out


def test_an_unknown_subcommand_shows_the_groups_help_on_stderr(ima2: Run) -> None:
    answer = ima2("plugins", "lst")
    assert (answer.code, answer.out) == (2, "")
    assert "Did you mean list" in answer.err
    assert "disable" in answer.err


def test_usage_errors_end_with_2_and_an_envelope_if_asked(ima2: Run) -> None:
    assert ima2("plugins", "show").code == 2
    answer = ima2("plugins", "list", "--nonsense", "--json")
    assert answer.code == 2
    assert answer.json["ok"] is False
    assert "--nonsense" in answer.json["error"]


def failing(error: BaseException) -> click.Command:
    def act(as_json: bool) -> None:
        raise error

    return click.Command("fail", callback=act, params=[click.Option(["--json", "as_json"], is_flag=True)])


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch, ima2: Run) -> Callable[..., Any]:
    def call(error: BaseException, *args: str) -> Any:
        monkeypatch.setattr(type(cli), "get_command", lambda self, ctx, name: failing(error))
        return ima2("fail", *args)

    return call


def test_a_failure_is_one_line_with_its_code_and_a_hint(fails: Run) -> None:
    answer = fails(Ima2Error("SERVER_UNREACHABLE", 0, "Nobody\x1b answers."))
    assert answer.code == 3
    line, hint = answer.err.splitlines()
    assert line == "✗ Nobody  answers. (SERVER_UNREACHABLE)"
    assert hint.startswith("Hint:")
    assert "ima2 serve" in hint
    assert "--server" in hint
    assert answer.out == ""


def test_a_failure_with_json_is_an_envelope_too(fails: Run) -> None:
    answer = fails(Ima2Error("X", 404, "Not there.", details={"requestId": "r1"}), "--json")
    assert answer.code == 5
    assert answer.json == {"ok": False, "error": "Not there.", "code": "X", "status": 404, "requestId": "r1"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_ends_with_130(fails: Run, error: BaseException) -> None:
    assert fails(error).code == 130


def test_a_file_problem_is_one_line(fails: Run) -> None:
    answer = fails(FileNotFoundError(2, "No such file or directory", "/x/y.png"))
    assert answer.code == 1
    assert "No such file or directory: /x/y.png" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("code", "status", "wanted"),
    [
        ("SERVER_UNREACHABLE", None, 3),
        ("OAUTH_UNAVAILABLE", 503, 4),
        ("REF_TOO_LARGE", 500, 5),
        ("TOO_MANY_JOBS", 429, 5),
        ("NETWORK_FAILED", 400, 6),
        ("ANYTHING", 502, 6),
        ("MODERATION_REFUSED", 422, 7),
        ("CLIENT_TIMEOUT", None, 8),
        (None, None, 1),
    ],
)
def test_exit_codes_follow_the_code_then_the_status(code: str | None, status: int | None, wanted: int) -> None:
    assert output.exit_code(code, status) == wanted


def test_a_hint_knows_a_code_behind_a_providers_prefix() -> None:
    assert output.hint("SOME_REF_TOO_MANY") == output.hint("REF_TOO_MANY") is not None
    assert output.hint("NO_SUCH_CODE") is None
    assert output.hint(None) is None


def test_tables_line_up_by_width_on_the_screen() -> None:
    lines = output.table(("Name", "N"), [("日本", "1"), ("e\u0301a\x1b[2J", "22")]).splitlines()
    assert lines[1] == "─" * output.width(lines[1])
    assert {output.width(line[: line.index(end)]) for line, end in zip(lines[2:], ("1", "22"), strict=True)} == {8}
    assert "\x1b" not in "".join(lines)


def test_completion_prints_a_script_and_completes_without_importing(ima2: Run) -> None:
    assert "_IMA2_COMPLETE" in ima2("completion", "zsh").out
    assert ima2("completion", "tcsh").code == 2
    script = """
import sys
from ima2.cli import main
try:
    main()
finally:
    print(sorted(name for name in sys.modules if name.startswith("ima2.cli.")))
"""
    environ = {**os.environ, "_IMA2_COMPLETE": "zsh_complete", "COMP_WORDS": "ima2 pl", "COMP_CWORD": "1"}
    ended = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False)
    assert "plugins" in ended.stdout
    assert "ima2.cli.commands.plugins" not in ended.stdout


def test_writing_into_a_closed_pipe_is_quiet() -> None:
    script = "from ima2.cli import main; import sys; sys.argv = ['ima2', '--help']; main()"
    command = f'{sys.executable} -c "{script}" | true'
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.stderr == ""
