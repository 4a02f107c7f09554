"""What a step's traits have in common leaves every vector, and is never that of another model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import extract
from sidecar.methods.extract import make_vector
from sidecar.vectors.reference import without

from .support import loaded, silent, slot_tensor
from .test_extract import PAIRS, WANTED

REFERENCE = [{**pair, "negative": pair["negative"] + " No doubt.", "positive": "I would not know."} for pair in PAIRS]


def ask(resident: Resident, out: Path, name: str, pairs: list[dict[str, str]], reference: Any) -> dict[str, torch.Tensor]:
    """The vectors of one group, by their layer and method."""
    folder = out / name
    folder.mkdir()
    group = {"id": "g", "pairs": pairs, "wanted": WANTED}
    request = {"out": str(folder), "groups": [group], "system_prompt": None, "position": "response", "reference": reference}
    return {cell["id"]: slot_tensor(folder, cell) for cell in extract.run(request, resident, silent())["cells"]}


def test_vectors_are_orthogonal_to_the_mean_difference_of_the_reference(resident: Resident, out: Path) -> None:
    shared = ask(resident, out, "shared", REFERENCE, None)
    plain = ask(resident, out, "plain", PAIRS, None)
    found = ask(resident, out, "found", PAIRS, REFERENCE)
    for name, vector in found.items():
        direction = shared[name.replace("probe", "mean_diff")]
        assert abs(float(vector @ direction)) < 1e-3 < abs(float(plain[name] @ direction))


def test_another_model_gets_a_reference_of_its_own(tiny: Path, resident: Resident, out: Path) -> None:
    ask(resident, out, "first", PAIRS, REFERENCE)
    other = loaded(tiny)
    other.base.model.get_input_embeddings().weight.data.neg_()
    after = ask(other, out, "after", PAIRS, REFERENCE)
    alone = loaded(tiny)
    alone.base.model.get_input_embeddings().weight.data.neg_()
    fresh = ask(alone, out, "fresh", PAIRS, REFERENCE)
    assert all(torch.equal(after[name], fresh[name]) for name in fresh)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ([], "'reference' has no pairs"),
        ([{**PAIRS[0], "negative": PAIRS[0]["positive"]}], "'reference': the direction has a norm of 0"),
        ([{**PAIRS[0], "negative": ""}], "group 'reference', pair 'p0': the negative answer is empty"),
    ],
)
def test_a_reference_without_a_direction_is_refused(resident: Resident, out: Path, reference: Any, message: str) -> None:
    with pytest.raises(SidecarError, match=message) as caught:
        ask(resident, out, "refused", PAIRS, reference)
    assert caught.value.kind == "bad-input"


def test_a_reference_takes_its_direction_out_of_every_vector() -> None:
    generator = np.random.default_rng(3)
    shared = generator.normal(size=16).astype(np.float32)
    shared /= np.linalg.norm(shared)
    negative = generator.normal(size=(8, 16)).astype(np.float32)
    positive = negative + 5 * shared + np.eye(16, dtype=np.float32)[0]
    for method in ("mean_diff", "probe"):
        direction, _ = make_vector(method, without(positive, shared), without(negative, shared))
        assert abs(float(direction.vector @ shared)) < 1e-5
        plain, _ = make_vector(method, positive, negative)
        assert float(plain.vector @ shared) > 0.5
