"""Reads who imports whom from source code, without running it, and holds it against rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OURS = frozenset(
    {"idp_finetuning", "idp_local", "idp_sdk", "idp_cli", "lambdas", "stacks", "app", "tests", "benchmarks"}
)


class Import(NamedTuple):
    """One imported name in full, for example idp_finetuning.deployment.FUNCTIONS, and where it stands."""

    name: str
    file: Path
    line: int


class Rule(NamedTuple):
    """What the code at a place (a file or folder of the repository) may import.

    `ours`: allowed modules of this repository, what is below them included, less those in `but_not`;
    `never`: packages of others that are not allowed; a more special rule for a place wins over a general one.
    """

    place: str
    ours: tuple[str, ...]
    but_not: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def imports_of(file: Path, root: Path) -> Iterator[Import]:
    """Every import in a file, wherever it stands in it; relative ones in full. `root` is what modules count from."""
    package = file.relative_to(root).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, file, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join((*package[: len(package) - node.level + 1], *filter(None, [node.module])))
            origin = base if node.level else node.module or ""
            yield from (Import(f"{origin}.{alias.name}", file, node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__") and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield Import(argument.value, file, node.lineno)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def python_files(root: Path) -> list[Path]:
    """The repository's own code: app.py, lambdas/, stacks/ and src/."""
    folders = [root / "lambdas", root / "stacks", root / "src"]
    return [*root.glob("*.py"), *(file for folder in folders for file in sorted(folder.rglob("*.py")))]


def rule_for(file: Path, root: Path, rules: tuple[Rule, ...]) -> Rule | None:
    """The most special rule whose place holds the file."""
    path = file.relative_to(root)
    holding = [rule for rule in rules if path.is_relative_to(rule.place)]
    return max(holding, key=lambda rule: len(rule.place), default=None)


def violations(root: Path, rules: tuple[Rule, ...]) -> list[str]:
    """`<file>:<line> imports <name>` for every import that its rule does not allow, and files without a rule."""
    found = []
    for file in python_files(root):
        path = file.relative_to(root)
        rule = rule_for(file, root, rules)
        if rule is None:
            found.append(f"{path} has no rule")
            continue
        base = root / "src" if path.is_relative_to("src") else root
        found.extend(
            f"{path}:{item.line} imports {item.name}" for item in imports_of(file, base) if not _allowed(item, rule)
        )
    return found


def _allowed(item: Import, rule: Rule) -> bool:
    if _within(item.name, rule.but_not) or _within(item.name, rule.never):
        return False
    return item.name.split(".")[0] not in OURS or _within(item.name, rule.ours)


def _within(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def loaded_by(package: str, root: Path) -> set[str]:
    """Names of others' packages that importing this package of src/ loads, through all of our own modules.

    Counts every import of a module, those inside functions excepted.
    """
    source = root / "src"
    loaded: set[str] = set()
    seen: set[Path] = set()
    waiting = sorted((source / package).rglob("*.py"))
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        inside = _lines_in_functions(file)
        for item in imports_of(file, source):
            if item.line in inside:
                continue
            files = [path for path in _files_of(item.name, source) if path.is_file()]
            waiting.extend(files)
            if not files:
                loaded.add(item.name.split(".")[0])
    return loaded


def _lines_in_functions(file: Path) -> set[int]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, functions)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def _files_of(name: str, source: Path) -> Iterator[Path]:
    """Files that importing a.b.c runs: the packages on the way and the module, whichever of them exist."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        place = source.joinpath(*parts[:length])
        yield place / "__init__.py"
        yield place.with_suffix(".py")
