"""A copy of the tree in which one wrong at a time is tried, and the knowledge which tests can notice it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.mutants.mutations import Mutant

SOURCES = ("core", "plugins", "ima2-provider-grok/src", "ima2-provider-gemini/src")
BUDGET_S = 30.0
"""Seconds of tests, as measured without a wrong, that one wrong is tried with."""
PATIENCE_S = 120
NO_TESTS = 5


@dataclass(frozen=True, slots=True)
class Reach:
    """Which tests run which functions."""

    tests: dict[str, dict[str, Any]]

    @classmethod
    def measure(cls, root: Path, paths: list[str]) -> Reach:
        """Run the tests once and watch them. The notes are kept until a file of ours or of the tests changes."""
        notes = root / ".pytest_cache" / "reach.json"
        newest = max(file.stat().st_mtime for top in (*SOURCES, "tests") for file in (root / top).rglob("*.py"))
        if not notes.exists() or notes.stat().st_mtime < newest or json.loads(notes.read_text())["of"] != paths:
            print(f"Watching which functions the tests of {' '.join(paths)} run …", flush=True)
            notes.parent.mkdir(exist_ok=True)
            notes.write_text(json.dumps({"of": paths, "tests": _watch(root, paths)}))
        return cls(json.loads(notes.read_text())["tests"])

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that reach the place of a wrong, those of its own room first, as many as the budget allows."""
        file, within = mutant.path.as_posix(), mutant.within
        names = {f"{file} {within}"} if within else set()
        chosen, spent = [], 0.0
        for name, note in sorted(
            self.tests.items(), key=lambda item: (_distance(item[0], mutant.path), item[1]["seconds"])
        ):
            runs = note["runs"]
            touched = any(one in names or (within and one.startswith(f"{file} {within}.")) for one in runs)
            if not touched and not _is_frame(within):
                continue
            if not touched and not any(one.startswith(f"{file} ") for one in runs):
                continue
            if note["passed"] and spent + note["seconds"] <= BUDGET_S:
                spent += note["seconds"]
                chosen.append(name)
        return chosen


class Tree:
    """A copy of our sources and tests."""

    def __init__(self, root: Path) -> None:
        self._root = root
        path = os.pathsep.join(str(root / one) for one in SOURCES)
        self._environ = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    @classmethod
    def copy(cls, root: Path, to: Path) -> Tree:
        """Copy what git knows or would take. Its bytecode is checked by content, since a wrong lasts a moment."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
        for name in listed.split("\0"):
            if name and (root / name).is_file():
                target = to / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((root / name).read_bytes())
        compiling = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
        subprocess.run([*compiling, *(str(to / one) for one in SOURCES)], check=True)
        return cls(to)

    def attempt(self, mutant: Mutant, reach: Reach) -> str:
        """Do the wrong, run the tests, undo it: ``noticed``, ``not noticed`` or ``not reached``."""
        tests = reach.of(mutant)
        if not tests:
            return "not reached"
        file = self._root / mutant.path
        right = file.read_bytes()
        file.write_bytes(mutant.apply(right))
        try:
            return "not noticed" if self._passes(tests) else "noticed"
        finally:
            file.write_bytes(right)

    def _passes(self, tests: list[str]) -> bool:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "--no-header",
            "-p",
            "no:cacheprovider",
            "--timeout",
            "30",
        ]
        running = subprocess.Popen(
            [*command, *tests],
            cwd=self._root,
            env=self._environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            ended = running.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            return False
        if ended == NO_TESTS:
            raise RuntimeError("pytest found none of: " + " ".join(tests))
        return ended == 0


def _watch(root: Path, paths: list[str]) -> dict[str, dict[str, Any]]:
    there = [path for path in paths if (root / path).exists()]
    with TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "--dist",
            "loadfile",
            "-m",
            "not alone and not browser",
        ]
        environ = {**os.environ, "IMA2_REACH": folder}
        done = subprocess.run([*command, "-p", "tests.mutants.reach", *there], cwd=root, env=environ, check=False)
        if done.returncode > 1:
            raise SystemExit("The tests could not be run.")
        found: dict[str, dict[str, Any]] = {}
        for file in Path(folder).glob("*.json"):
            found |= json.loads(file.read_text())
    return found


def _is_frame(within: str) -> bool:
    """Whether a place runs when its file is imported: outside functions, in a class body."""
    return not within or within.rpartition(".")[2][:1].isupper()


def _distance(test: str, path: Path) -> int:
    """How far a test is from a file: of its module, of its room, of the wire, of another room, of a whole process."""
    room = path.parts[-2]
    if f"/{room}/test_{path.stem.lstrip('_')}.py" in test:
        return 0
    places = (f"tests/unit/{room}/", "tests/wire/", "tests/unit/", "tests/contract/")
    return next((place for place, start in enumerate(places, 1) if test.startswith(start)), 9)
