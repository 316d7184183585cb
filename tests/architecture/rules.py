"""The rules of who may import whom, as code: read from the syntax tree, nothing is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE, PLUGINS = ROOT / "core", ROOT / "plugins"
PROVIDERS = {name: ROOT / f"ima2-provider-{name}" / "src" for name in ("grok", "gemini")}

LAYERS = (
    "version deprecation keys errors aliases models capabilities files logs event_stream client",
    "contracts offers library_api interfaces media network settings database streams",
    "kernel events",
    "jobs library catalogue command_table storage_report",
    "studio",
    "runtime",
    "server cli testing web terminal scripts",
    "__main__",
)
"""From the ground up. A module may import its own layer and those below it."""
_LEVELS = {name: level for level, names in enumerate(LAYERS) for name in names.split()}


def level_of(module: str) -> int:
    """The layer of a module of the core, by the part after ``ima2.``; the package itself is above the ground."""
    part = module.split(".")[1] if "." in module else ""
    return _LEVELS[part] if part else 0


def imports(source: str) -> Iterator[tuple[str, bool]]:
    """Every module a source imports, and whether that is at run time: imports for type checking are not."""
    tree = ast.parse(source)
    quiet = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in quiet) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}" if node.module == "ima2" else node.module
                yield whole, id(node) not in quiet


def module_name(path: Path, root: Path) -> str:
    """The dotted name of a file below a source root."""
    parts = list(path.relative_to(root).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def core_violations(name: str, source: str) -> list[str]:
    """What a file of the core may not import: a plugin, or a layer above its own."""
    found = []
    for target, at_run_time in imports(source):
        package = target.split(".")[0]
        if package.startswith(("ima2_plugins", "ima2_provider")):
            found.append(f"{name} imports the plugin {target}")
        elif package == "ima2" and at_run_time and target != "ima2" and target.split(".")[1] in _LEVELS:
            server_from_cli = name.startswith("ima2.cli") and target.startswith("ima2.server")
            if name != "ima2" and level_of(target) > level_of(name):
                found.append(f"{name} imports {target}, which is above it")
            elif server_from_cli and name not in {"ima2.cli.commands.serve", "ima2.cli.inprocess"}:
                found.append(f"{name} imports the server; only ima2.cli.commands.serve and ima2.cli.inprocess may")
    return found


def plugin_violations(name: str, source: str, public: frozenset[str]) -> list[str]:
    """What a plugin may not import: anything of ima2 but its public names, and any other plugin."""
    own = ".".join(name.split(".")[:2]) if name.startswith("ima2_plugins") else name.split(".")[0]
    found = []
    for target, _ in imports(source):
        package = target.split(".")[0]
        if package == "ima2" and target != "ima2" and target.removeprefix("ima2.") not in public:
            found.append(f"{name} imports {target}, which is not public")
        elif package == "ima2_plugins" and not (target + ".").startswith(own + "."):
            found.append(f"{name} imports another plugin: {target}")
        elif package.startswith("ima2_provider") and package != own:
            found.append(f"{name} imports another package: {target}")
    return found


def spelled_ids(source: str, ids: frozenset[str]) -> list[str]:
    """String literals of a source, docstrings aside, that are exactly a provider's id."""
    tree = ast.parse(source)
    words = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value in ids
        and id(node) not in words
    ]


def importers(package: str, root: Path) -> list[str]:
    """The files below a root that import a package, by name."""
    pattern = re.compile(rf"^{re.escape(package)}(\.|$)")
    return sorted(
        module_name(path, root)
        for path in root.rglob("*.py")
        if any(pattern.match(target) for target, _ in imports(path.read_text()))
    )
