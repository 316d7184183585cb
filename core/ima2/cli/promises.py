"""Where a job's files were to go, kept while nobody waits for it: ``ima2 wait`` and ``get`` put them there."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from ima2.cli.destination import Destination
from ima2.files import private_folder, write_whole
from ima2.settings import paths


def remember_promise(request_id: str, destination: Destination) -> None:
    """Remember where the files of a job go, if that is anywhere but the gallery. Trouble with this is no failure."""
    if destination.stdout or destination.text or not (destination.file or destination.folder):
        return
    file, folder = (one and str(one.absolute()) for one in (destination.file, destination.folder))
    with suppress(OSError):
        path = _file(request_id)
        write_whole(private_folder(path.parent) / path.name, json.dumps({"file": file, "folder": folder}).encode())


def recall_promise(request_id: str, gallery: Path) -> Destination | None:
    """Where the files of a job were to go, if that was said."""
    try:
        stored = json.loads(_file(request_id).read_bytes())
        file, folder = stored["file"], stored["folder"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return Destination(gallery, Path(file) if file else None, Path(folder) if folder else None, named=True)


def forget_promise(request_id: str) -> None:
    """Forget a promise that was kept."""
    with suppress(OSError):
        _file(request_id).unlink()


def _file(request_id: str) -> Path:
    name = hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return paths.config_dir() / "state" / "promises" / f"{name}.json"
