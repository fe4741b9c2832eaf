"""Rules of the house that no linter knows, read off the syntax trees of the package and of its tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "vaultrag"
SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|REPLACE\s+INTO\s|PRAGMA\s"
    r"|VACUUM\b|WITH\s+\w+\s+AS\s|(CREATE|DROP|ALTER)\s+(TABLE|INDEX|TRIGGER|VIEW|VIRTUAL)\s)"
)


def trees(folder: Path) -> dict[str, ast.Module]:
    """Return the syntax tree of every module of a folder by its path below the root."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.py"))
    }


MODULES = trees(PACKAGE)


def _sql_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield f"line {node.lineno}: {node.value[:60]}"


def test_no_sql_stands_outside_the_store() -> None:
    found = {
        module: list(_sql_in(tree)) for module, tree in MODULES.items() if not module.startswith("vaultrag/store/")
    }
    assert {module: lines for module, lines in found.items() if lines} == {}


def test_rule_knows_the_sql_of_the_store() -> None:
    assert (
        sum(len(list(_sql_in(tree))) for module, tree in MODULES.items() if module.startswith("vaultrag/store/")) > 100
    )


@pytest.mark.parametrize("sentence", ["Select a note", "UPDATE VAULTRAG", "Delete it there", "with notes as links"])
def test_rule_takes_no_sentence_for_sql(sentence: str) -> None:
    assert not list(_sql_in(ast.parse(repr(sentence))))


JSON_OF_OTHERS = {"Health", "LoadedModel", "Readiness"}  # the wire's, of nouns that live above `domain`


def _classes() -> dict[str, list[str]]:
    """Return the modules that define each public class."""
    found: dict[str, list[str]] = {}
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(module)
    return found


def _is_noun_with_its_json(name: str, modules: list[str]) -> bool:
    others = [module for module in modules if not module.startswith("vaultrag/wire/")]
    return (
        len(modules) == 2 and len(others) == 1 and (others[0].startswith("vaultrag/domain/") or name in JSON_OF_OTHERS)
    )


def test_every_class_name_has_one_meaning() -> None:
    """Only a noun and its JSON share a name."""
    shared = {name: modules for name, modules in _classes().items() if len(modules) > 1}
    assert {name: modules for name, modules in shared.items() if not _is_noun_with_its_json(name, modules)} == {}


MOST_PUBLIC = 20  # methods and properties of one class: beyond, it hands out parts


def test_no_class_has_grown_too_many_methods() -> None:
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                methods = (item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef))
                public = {method.name for method in methods if not method.name.startswith("_")}
                assert len(public) <= MOST_PUBLIC, f"{module}: {node.name} has {len(public)}"


TESTS = trees(ROOT / "tests")


def test_no_test_module_is_imported() -> None:
    """What several tests share stands in a module of its own."""
    for module, tree in {**TESTS, **trees(ROOT / "benchmarks"), **trees(ROOT / "scripts")}.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tests"):
                assert not node.module.rpartition(".")[2].startswith("test_"), f"{module}, line {node.lineno}"


def _is_named_for_its_module(test: Path) -> bool:
    folder = PACKAGE / test.parent.relative_to("tests")
    named = {path.stem for path in folder.glob("*.py")} | {folder.name}
    subject = test.stem.removeprefix("test_")
    return any(subject == name or subject.startswith(f"{name}_") for name in named)


def test_every_test_is_found_by_the_name_of_its_module() -> None:
    """`tests/store/test_journal.py` tests `store/journal.py`, `test_journal_SUBJECT.py` one side of it.

    A folder's own name stands for all of it; what concerns the whole program lies in `tests/` itself.
    """
    inner = [Path(name) for name in TESTS if Path(name).name.startswith("test_") and Path(name).parent != Path("tests")]
    assert [str(path) for path in inner if not _is_named_for_its_module(path)] == []


MOST_MODULES = 16  # of one folder: more are not seen at a glance
MODULES_OF_THE_ROOT = 4


def test_no_folder_holds_too_many_modules() -> None:
    held: dict[str, int] = {}
    for module in MODULES:
        folder, _, name = module.rpartition("/")
        held[folder] = held.get(folder, 0) + (name != "__init__.py")
    assert held.pop("vaultrag") <= MODULES_OF_THE_ROOT
    assert {folder: count for folder, count in held.items() if count > MOST_MODULES} == {}
