"""What a run left behind when the server that started it was killed: found by its name, cleared away afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ima2
from ima2_plugins.agy import artifact
from ima2_plugins.agy.failures import interruption_error

PREFIX = "ima2-agy-"


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one request: their folder, and the name of each picture, in their order."""

    folder: Path
    names: tuple[str, ...]

    def receipt(self) -> ima2.Receipt:
        """What is written down before the first run starts."""
        return ima2.Receipt(self.names[0], {"folder": str(self.folder), "names": list(self.names)})

    def place(self, index: int) -> Path:
        """The folder that one run works in."""
        return self.folder / str(index)


def runs_of(receipt: ima2.Receipt) -> Runs:
    """The runs that a receipt tells of; an unknown form of it names none of the folder's."""
    folder, names = receipt.data.get("folder"), receipt.data.get("names")
    known = [str(name) for name in names] if isinstance(names, Sequence) and not isinstance(names, str) else []
    return Runs(Path(str(folder or "")), tuple(known or [receipt.id]))


def collect_picture(runs: Runs, index: int, limit: int) -> ima2.Picture:
    """The picture of one run. Blocks. Raises 502 ``AGY_ARTIFACT_NOT_FOUND`` when it left none, else as
    `artifact.picture_at`."""
    folder = runs.place(index) if _is_ours(runs.folder) else Path(tempfile.gettempdir()) / "nowhere"
    path = artifact.find(runs.names[index], folder)
    if path is None:
        raise interruption_error()
    return artifact.picture_at(path, folder, limit)


def clear(runs: Runs) -> None:
    """Remove the folder of the runs, if it is one that this plugin made. Blocks."""
    if _is_ours(runs.folder):
        shutil.rmtree(runs.folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Whether a folder is one of those that runs are given."""
    return folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith(PREFIX) and not folder.is_symlink()
