"""Remembers which parts transformers has: `python -m sidecar.model.known_parts` writes it down, part of the set-up.

At each import transformers reads the source of every model that it knows, twice, to learn which classes are where. That
is most of the time its import takes, and what it finds is the same as long as the package is.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

READER = "transformers.utils.import_utils"
KNOWN = Path(sys.prefix) / "lib" / "dag-transformers.json"

# By the packages that they need, modules with the names that they define.
Parts = dict[frozenset[str], dict[str, set[str]]]


@contextmanager
def known_parts() -> Iterator[None]:
    """Transformers, when it is imported inside for the first time, takes its parts from what is known of it."""
    sys.meta_path.insert(0, Finder)
    try:
        yield
    finally:
        sys.meta_path.remove(Finder)


class Finder:
    """Finds the module of transformers that reads the others, and has it recall."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        found = PathFinder.find_spec(name, path, target) if name == READER else None
        if found is not None and found.loader is not None:
            loader: Any = found.loader
            execute = loader.exec_module

            def execute_and_recall(module: Any) -> None:
                execute(module)
                module.define_import_structure = recalling(module.define_import_structure, models_beside(module))

            loader.exec_module = execute_and_recall
        return found


def recalling(read: Callable[..., Parts], models: Path) -> Callable[..., Parts]:
    """`read` of transformers, which looks into the folder `models` once at most, and not at all where that is known."""

    @functools.cache
    def whole() -> Parts:
        return recall(models) or read(str(models))

    def parts(path: str | os.PathLike[str], prefix: str | None = None) -> Parts:
        folder = Path(path).parent if Path(path).name == "__init__.py" else Path(path)
        if folder != models:
            return read(path, prefix)
        return whole() if prefix is None else {needs: {f"{prefix}.{name}": of for name, of in at.items()} for needs, at in whole().items()}

    return parts


def recall(models: Path) -> Parts | None:
    """What is known of the folder, None where nothing is or where it is another one by now."""
    try:
        known = json.loads(KNOWN.read_text())
        if known["of"] != identity(models):
            return None
        return {frozenset(needs): {name: set(of) for name, of in at.items()} for needs, at in known["parts"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(models: Path, parts: Parts) -> None:
    """Writes down what the folder holds. Raises OSError."""
    listed = [[sorted(needs), {name: sorted(of) for name, of in at.items()}] for needs, at in parts.items()]
    unfinished = KNOWN.with_suffix(".new")
    unfinished.write_text(json.dumps({"of": identity(models), "parts": listed}))
    os.replace(unfinished, KNOWN)


def identity(models: Path) -> list[Any]:
    """What is another when another version is installed: where it is, its number, and when it came."""
    return [str(models), sys.modules["transformers"].__version__, models.stat().st_mtime_ns]


def models_beside(reader: ModuleType) -> Path:
    return Path(str(reader.__file__)).parents[1] / "models"


def main() -> None:
    from transformers.utils import import_utils

    models = models_beside(import_utils)
    remember(models, import_utils.define_import_structure(str(models)))


if __name__ == "__main__":
    main()
