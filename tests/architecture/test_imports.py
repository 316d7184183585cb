"""Who may import whom, and that the guard itself can bark."""

from __future__ import annotations

from pathlib import Path

import pytest

import ima2
from tests.architecture.rules import (
    CORE,
    PLUGINS,
    PROVIDERS,
    core_violations,
    importers,
    module_name,
    plugin_violations,
    spelled_ids,
)

PUBLIC = frozenset(ima2.__all__)
IDS = frozenset({"oauth", "api", "grok", "grok-api", "agy", "gemini-api", "gemini", "demo", "progrok", "openai_api"})
LARGEST = 400


def sources(root: Path) -> list[Path]:
    return sorted(root.rglob("*.py"))


def test_the_core_imports_no_plugin_and_nothing_above_itself() -> None:
    found = [line for path in sources(CORE) for line in core_violations(module_name(path, CORE), path.read_text())]
    assert found == []


def test_plugins_import_only_public_names_and_never_each_other() -> None:
    found = []
    for root in (PLUGINS, *PROVIDERS.values()):
        for path in sources(root):
            found += plugin_violations(module_name(path, root), path.read_text(), PUBLIC)
    assert found == []


def test_the_core_spells_no_providers_id() -> None:
    found = {path.name: spelled_ids(path.read_text(), IDS) for path in sources(CORE)}
    assert {name: ids for name, ids in found.items() if ids} == {}


@pytest.mark.parametrize(("package", "home"), [("pluggy", "ima2.kernel.hooks"), ("stevedore", "ima2.kernel.discovery")])
def test_each_foundation_is_imported_in_one_file(package: str, home: str) -> None:
    assert importers(package, CORE) == [home]
    assert all(importers(package, root) == [] for root in (PLUGINS, *PROVIDERS.values()))


def test_no_file_has_grown_beyond_its_subject() -> None:
    roots = (CORE, PLUGINS, *PROVIDERS.values())
    long = {module_name(path, root): len(path.read_text().splitlines()) for root in roots for path in sources(root)}
    assert {name: lines for name, lines in long.items() if lines > LARGEST} == {}


def test_the_kernel_stays_small_enough_to_be_read() -> None:
    files = [*sources(CORE / "ima2" / "kernel"), *(CORE / "ima2" / name for name in ("contracts.py", "models.py"))]
    assert sum(len(path.read_text().splitlines()) for path in files) <= 2500


def test_the_public_names_are_real_and_named_once() -> None:
    assert len(set(ima2.__all__)) == len(ima2.__all__)
    assert all(hasattr(ima2, name) for name in ima2.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ima2.nothing


# -- the guard, guarded ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("ima2.studio.studio", "from ima2_plugins.demo import x"),
        ("ima2.server.app", "import ima2_provider_grok.provider"),
        ("ima2.models", "from ima2.contracts import Part"),
        ("ima2.jobs.jobs", "def f():\n    from ima2.studio.studio import Studio"),
        ("ima2.studio.studio", "from ima2.server.app import create_app"),
        ("ima2.cli.commands.gen", "from ima2.server.app import create_app"),
    ],
)
def test_a_planted_violation_in_the_core_is_found(name: str, source: str) -> None:
    assert core_violations(name, source)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("ima2_plugins.demo.provider", "from ima2.kernel.boot import boot"),
        ("ima2_plugins.demo.provider", "import ima2.server.app"),
        ("ima2_plugins.demo.provider", "from ima2_plugins.sse.ring import Ring"),
        ("ima2_provider_grok.provider", "from ima2.jobs.jobs import Jobs"),
        ("ima2_provider_grok.provider", "import ima2_provider_gemini"),
    ],
)
def test_a_planted_violation_in_a_plugin_is_found(name: str, source: str) -> None:
    assert plugin_violations(name, source, PUBLIC)


def test_what_is_allowed_is_not_reported() -> None:
    assert core_violations("ima2.cli.commands.serve", "from ima2.server.run import run") == []
    deferred = "if TYPE_CHECKING:\n    from ima2.kernel.context import PluginContext"
    assert core_violations("ima2.contracts", deferred) == []
    assert plugin_violations("ima2_plugins.demo.provider", "from ima2_plugins.demo.sky import Sky", PUBLIC) == []
    assert plugin_violations("ima2_provider_grok.x", "import ima2\nfrom ima2 import Provider", PUBLIC) == []


def test_a_planted_id_is_found_but_not_in_a_docstring() -> None:
    assert spelled_ids('x = {"grok": 1}', IDS) == ["grok"]
    assert spelled_ids('"""grok"""\ny = "grokking"', IDS) == []
