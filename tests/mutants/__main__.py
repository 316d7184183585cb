"""Do the tests notice? One small wrong at a time in a copy of the tree, and the tests that reach it are run.

python -m tests.mutants [path …] [--count 150] [--seed 1] [--jobs 2]

Without a path the files that differ from the main branch are taken. Ends with 1 when fewer than 85 % are noticed.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.mutants.mutations import Mutant, mutants, python_files
from tests.mutants.trial import Reach, Tree

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
ENOUGH = 0.85
KEPT = ("core", "plugins", "ima2-provider-grok/src", "ima2-provider-gemini/src")


def changed() -> list[Path]:
    """Our files that differ from the main branch, or from the last commit where this is the main branch."""
    base = _git("merge-base", "HEAD", "main").strip()
    if base == _git("rev-parse", "HEAD").strip():
        base = "HEAD~1"
    names = _git("diff", "--name-only", "--diff-filter=d", base, "--", *KEPT).split()
    return [Path(name) for name in names]


def equivalents() -> set[str]:
    """Wrongs that change nothing anybody could see. Each has its reason behind ``#``."""
    lines = [line.rsplit("  # ", 1) for line in EQUIVALENT.read_text().splitlines() if line and line[0] != "#"]
    return {name.strip() for name, reason in lines if reason}


def sample(paths: list[Path], count: int, seed: int) -> list[Mutant]:
    """So many of all wrongs, the same for a seed."""
    same = equivalents()
    found = [one for path in python_files(paths, ROOT) for one in mutants(path, ROOT) if one.name not in same]
    return found if len(found) <= count else random.Random(seed).sample(found, count)


def main() -> int:
    """Sample, try, and say what nobody noticed."""
    options = _options()
    chosen = sample(options.paths or changed(), options.count, options.seed)
    if not chosen:
        print("Nothing here can be changed.")
        return 0
    survivors = []
    with TemporaryDirectory(prefix="ima2-mutants-") as folder:
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(options.jobs):
            trees.put(Tree.copy(ROOT, Path(folder) / str(number)))
        reach = Reach.measure(ROOT, options.tests)

        def attempt(mutant: Mutant) -> tuple[Mutant, str]:
            tree = trees.get()
            try:
                return mutant, tree.attempt(mutant, reach)
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(options.jobs) as pool:
            for mutant, outcome in pool.map(attempt, sorted(chosen, key=lambda one: (one.path, one.line))):
                if outcome != "noticed":
                    survivors.append(mutant)
                    print(f"{outcome:11} line {mutant.line}: {mutant.name}", flush=True)
    share = 1 - len(survivors) / len(chosen)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} noticed ({share:.0%}), seed {options.seed}")
    return 0 if share >= ENOUGH else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tests", nargs="*", default=["tests/unit", "tests/wire", "tests/flow", "tests/contract"])
    return parser.parse_args()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
