"""Small wrongs that can be done to a file: one comparison, one limit, one constant, one call less."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SWAPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
DESCRIPTIONS = ("core/ima2/server/schemas.py", "core/ima2/server/examples.py")
"""Files that only describe, for people: the document of the HTTP API."""
UNSAID = ("log", "logger", "logging", "warnings")
"""Objects whose calls only tell people something."""
WAITS = ("_S", "_MS")
"""How names of constants end that are seconds or milliseconds."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong in one place. ``start`` and ``end`` are bytes of the file, ``within`` is the name of the function (or
    empty)."""

    path: Path
    line: int
    within: str
    start: int
    end: int
    before: str
    after: str

    @property
    def name(self) -> str:
        """What stays the same when the file moves around it."""
        return f"{self.path.as_posix()} {self.within or '-'}: {_short(self.before)} -> {_short(self.after)}"

    def apply(self, source: bytes) -> bytes:
        """The file with the wrong in it."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def mutants(path: Path, root: Path) -> list[Mutant]:
    """Every wrong of a file, in the order of the file."""
    source = (root / path).read_bytes()
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    return finder.found


class _Finder(ast.NodeVisitor):
    def __init__(self, path: Path, source: bytes) -> None:
        self.found: list[Mutant] = []
        self._path, self._source, self._names = path, source, [""]
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def _add(self, node: ast.expr | ast.stmt, after: str) -> None:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        end = self._lines[node.end_lineno - 1] + node.end_col_offset
        before = self._source[start:end].decode()
        self.found.append(Mutant(self._path, node.lineno, ".".join(self._names[1:]), start, end, before, after))

    # -- what is passed over: types, docstrings, what is only said -----------------------------------

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Types are no behaviour."""

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not (isinstance(node.value, ast.Name) and node.value.id == "Literal"):
            self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inside(node.name, node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for default in (*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)):
            self.visit(default)
        if not any("abstractmethod" in ast.unparse(one) for one in node.decorator_list):
            self._inside(node.name, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def _inside(self, name: str, body: list[ast.stmt]) -> None:
        self._names.append(name)
        for statement in body:
            self.visit(statement)
        self._names.pop()

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Sentences may be put in other words."""

    def visit_Call(self, node: ast.Call) -> None:
        if not _is_said(node):
            self.generic_visit(node)

    # -- statements --------------------------------------------------------------------------------------

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return
        called = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(called, ast.Call) and _is_said(called):
            return
        if isinstance(called, ast.Call):
            self._add(node, "pass")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if self._names[1:] and all(isinstance(one, ast.Attribute | ast.Subscript) for one in node.targets):
            self._add(node, "pass")
        private = any(isinstance(one, ast.Name) and one.id.startswith("__") for one in node.targets)
        if not private and not self._waits(node.targets):
            self.visit(node.value)

    def _waits(self, targets: list[ast.expr]) -> bool:
        """Whether a constant only says how long something takes: a test that noticed would have to wait as long."""
        return not self._names[1:] and all(isinstance(one, ast.Name) and one.id.endswith(WAITS) for one in targets)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._add(node, "pass")
        self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._add(node, "pass")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self._add(node, "return None")
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return
        self._deny(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._deny(node.test)
        self.generic_visit(node)

    # -- expressions ----------------------------------------------------------------------------------

    def _deny(self, test: ast.expr) -> None:
        if not isinstance(test, ast.Compare):  # its own operator is turned round below
            self._add(test, f"(not ({ast.unparse(test)}))")

    def visit_Compare(self, node: ast.Compare) -> None:
        for place, operator in enumerate(node.ops):
            operators = [*node.ops]
            operators[place] = SWAPS[type(operator)]()
            self._add(node, f"({ast.unparse(ast.Compare(node.left, operators, node.comparators))})")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self._add(node, f"({ast.unparse(ast.BoolOp(other, node.values))})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._add(node, f"({ast.unparse(node.operand)})")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        other = OPERATORS.get(type(node.op))
        if other is not None:
            self._add(node, f"({ast.unparse(ast.BinOp(node.left, other(), node.right))})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._add(node, repr(not value))
        elif isinstance(value, int | float):
            self._add(node, repr(value + 1))
            self._add(node, f"({value - 1!r})")
        elif isinstance(value, str) and value and " " not in value:
            self._add(node, repr(f"{value}X"))


def _is_said(node: ast.Call) -> bool:
    called = node.func
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in UNSAID


def _short(code: str) -> str:
    return " ".join(code.split())


def python_files(paths: Iterator[Path] | list[Path], root: Path) -> list[Path]:
    """The Python files at or below some paths, relative to the root, in order."""
    found: set[Path] = set()
    for path in paths:
        whole = root / path
        found |= set(whole.rglob("*.py")) if whole.is_dir() else {whole}
    relative = {one.relative_to(root) for one in found}
    return sorted(one for one in relative if one.suffix == ".py" and one.as_posix() not in DESCRIPTIONS)
