"""The documentation says what the code does: hooks, tables, examples, links."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import ima2
import tests.docs as generated
from ima2.kernel import hookspecs
from ima2.kernel.hooks import Hooks
from ima2.testing import ProviderContract, context

ROOT = Path(__file__).parents[2]
HOOKS_PAGE = ROOT / "docs/hooks.md"
SECTION = re.compile(r"^## `(ima2_\w+)\((.*)\)`$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
OURS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)


def sections(text: str) -> dict[str, tuple[str, str]]:
    """Of a page of hooks: each hook's argument list and what its section says."""
    pieces = SECTION.split(text)
    return {name: (arguments, body) for name, arguments, body in zip(*[iter(pieces[1:])] * 3, strict=True)}


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def module(code: str, name: str) -> ModuleType:
    """A module of some code of the documentation."""
    made = ModuleType(name)
    exec(compile(code, f"<{name}>", "exec"), made.__dict__)
    return made


def undocumented(text: str) -> list[str]:
    """Hooks that a page does not name with exactly their arguments, and sections that are no hook."""
    told = sections(text)
    specs = {name: getattr(hookspecs, name) for name in hookspecs.HOOKS}
    wrong = [
        name
        for name, spec in specs.items()
        if told.get(name, (None,))[0] != ", ".join(inspect.signature(spec).parameters)
    ]
    return [*wrong, *(name for name in told if name not in specs)]


# -- hooks --------------------------------------------------------------------------------------


def test_every_hook_has_a_section_with_its_argument_list() -> None:
    assert undocumented(HOOKS_PAGE.read_text()) == []


def test_a_hook_with_another_argument_list_would_be_found() -> None:
    text = HOOKS_PAGE.read_text().replace("## `ima2_panels(ctx)`", "## `ima2_panels(ctx, request)`")
    assert undocumented(text + "\n## `ima2_colours(ctx)`\n") == ["ima2_panels", "ima2_colours"]


def test_every_hook_says_since_when_and_when_it_is_called() -> None:
    for name, (_, body) in sections(HOOKS_PAGE.read_text()).items():
        assert "Since 3." in body, name
        assert "Called " in body, name
        assert len(blocks(body, "python")) == 1, name


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
def test_every_example_of_a_hook_is_a_plugin_that_works(hook: str, tmp_path: Path) -> None:
    example = module(blocks(sections(HOOKS_PAGE.read_text())[hook][1], "python")[0], f"example_of_{hook}")
    hooks = Hooks()
    assert hooks.register("example", example) == []
    assert hooks.hooks_of("example") == [hook]
    takes_ctx = "ctx" in inspect.signature(getattr(hookspecs, hook)).parameters
    arguments = {"ctx": context(tmp_path)} if takes_ctx else {}
    assert hooks.call("example", hook, **arguments)


def test_every_hook_has_a_test_that_is_named_after_it() -> None:
    named = set(_test_names())
    assert [hook for hook in hookspecs.HOOKS if f"test_hook_{hook}" not in named] == []


def _test_names() -> Iterator[str]:
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name


def unexplained(text: str) -> list[str]:
    """Public names that a page has no section for, and sections that are no public name."""
    told = re.findall(r"^### `(\w+)`", text, re.MULTILINE)
    return sorted(set(ima2.__all__) ^ set(told)) + [name for name in set(told) if told.count(name) > 1]


def test_every_public_name_has_a_section() -> None:
    assert unexplained((ROOT / generated.NAMES_PAGE).read_text()) == [], "run: python -m tests.docs"


def test_a_name_without_a_section_would_be_found() -> None:
    text = (ROOT / generated.NAMES_PAGE).read_text().replace("### `Sizes`", "### `Shapes`")
    assert unexplained(text) == ["Shapes", "Sizes"]


# -- examples -----------------------------------------------------------------------------------


def lines_of(code: str) -> int:
    """Lines that are not blank."""
    return sum(1 for line in code.splitlines() if line.strip())


async def test_the_plugin_of_the_readme_has_twelve_lines_and_draws(ima2_client: Any) -> None:
    (code,) = blocks((ROOT / "README.md").read_text(), "python")
    assert lines_of(code) == 12
    async with ima2_client(plain=module(code, "readme")) as client:
        answer = await client.post("/api/generate", json={"prompt": "sea", "provider": "plain"})
        assert answer.status_code == 200, answer.text
        assert (await client.get(answer.json()["url"])).content.startswith(b"\x89PNG")


def test_the_package_of_the_provider_page_is_as_short_as_it_says() -> None:
    page = (ROOT / "docs/write-a-provider.md").read_text()
    assert lines_of(blocks(page, "python")[0]) == 12
    assert lines_of(blocks(page, "toml")[0]) == 10
    assert blocks((ROOT / "README.md").read_text(), "python") == blocks(page, "python")[:1]


class TestThePlainProvider(ProviderContract):
    """The provider of the documentation keeps the contract it recommends."""

    @pytest.fixture
    def provider(self) -> Any:
        return module(blocks((ROOT / "README.md").read_text(), "python")[0], "readme").Plain()


@pytest.mark.parametrize("page", ["docs/write-a-provider.md", "docs/testing.md"])
def test_the_tests_that_the_pages_show_pass(page: str, tmp_path: Path) -> None:
    code = blocks((ROOT / page).read_text(), "python")
    shown = [text for text in code if "async def test_" in text or "Contract)" in text]
    assert shown
    plain = blocks((ROOT / "docs/write-a-provider.md").read_text(), "python")[0]
    (tmp_path / "ima2_provider_plain.py").write_text(plain)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    )
    for number, text in enumerate(shown):
        (tmp_path / f"test_{number}.py").write_text(text)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


# -- tables and links ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", generated.PAGES)
def test_generated_tables_are_up_to_date(page: str) -> None:
    text = (ROOT / page).read_text()
    assert generated.filled(text, generated.tables()) == text, "run: python -m tests.docs"


def test_a_provider_that_changes_would_change_its_table() -> None:
    text = (ROOT / "docs/providers.md").read_text()
    assert generated.filled(text, {**generated.tables(), "providers": "| other |"}) != text


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    assert list(broken(path, path.read_text())) == []


def test_a_link_that_leads_nowhere_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One thing\n")
    text = "# One thing\n[a](page.md#one-thing) [b](page.md#another) [c](missing.md) [d](#one-thing)"
    assert list(broken(page, text)) == ["page.md#another", "missing.md"]


def broken(path: Path, text: str) -> Iterator[str]:
    """Links of a page to files or headings that are not there. Addresses elsewhere are not asked."""
    for match in LINK.finditer(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        known = anchors(text if not name else file.read_text()) if file.is_file() and anchor else {anchor}
        if not file.exists() or anchor not in known:
            yield target


def anchors(text: str) -> set[str]:
    """The headings of a page as they are addressed."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
