"""Lists of lines that templates draw from: text files in one folder, a line each; ``#`` begins a remark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ima2
from ima2_plugins.prompts.templates.syntax import NAME

MOST_BYTES, MOST_LINES, LINE_CHARS = 1_048_576, 20_000, 4_000
_NAME = re.compile(NAME)


class Lists:
    """The files of a folder. All methods block: ask them off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lines(self, name: str) -> list[str]:
        """The lines of a list. 400 ``TEMPLATE_LIST_NOT_FOUND``, ``TEMPLATE_LIST_EMPTY``, ``TEMPLATE_LIST_INVALID``."""
        path = self._path(name)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise _invalid(name, f"is larger than {MOST_BYTES} bytes")
            text = path.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            raise ima2.Ima2Error("TEMPLATE_LIST_NOT_FOUND", 400, f"There is no list {name}.") from None
        except (OSError, UnicodeError):
            raise _invalid(name, "cannot be read, or is no UTF-8 text") from None
        found = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if not found:
            raise ima2.Ima2Error("TEMPLATE_LIST_EMPTY", 400, f"The list {name} has no lines.")
        return found[:MOST_LINES]

    def all(self) -> dict[str, Any]:
        """Every list with its number of lines; those that cannot be used are told beside them."""
        rows, warnings = [], []
        for path in sorted(self._folder.glob("*.txt")) if self._folder.is_dir() else []:
            try:
                rows.append({"name": path.stem, "lines": len(self.lines(path.stem))})
            except ima2.Ima2Error as error:
                warnings.append(error.text)
        return {"lists": rows, "warnings": warnings}

    def write(self, name: str, lines: Sequence[Any]) -> int:
        """Replace a list, whole or not at all; the number of its lines."""
        if len(lines) > MOST_LINES or not all(isinstance(one, str) and len(one) <= LINE_CHARS for one in lines):
            raise _invalid(name, f"takes at most {MOST_LINES} lines of {LINE_CHARS} characters")
        texts = [" ".join(one.split()) for one in lines if one.strip()]
        data = "".join(f"{one}\n" for one in texts).encode("utf-8", "replace")
        used = [one for one in texts if not one.startswith("#")]
        if not used or len(data) > MOST_BYTES:
            raise _invalid(name, "needs lines" if not used else f"is larger than {MOST_BYTES} bytes")
        path = self._path(name)
        ima2.private_folder(self._folder)
        ima2.write_whole(path, data)
        return len(used)

    def delete(self, name: str) -> None:
        """Remove a list. 400 ``TEMPLATE_LIST_NOT_FOUND``."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            raise ima2.Ima2Error("TEMPLATE_LIST_NOT_FOUND", 400, f"There is no list {name}.") from None

    def _path(self, name: str) -> Path:
        path = self._folder / f"{name}.txt"
        fits = _NAME.fullmatch(name) and path.resolve().parent == self._folder.resolve()
        if not fits or (path.exists() and not path.is_file()):
            raise ima2.Ima2Error("TEMPLATE_LIST_NOT_FOUND", 400, "There is no list of this name, nor can there be.")
        return path


def _invalid(name: str, why: str) -> ima2.Ima2Error:
    return ima2.Ima2Error("TEMPLATE_LIST_INVALID", 400, f"The list {name} {why}.")
