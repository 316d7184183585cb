"""config.json: read strictly, written whole, shown without its secrets. Standard library only."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ima2.errors import Ima2Error
from ima2.files import private_folder, write_whole

REDACTED = "<redacted>"
_SECRET_KEY = re.compile(r"token|secret|api[-_]?key|password|service[-_]?account|private[-_]?key", re.IGNORECASE)
_LOGIN_IN_URL = re.compile(r"(://)[^/@\s]+@")


def is_secret(key: str) -> bool:
    """Whether a key's name says that its value must not be shown."""
    return bool(_SECRET_KEY.search(key))


def redacted(document: Any) -> Any:
    """A copy in which every secret, at any depth, and every login inside a URL reads ``<redacted>``."""
    if isinstance(document, dict):
        return {key: REDACTED if is_secret(key) and value else redacted(value) for key, value in document.items()}
    if isinstance(document, list):
        return [redacted(value) for value in document]
    return _LOGIN_IN_URL.sub(rf"\1{REDACTED}@", document) if isinstance(document, str) else document


def find(document: Mapping[str, Any], dotted: str, default: Any = None) -> Any:
    """The value at a dotted key; ``default`` where a step is missing or is no object."""
    value: Any = document
    for step in dotted.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return default
        value = value[step]
    return value


def put(document: dict[str, Any], dotted: str, value: Any) -> None:
    """Set a dotted key in place, making the objects on the way. A value in the way that is no object is `Ima2Error`."""
    *parents, last = dotted.split(".")
    for depth, step in enumerate(parents, 1):
        below = document.setdefault(step, {})
        if not isinstance(below, dict):
            raise _invalid(f"{'.'.join(parents[:depth])} is not an object, so {dotted} cannot be set below it")
        document = below
    document[last] = value


def take(document: dict[str, Any], dotted: str) -> bool:
    """Remove a dotted key in place, with the parents that this empties. Says whether it was there."""
    step, _, rest = dotted.partition(".")
    if step not in document:
        return False
    if not rest:
        del document[step]
        return True
    below = document[step]
    if not isinstance(below, dict) or not take(below, rest):
        return False
    if not below:
        del document[step]
    return True


class ConfigFile:
    """One config.json. A missing file reads as empty; a malformed one is never overwritten."""

    redacted = staticmethod(redacted)

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """The document. Raises `Ima2Error` ``CONFIG_INVALID`` naming file and place, never what stands there."""
        try:
            text = self.path.read_text(encoding="utf-8-sig")
            document = json.loads(text) if text.strip() else {}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _invalid(f"{self.path} cannot be read: {error.strerror or 'input/output error'}") from None
        except UnicodeDecodeError:
            raise _invalid(f"{self.path} is not UTF-8 text") from None
        except json.JSONDecodeError as error:
            place = f"line {error.lineno} column {error.colno}"
            raise _invalid(
                f"{self.path} is not valid JSON ({place}: {error.msg}); correct it or move it away"
            ) from None
        except (ValueError, RecursionError):
            raise _invalid(f"{self.path} is not usable JSON; correct it or move it away") from None
        if not isinstance(document, dict):
            raise _invalid(f"{self.path} holds no JSON object; correct it or move it away")
        return document

    def get(self, dotted: str, default: Any = None) -> Any:
        """The stored value at a dotted key."""
        return find(self.read(), dotted, default)

    def set(self, dotted: str, value: Any) -> None:
        """Store one value; everything else in the file is kept."""
        self.change(lambda document: put(document, dotted, value))

    def remove(self, dotted: str) -> bool:
        """Remove one value, and the objects that this empties. Says whether it was there."""
        return bool(self.change(lambda document: take(document, dotted)))

    def change(self, edit: Callable[[dict[str, Any]], Any]) -> Any:
        """Read, edit in place, write whole (0600 in a 0700 folder), alone among processes. Returns ``edit``'s answer.

        A file that ``edit`` leaves as it was is not written.
        """
        target = self.path.resolve() if self.path.is_symlink() else self.path
        private_folder(target.parent)
        with _alone(target.parent):
            document = self.read()
            before = json.dumps(document)
            answer = edit(document)
            if json.dumps(document) != before:
                text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
                write_whole(target, text.encode())
        return answer


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's advisory lock, where the system has such locks; it leaves no file behind."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _invalid(text: str) -> Ima2Error:
    return Ima2Error("CONFIG_INVALID", 500, f"{text}.")
