"""A copy of the tree in which one wrong at a time is tried, and the knowledge which tests can notice it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.mutants.mutations import Mutant

SOURCES = ("core", "plugins", "ima2-provider-grok/src", "ima2-provider-gemini/src")
BUDGET_S = 30.0
"""Seconds of tests, as measured without a wrong, of one round."""
ROUNDS = 3
"""Rounds of tests that a wrong is tried with as long as none of them notices."""
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

    def of(self, mutant: Mutant) -> list[list[str]]:
        """The tests that reach the place of a wrong, in rounds of `BUDGET_S`: those of its own room first, then some of
        every file."""
        reaching = [name for name, note in self.tests.items() if note["passed"] and _reaches(note["runs"], mutant)]
        rounds: list[list[str]] = [[]]
        spent = 0.0
        for name in self._in_turn(reaching, mutant.path):
            seconds = self.tests[name]["seconds"]
            if rounds[-1] and spent + seconds > BUDGET_S:
                rounds.append([])
                spent = 0.0
            spent += seconds
            rounds[-1].append(name)
        return [one for one in rounds[:ROUNDS] if one]

    def _in_turn(self, names: list[str], path: Path) -> list[str]:
        """The quickest test of each file, then the second of each, and so on."""
        turns: Counter[str] = Counter()
        keys = {}
        for name in sorted(names, key=lambda one: self.tests[one]["seconds"]):
            file = name.partition("::")[0]
            turns[file] += 1
            keys[name] = (_distance(name, path), turns[file])
        return sorted(names, key=lambda one: keys[one])


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
        rounds = reach.of(mutant)
        if not rounds:
            return "not reached"
        file = self._root / mutant.path
        right = file.read_bytes()
        file.write_bytes(mutant.apply(right))
        try:
            return "not noticed" if all(map(self._passes, rounds)) else "noticed"
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


def _reaches(runs: list[str], mutant: Mutant) -> bool:
    """Whether a test runs the function of a wrong, or anything of its file for what lies outside functions."""
    file, within = mutant.path.as_posix(), mutant.within
    outside = not within or within.rpartition(".")[2][:1].isupper()
    return any(one.startswith(f"{file} ") if outside else f"{one}.".startswith(f"{file} {within}.") for one in runs)


def _distance(test: str, path: Path) -> int:
    """How far a test is from a file: of its module, of its room, or of another."""
    room = path.parts[-2]
    if f"/{room}/test_{path.stem.lstrip('_')}.py" in test:
        return 0
    return 1 if test.startswith(f"tests/unit/{room}/") else 2
