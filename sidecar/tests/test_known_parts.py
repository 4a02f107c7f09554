"""Transformers takes the list of its models from what the set-up wrote down, or looks for itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from transformers.utils import import_utils

from ..model import known_parts
from .engine import ROOT

MODELS = known_parts.models_beside(import_utils)
USED = {"auto", "gemma"}  # by the story: transformers reads these again, whatever it knows
# Imports transformers with the list in the file `known`, and says which sources of models it read and what it then has.
STORY = """
import json, sys
from pathlib import Path
from sidecar.model import known_parts
from sidecar.model.lean_imports import lean_imports

known_parts.KNOWN = Path(sys.argv[1])
read = []
sys.addaudithook(lambda event, args: read.append(str(args[0])) if event == "open" and "/transformers/models/" in str(args[0]) else None)
with lean_imports():
    from transformers import AutoModelForCausalLM, GemmaConfig
sources = [path for path in read if path.endswith(".py")]
import transformers.models
print(json.dumps({"sources": sources, "names": sorted(dir(transformers)), "models": sorted(dir(transformers.models))}))
"""
WRITE = """
import sys
from pathlib import Path
from sidecar.model import known_parts
known_parts.KNOWN = Path(sys.argv[1])
known_parts.main()
"""


def run(story: str, known: Path) -> str:
    done = subprocess.run([sys.executable, "-c", story, str(known)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("known") / "transformers.json"
    run(WRITE, path)
    return path


@pytest.fixture(scope="module")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What transformers has where nothing is known of it."""
    return dict(json.loads(run(STORY, tmp_path_factory.mktemp("unknown") / "none.json")))


def test_where_its_models_are_known_none_is_read_but_what_is_used_and_it_has_the_same(known: Path, unknown: dict[str, list[str]]) -> None:
    found = json.loads(run(STORY, known))
    assert {Path(path).parent.name for path in found["sources"]} == USED
    assert len(unknown["names"]) > 3000
    assert (found["names"], found["models"]) == (unknown["names"], unknown["models"])


def test_where_nothing_is_known_each_is_read_once(unknown: dict[str, list[str]]) -> None:
    times = Counter(path for path in unknown["sources"] if Path(path).parent.name not in USED)
    assert len(times) > 1000
    assert set(times.values()) == {1}


def test_what_was_written_down_is_what_transformers_finds(known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_parts, "KNOWN", known)
    assert known_parts.recall(MODELS) == import_utils.spread_import_structure(import_utils.create_import_structure_from_path(str(MODELS)))


@pytest.mark.parametrize("part", range(3))
def test_what_is_known_of_another_installation_is_passed_over(
    known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    other = json.loads(known.read_text())
    other["of"][part] = "another"
    monkeypatch.setattr(known_parts, "KNOWN", tmp_path / "other.json")
    known_parts.KNOWN.write_text(json.dumps(other))
    assert known_parts.recall(MODELS) is None


@pytest.mark.parametrize("text", ["", "[]", "null", '{"of": 1}', "{", "\x00"])
def test_what_cannot_be_read_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(known_parts, "KNOWN", tmp_path / "broken.json")
    known_parts.KNOWN.write_text(text)
    assert known_parts.recall(MODELS) is None
