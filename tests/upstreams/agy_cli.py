"""A fake Antigravity CLI, run as a program of its own.

`install` puts an executable ``agy`` into a folder. Which of its faces it shows is written in the file ``mode`` beside
it (its environment is filtered, so that no variable could tell); ``--version`` has a file ``version-mode``. The file
``version`` says which one it plays: before 1.1.1 ``-p -`` reads the prompt from standard input; since then that asks
for the prompt "-", and standard input is read without the flag; since 1.2.0 there is ``--output-format stream-json``.
What it was given it writes to ``record-<pid>.json`` beside it: arguments, input, folder, environment, and the reference
files.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

MARKER = "AIza-LEAKED-agy-marker-0123456789"
NOISE = f"Loading conversation {MARKER} \N{SNOWMAN}"


def install(place: Path, mode: str = "result", *, picture: bytes = b"", version: str = "1.0.99") -> Path:
    """Put the fake into ``place`` and say how it behaves. Returns the program's path."""
    place.mkdir(parents=True, exist_ok=True)
    program = place / "agy"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{__file__}" "{place}" "$@"\n')
    program.chmod(0o755)
    (place / "mode").write_text(mode)
    (place / "picture").write_bytes(picture)
    (place / "version").write_text(version)
    return program


def records(place: Path) -> list[dict[str, Any]]:
    """What each run was given, oldest first."""
    files = sorted(place.glob("record-*.json"), key=lambda file: file.stat().st_mtime)
    return [json.loads(file.read_text()) for file in files]


class Run:
    """One run of the fake."""

    def __init__(self, place: Path, arguments: list[str]) -> None:
        self.place = place
        self.arguments = arguments
        self.mode = (place / "mode").read_text().strip()
        self.number = tuple(int(part) for part in re.findall(r"\d+", (place / "version").read_text())[:3])
        self.brain = Path.home() / ".gemini" / "antigravity-cli" / "brain" / f"conversation-{os.getpid()}"

    def main(self) -> int:
        """Behave as told."""
        if self.arguments == ["--version"]:
            return self.version()
        if self.arguments == ["--help"]:
            print("Usage: agy [flags]\n  -p, --print" + "\n  --output-format text|stream-json" * self.has_stream())
            return 0
        given = self.given()
        if given is None:
            print(f"ERROR|unexpected arguments {self.arguments}")
            return 2
        self.record(given)
        if self.arguments[:1] == ["--output-format"]:
            return self.streamed(given)
        return self.play(given)

    def given(self) -> str | None:
        """The prompt as this version takes it from its arguments, ``None`` for arguments that it does not know."""
        if self.arguments == ["-p", "-"]:
            return sys.stdin.buffer.read().decode() if self.number < (1, 1, 1) else "-"
        if self.arguments == ["--output-format", "stream-json"] and not self.has_stream():
            return None
        if self.number < (1, 1, 1) or self.arguments not in ([], ["--output-format", "stream-json"]):
            return None
        return sys.stdin.buffer.read().decode()

    def has_stream(self) -> bool:
        """Whether this version offers ``stream-json``; the file ``no-stream`` takes it away."""
        return self.number >= (1, 2, 0) and not (self.place / "no-stream").exists()

    def play(self, given: str) -> int:
        """Behave as the mode says."""
        return int(getattr(self, f"do_{self.mode.replace('-', '_')}", self.unknown)(given) or 0)

    def streamed(self, given: str) -> int:
        """The same as JSON documents: what was asked, the answer in pieces, and once more as a whole."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = self.play(given)
        said = out.getvalue()
        asked = {"role": "user", "content": [{"type": "text", "text": f"{given}\n/home/me/artifacts/mine.png"}]}
        events: list[dict[str, Any]] = [
            {"type": "init", "session_id": "s-1", "message": "SAVED_PATH=/tmp/none.png"},
            {"type": "user", "message": asked},
            {"type": "assistant", "message": {"content": [{"type": "thinking", "text": "RESULT|/thought.png|png"}]}},
        ]
        events += [{"type": "text_delta", "delta": {"text": said[at : at + 7]}} for at in range(0, len(said), 7)]
        events.append({"type": "result", "result": said})
        for event in events:
            print(json.dumps(event))
        return code

    def version(self) -> int:
        """``--version``: prints one, or fails or hangs as the file ``version-mode`` says."""
        file = self.place / "version-mode"
        mode = file.read_text() if file.exists() else ""
        if mode == "hang":
            time.sleep(3600)
        if mode == "wordless":
            print("agy, a friend of yours")
            return 0
        print(f"agy version {(self.place / 'version').read_text()}")
        return 1 if mode == "fail" else 0

    def unknown(self, _: str) -> NoReturn:
        raise SystemExit(f"no such mode: {self.mode}")

    def record(self, given: str) -> None:
        """Write down what this run was given."""
        paths = self.paths(given)
        facts = {
            "argv": self.arguments,
            "stdin": given,
            "cwd": os.getcwd(),
            "env": dict(os.environ),
            "pid": os.getpid(),
            "references": {path: Path(path).read_bytes().hex() for path in paths if Path(path).is_file()},
        }
        temporary = self.place / f".record-{os.getpid()}"
        temporary.write_text(json.dumps(facts))
        temporary.rename(self.place / f"record-{os.getpid()}.json")

    def paths(self, given: str) -> list[str]:
        """The list of reference paths out of the instructions."""
        match = re.search(r"^- ImagePaths: (.*)$", given, re.MULTILINE)
        return list(json.loads(match[1])) if match else []

    def made(self, given: str, name: str = "", folder: Path | None = None, data: bytes | None = None) -> Path:
        """Write the picture as the real CLI would, under the name it was told."""
        match = re.search(r'^- ImageName: "(.*)"$', given, re.MULTILINE)
        folder = folder or self.brain
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (name or f"{match[1] if match else 'unnamed'}_{time.time_ns()}.png")
        path.write_bytes((self.place / "picture").read_bytes() if data is None else data)
        return path

    # -- faces: success ------------------------------------------------------------------------

    def do_result(self, given: str) -> None:
        print(f"RESULT|{self.made(given)}|png")

    def do_noise(self, given: str) -> None:
        print(f"{NOISE}\r\n\r\n> tool call\r\nRESULT|{self.made(given)}|png\r\nBye.\r\n")

    def do_ansi(self, given: str) -> None:
        print(f"\x1b[1m{NOISE}\x1b[0m\n\x1b[32mRESULT|{self.made(given)}|png\x1b[0m")

    def do_two(self, given: str) -> None:
        print(f"RESULT|{self.made(given)}|png\nRESULT|/nowhere/else.png|png")

    def do_indented(self, given: str) -> None:
        print(f"  RESULT|{self.made(given)}|png")

    def do_relative(self, given: str) -> None:
        self.made(given, "here.png", Path.cwd())
        print("RESULT|here.png|png")

    def do_odd_name(self, given: str) -> None:
        print(f"RESULT|{self.made(given, 'a b|c Ж.png')}|png")

    def do_saved_path(self, given: str) -> None:
        print(f"{NOISE}\nSAVED_PATH={self.made(given)}")

    def do_prose(self, given: str) -> None:
        print(f'I saved it to "{self.made(given)}" for you.')

    def do_unprinted(self, given: str) -> None:
        self.made(given)

    def do_loud(self, given: str) -> None:
        sys.stdout.write("é" * 1_048_576 + f"\nRESULT|{self.made(given)}|png\n")
        sys.stderr.write(MARKER * 40_000)

    def do_exit_3_with_result(self, given: str) -> int:
        self.do_result(given)
        return 3

    def do_child(self, given: str) -> None:
        """Leaves a child behind that holds the pipes open."""
        self.leave_child()
        self.do_result(given)

    def do_daemon(self, given: str) -> None:
        """Leaves a child behind that has left the group too, and holds the pipes open."""
        self.leave_child(apart=True)
        self.do_result(given)

    def do_input_back(self, given: str) -> None:
        print(f"RESULT|{self.paths(given)[0]}|png")

    # -- faces: failure ------------------------------------------------------------------------

    def do_error(self, _: str) -> None:
        print(f"ERROR|the tool said no {MARKER}")

    def do_error_quota(self, _: str) -> None:
        print(f"ERROR|Your quota will reset after 3 h {MARKER}")

    def do_quota(self, _: str) -> None:
        print(f"429 RESOURCE EXHAUSTED {MARKER}")

    def do_capacity(self, _: str) -> None:
        print(f"You have exhausted your capacity on this model. {MARKER}")

    def do_two_fields(self, _: str) -> None:
        print("RESULT|png")

    def do_no_path(self, _: str) -> None:
        print("RESULT||png")

    def do_talk(self, _: str) -> None:
        print(f"I cannot draw today. {MARKER}")

    def do_nothing(self, _: str) -> None:
        pass

    def do_stderr(self, given: str) -> None:
        sys.stderr.write(f"RESULT|{self.made(given, 'other.png')}|png {MARKER}\n")

    def do_crash(self, _: str) -> int:
        sys.stderr.write(f"Traceback: {MARKER}\n")
        return 7

    def do_crash_talking(self, _: str) -> int:
        print(f"half a thought {MARKER}")
        return 7

    def do_killed(self, _: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def do_outside(self, given: str) -> None:
        print(f"RESULT|{self.made(given, 'out.png', self.place / 'outside')}|png")

    def do_dots(self, given: str) -> None:
        self.made(given, "out.png", self.place / "outside")
        print(f"RESULT|{self.brain}/../../../../{self.place.name}/outside/out.png|png")

    def do_link(self, given: str) -> None:
        secret = self.made(given, "secret.png", self.place / "outside")
        self.brain.mkdir(parents=True)
        (self.brain / "link.png").symlink_to(secret)
        print(f"RESULT|{self.brain / 'link.png'}|png")

    def do_linked_folder(self, given: str) -> None:
        secret = self.made(given, "secret.png", self.place / "outside")
        self.brain.parent.mkdir(parents=True)
        self.brain.symlink_to(secret.parent, target_is_directory=True)
        print(f"RESULT|{self.brain / 'secret.png'}|png")

    def do_gone(self, given: str) -> None:
        path = self.made(given)
        path.unlink()
        print(f"RESULT|{path}|png")

    def do_fifo(self, _: str) -> None:
        self.brain.mkdir(parents=True)
        os.mkfifo(self.brain / "pipe.png")
        print(f"RESULT|{self.brain / 'pipe.png'}|png")

    def do_folder(self, _: str) -> None:
        self.brain.mkdir(parents=True)
        print(f"RESULT|{self.brain}|png")

    def do_empty_file(self, given: str) -> None:
        print(f"RESULT|{self.made(given, data=b'')}|png")

    def do_text_file(self, given: str) -> None:
        print(f"RESULT|{self.made(given, data=b'oauth_token=' + MARKER.encode())}|png")

    def do_huge(self, given: str) -> None:
        print(f"RESULT|{self.made(given, data=(self.place / 'picture').read_bytes() + bytes(2_000_000))}|png")

    def do_hang(self, _: str) -> None:
        self.leave_child()
        time.sleep(3600)

    def do_made_then_hang(self, given: str) -> None:
        """The picture is there, and nothing says so."""
        self.made(given)
        self.leave_child()
        time.sleep(3600)

    def do_half_then_hang(self, given: str) -> None:
        data = (self.place / "picture").read_bytes()
        self.made(given, data=data[: len(data) // 2])
        self.leave_child()
        time.sleep(3600)

    def do_half_file(self, given: str) -> None:
        data = (self.place / "picture").read_bytes()
        print(f"RESULT|{self.made(given, data=data[: len(data) // 2])}|png")

    def do_stubborn(self, _: str) -> None:
        """Neither it nor its child ends when asked to."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.leave_child()
        while True:
            time.sleep(3600)

    def leave_child(self, *, apart: bool = False) -> None:
        """Start a child that outlives its parent, in this group or ``apart``; its pid goes to the file ``child``."""
        child = subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"], start_new_session=apart)
        temporary = self.place / ".child"
        temporary.write_text(str(child.pid))
        temporary.rename(self.place / "child")


if __name__ == "__main__":
    raise SystemExit(Run(Path(sys.argv[1]), sys.argv[2:]).main())
