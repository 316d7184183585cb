"""Replays the recorded scenarios of the reference's wire against this server, where they are at hand.

python -m tests.contract.replay            fails when a scenario listed in passing.txt fails
python -m tests.contract.replay --update   plays every area and writes the list anew
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RECORDED = ROOT.parent / "shared" / "contract"
PASSING = HERE / "passing.txt"
FOLDERS = {"scenarios": "", "scenarios-keys": "export WITH_KEYS=1; ", "scenarios-cardnews": "export IMA2_CARD_NEWS=1; "}


def names(folder: str, area: str) -> set[str]:
    """Every scenario of an area, as ``folder/area/name``."""
    spec = json.loads((RECORDED / folder / f"{area}.json").read_text())
    return {f"{folder}/{area}/{scenario['name']}" for scenario in spec["scenarios"]}


def play(folder: str, area: str) -> tuple[set[str], str]:
    """Play one area against a fresh server. Returns what passed, and what the checker said."""
    command = [sys.executable, str(RECORDED / "check.py"), "run", "--only", f"{area}/"]
    command += ["--start", f"{FOLDERS[folder]}export IMA2={ROOT}/.venv/bin/ima2; source {RECORDED}/start.sh"]
    command += [
        "--scenarios",
        str(RECORDED / folder),
        "--golden",
        str(RECORDED / folder.replace("scenarios", "golden")),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    said = done.stdout + done.stderr
    if not re.search(r"^\d+ passed, \d+ failed$", said, re.MULTILINE):
        return set(), said
    failed = {f"{folder}/{line[5:]}" for line in said.splitlines() if line.startswith("FAIL ")}
    return names(folder, area) - failed, said


def main() -> int:
    """Compare with the list, or write it."""
    if not RECORDED.is_dir():
        print("No recorded scenarios here: nothing to replay.")
        return 0
    update = "--update" in sys.argv
    listed = set(PASSING.read_text().splitlines()) if PASSING.exists() else set()
    areas = {tuple(name.split("/", 2)[:2]) for name in listed}
    if update:
        areas = {(folder, file.stem) for folder in FOLDERS for file in (RECORDED / folder).glob("*.json")}
    passed: set[str] = set()
    lost: set[str] = set()
    for folder, area in sorted(areas):
        won, said = play(folder, area)
        passed |= won
        missing = {name for name in listed if name.startswith(f"{folder}/{area}/")} - won
        if missing:
            lost |= missing
            print(said)
        print(f"{folder}/{area}: {len(won)} of {len(names(folder, area))}")
    if update:
        PASSING.write_text("".join(f"{name}\n" for name in sorted(passed)))
    for name in sorted(lost):
        print(f"LOST {name}")
    for name in sorted(passed - listed):
        print(f"won  {name}" + ("" if update else "   (add it with --update)"))
    return 1 if lost and not update else 0


if __name__ == "__main__":
    sys.exit(main())
