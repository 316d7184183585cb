"""Whether a plugin's package was made for this version, asked before anything of it is imported."""

from __future__ import annotations

import re

from ima2.kernel.discovery import PluginRecord
from ima2.version import VERSION

_OURS = re.compile(r"ima2(?![A-Za-z0-9._-])", re.IGNORECASE)


def check(record: PluginRecord, version: str = VERSION) -> bool:
    """Whether a plugin may be imported here; a record whose package requires another ima2 has failed."""
    if record.package and record.package.lower() != "ima2":
        record.api = oldest_version(record.requires)
        if not record.api:
            record.warnings.append(f"{record.package} does not say which ima2 it needs: add ima2>=3,<4 to it")
    wanted = unmet(record.requires, version)
    if wanted is not None:
        way_out = f"Update ima2, or install a {record.package or record.name} made for it"
        record.fail("requirement", f"needs ima2{wanted}, this is {version}. {way_out}.")
    return wanted is None


def unmet(requires: tuple[str, ...], version: str = VERSION) -> str | None:
    """The specifier on ima2 that ``version`` does not meet, or ``None``. Requirements of extras do not count."""
    ours = [line for line in requires if _OURS.match(line)]
    if not ours:
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    for line in ours:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            return " in a way that cannot be read"
        applies = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
        if applies and not wanted.specifier.contains(version, prereleases=True):
            return str(wanted.specifier)
    return None


def oldest_version(requires: tuple[str, ...]) -> str:
    """The oldest ima2 that a package's requirement names, as ``3`` or ``3.1``; nothing where it names none."""
    lines = " ".join(line.partition(";")[0] for line in requires if _OURS.match(line))
    lowest = re.search(r"(?:>=|~=|==)\s*(\d+(?:\.\d+)*)", lines)
    return lowest[1] if lowest else ""
