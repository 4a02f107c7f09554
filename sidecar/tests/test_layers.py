"""A part of the sidecar imports itself and the parts before it; the order is that of docs/design.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .engine import ROOT

SIDECAR = Path(ROOT) / "sidecar"
WHOLE = "sidecar"  # what is in no part: errors, which all know, and the process, which knows all
MAY_IMPORT = {
    "wire": set(),
    "native": set(),
    "stored": {"wire"},
    "model": {"native"},
    "inference": {"wire", "native", "model"},
    "vectors": {"wire", "native", "stored", "model", "inference"},
    "methods": {"wire", "native", "stored", "model", "inference", "vectors"},
    "sources": set(),
}
HOMES = {"peft": "model", "pyarrow": "stored", "sklearn": "vectors", "blake3": "stored"}


def modules() -> Iterator[tuple[Path, str]]:
    """Every module but the tests, with the part that it is in."""
    for file in sorted(SIDECAR.rglob("*.py")):
        part = file.relative_to(SIDECAR).parts[0]
        if part != "tests":
            yield file, WHOLE if part == file.name else part


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """What a module imports anywhere in it: how many dots are before each name, and the name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, f"{node.module}.{alias.name}" if node.module else alias.name) for alias in node.names)


def test_every_part_is_in_the_order() -> None:
    assert {part for _, part in modules()} == {*MAY_IMPORT, WHOLE}


def test_a_part_imports_what_it_may() -> None:
    wrong = []
    for file, part in modules():
        above = {name.split(".")[0] for level, name in imports(file) if level == 2}
        if part != WHOLE and (unknown := above - MAY_IMPORT[part] - {"errors"}):
            wrong.append(f"{part}/{file.name}: {', '.join(sorted(unknown))}")
        assert not any(level == 0 and name.split(".")[0] == "sidecar" for level, name in imports(file)), file
    assert wrong == []


def test_errors_import_nothing_of_the_sidecar() -> None:
    assert [name for level, name in imports(SIDECAR / "errors.py") if level > 0] == []


def test_each_package_is_imported_in_one_part() -> None:
    found = {
        package: {part for file, part in modules() if any(level == 0 and name.split(".")[0] == package for level, name in imports(file))}
        for package in HOMES
    }
    assert found == {package: {home} for package, home in HOMES.items()}
