"""Places at GitHub as people write them, read strictly: nothing of them reaches an address unchecked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import ima2
from ima2_plugins.prompts.importing.errors import invalid, unsupported_extension
from ima2_plugins.prompts.importing.extraction import EXTENSIONS

_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_REPO = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_REF = re.compile(r"(?!.*\.\.)[A-Za-z0-9._-]{1,200}")
_SHORT = re.compile(r"(?P<owner>[^/:@\s]+)/(?P<repo>[^/:@\s]+)(?:@(?P<ref>[^:\s]+))?:(?P<path>.*)", re.DOTALL)
_HOSTS = ("github.com", "www.github.com")
_RAW_HOST = "raw.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder of a repository. ``tree`` says that it came as the address of a folder, whose ref may in truth
    have had a slash when the path has several parts."""

    owner: str
    repo: str
    ref: str
    path: str
    tree: bool = False

    @property
    def extension(self) -> str:
        """Of the file's name, in lower case; empty where it has none."""
        name = self.path.rpartition("/")[2]
        return name.rpartition(".")[2].lower() if "." in name else ""

    @property
    def ambiguous(self) -> bool:
        """Whether the ref may have been longer."""
        return self.tree and "/" in self.path

    def raw_url(self, base: str) -> str:
        """Where the file's bytes are."""
        return f"{base.rstrip('/')}/{self.owner}/{self.repo}/{quote(self.ref)}/{quote(self.path)}"

    def html_url(self, kind: str = "blob") -> str:
        """Where people look at it."""
        return f"https://github.com/{self.owner}/{self.repo}/{kind}/{quote(self.ref)}/{quote(self.path)}".rstrip("/")

    def api_path(self) -> str:
        """Where the folder is listed."""
        return f"/repos/{self.owner}/{self.repo}/contents/{quote(self.path)}?ref={quote(self.ref)}"

    @property
    def origin(self) -> dict[str, Any]:
        """What clients are told of a file."""
        names = {"owner": self.owner, "repo": self.repo, "ref": self.ref, "path": self.path}
        return {"kind": "github", **names, "htmlUrl": self.html_url()}

    @property
    def tags(self) -> list[str]:
        """What prompts of the file are tagged with."""
        name = self.path.rpartition("/")[2]
        return ["github", f"repo:{self.owner}/{self.repo}", f"ref:{self.ref}", f"file:{name}", f"ext:{self.extension}"]


def file_place(value: Any) -> Place:
    """The file that a text names. Raises the refusals of `http-library` previews."""
    text = _text(value)
    if "://" in text:
        place = _file_of_url(text)
    elif found := _SHORT.fullmatch(text):
        if "/" in (found["ref"] or ""):
            raise ima2.Ima2Error("AMBIGUOUS_GITHUB_REF", 400, "A branch with a slash cannot be named like this.")
        place = Place(found["owner"], found["repo"], found["ref"] or "main", _path(found["path"]))
    else:
        raise invalid("Name a file at GitHub by its address, or as owner/repo[@ref]:path.")
    if not place.extension:
        raise deferred()
    if place.extension not in EXTENSIONS:
        raise unsupported_extension()
    return check_names(place)


def folder_place(value: Any) -> Place:
    """The folder that a text names."""
    text = _text(value)
    if "://" in text:
        parts = _segments(text)
        if len(parts) < 4 or parts[2] != "tree":
            raise _no_folder()
        return check_names(Place(parts[0], parts[1], parts[3], "/".join(parts[4:]), tree=True))
    found = _SHORT.fullmatch(text)
    if found is None:
        raise _no_folder()
    if "/" in (found["ref"] or ""):
        raise ima2.Ima2Error("AMBIGUOUS_GITHUB_REF", 422, "A branch with a slash cannot be named like this.")
    path = _path(found["path"].strip("/")) if found["path"].strip("/") else ""
    return check_names(Place(found["owner"], found["repo"], found["ref"] or "main", path))


def check_names(place: Place) -> Place:
    """The place, or 400 for names that GitHub cannot have."""
    if not _OWNER.fullmatch(place.owner) or not _REPO.fullmatch(place.repo) or not _REF.fullmatch(place.ref):
        raise invalid("Owner, repository or ref is none that GitHub has.")
    return place


def repo_path(value: str) -> str:
    """A plain path inside a repository; 400 for any other."""
    return _path(value)


def deferred() -> ima2.Ima2Error:
    """422 ``FOLDER_IMPORT_DEFERRED``."""
    text = "This names no file. Folders are imported by their own route, with the address of the folder."
    return ima2.Ima2Error("FOLDER_IMPORT_DEFERRED", 422, text)


def _no_folder() -> ima2.Ima2Error:
    text = "Name a folder at GitHub by its address (…/tree/…), or as owner/repo[@ref]:path."
    return ima2.Ima2Error("GITHUB_FOLDER_UNSUPPORTED", 422, text)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 2000 or "\x00" in value:
        raise invalid("Name a place at GitHub.")
    return value.strip()


def _file_of_url(text: str) -> Place:
    host = _host(text)
    parts = _segments(text)
    if host == _RAW_HOST:
        if len(parts) < 4:
            raise deferred()
        return Place(parts[0], parts[1], parts[2], "/".join(parts[3:]))
    if len(parts) < 5 or parts[2] != "blob":
        raise deferred()
    return Place(parts[0], parts[1], parts[3], "/".join(parts[4:]))


def _host(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise invalid("This is no address.") from None
    if parts.scheme not in ("http", "https"):
        raise invalid("Only http and https addresses of GitHub are read.")
    if host not in (*_HOSTS, _RAW_HOST) or port is not None or parts.username is not None:
        raise invalid("Only addresses of GitHub are read.")
    return host


def _segments(text: str) -> list[str]:
    _host(text)
    path = urlsplit(text).path.strip("/")
    if not path:
        return []
    return [part for one in path.split("/") for part in [_segment(one)]]


def _path(text: str) -> str:
    return "/".join(_segment(one) for one in text.split("/"))


def _segment(raw: str) -> str:
    """One part of a path, decoded once."""
    part = unquote(raw)
    if not part or part in (".", "..") or re.search(r"[/\\\x00-\x1f\x7f?#]|%2f|%5c|%00|%2e%2e", part, re.IGNORECASE):
        raise invalid("The path leads out of the repository, or is none.")
    return part
