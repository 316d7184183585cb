"""Which wrongs are done to a file, and that each is one that runs."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.mutants.__main__ import ROOT, equivalents, sample
from tests.mutants.mutations import mutants

SOURCE = '''"""What it is for."""
import logging
log = logging.getLogger("x")
MOST: int = 3
PAUSE_S = 2.5
Way = Literal["in", "out"]

class Box:
    def put(self, thing, deep=False):
        """Put it in."""
        log.warning("%s comes", thing)
        if self.full and not deep:
            raise ValueError("too full to take it")
        self.count += 1
        return self.count >= MOST
'''


def wrongs(tmp_path: Path) -> list[str]:
    (tmp_path / "box.py").write_text(SOURCE)
    found = mutants(Path("box.py"), tmp_path)
    for one in found:
        ast.parse(one.apply(SOURCE.encode()))
    return [one.name.removeprefix("box.py ") for one in found]


def test_each_wrong_is_one_small_change_that_still_is_python(tmp_path: Path) -> None:
    assert wrongs(tmp_path) == [
        "-: 3 -> 4",
        "-: 3 -> (2)",
        "Box: False -> True",
        "Box.put: self.full and not deep -> (not (self.full and (not deep)))",
        "Box.put: self.full and not deep -> (self.full or not deep)",
        "Box.put: not deep -> (deep)",
        'Box.put: raise ValueError("too full to take it") -> pass',
        "Box.put: self.count += 1 -> pass",
        "Box.put: 1 -> 2",
        "Box.put: 1 -> (0)",
        "Box.put: return self.count >= MOST -> return None",
        "Box.put: self.count >= MOST -> (self.count > MOST)",
    ]


def test_a_seed_gives_the_same_sample_every_time() -> None:
    path = [Path("core/ima2/jobs")]
    first, again, other = (sample(path, 20, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 20


def test_what_changes_nothing_is_listed_with_a_reason_and_still_exists() -> None:
    listed = equivalents()
    lines = [one for one in (ROOT / "tests/mutants/equivalent.txt").read_text().splitlines() if one and one[0] != "#"]
    assert len(listed) == len(lines)
    files = sorted({Path(name.split(" ")[0]) for name in listed})
    there = {one.name for file in files for one in mutants(file, ROOT)}
    assert listed - there == set()
