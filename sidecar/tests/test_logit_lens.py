"""The tokens along a direction are those that the model's own final norm and unembedding raise and lower most."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import logit_lens
from sidecar.model.base import decoder_of
from sidecar.vectors.unembedding import tokens_along

from .support import HIDDEN, LAYERS, check_files, loaded, make_adapter, make_tiny_model, silent, slot_bytes, switch, write_tensor
from .test_architectures import FAMILIES, make, plain

CONTROL = 17  # SmolLM2's control tokens are its first


def vector(seed: int, hidden: int = HIDDEN) -> torch.Tensor:
    return torch.randn(hidden, generator=torch.Generator().manual_seed(seed))


def ask(resident: Resident, out: Path, cells: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return logit_lens.run({"out": str(out), "by": "cosine", "top": 5, "groups": [], "cells": cells, **more}, resident, silent())


def records(out: Path, result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    check_files(out, result)
    return {cell["id"]: json.loads(slot_bytes(out, cell)) for cell in result["cells"]}


def cosines(resident: Resident, direction: torch.Tensor) -> torch.Tensor:
    """Float64 `[tokens]`: of the direction with every row of the unembedding less the mean of all, with the norm's weights."""
    weight = resident.base.model.get_output_embeddings().weight[CONTROL:].double()
    gain = resident.base.model.model.norm.weight.double()
    return torch.nn.functional.cosine_similarity((weight - weight.mean(0)) * gain, direction.double()[None])


def agree(record: dict[str, Any], wanted: torch.Tensor) -> None:
    """The tokens of a record are the five highest and the five lowest of `wanted`, in their order."""
    order = wanted.argsort(descending=True)
    assert record["token_ids"] == [int(place) + CONTROL for place in [*order[:5], *order[-5:]]]
    assert record["values"] == pytest.approx([float(wanted[token - CONTROL]) for token in record["token_ids"]], abs=6e-5)


def test_cosines_equal_a_float64_reference(resident: Resident, out: Path, tmp_path: Path) -> None:
    vectors = {f"trait@{seed}:probe": vector(seed) * 7 for seed in range(3)}
    result = ask(resident, out, [{"id": name, "vector": write_tensor(tmp_path, name, each)} for name, each in vectors.items()])
    found = records(out, result)
    for name, each in vectors.items():
        agree(found[name], cosines(resident, each))
    assert [cell["facts"] for cell in result["cells"]] == [{"highest": one["values"][0], "lowest": one["values"][-1]} for one in found.values()]


def test_a_real_model_in_bfloat16_is_read_in_float32_and_its_tokens_are_written_as_text(smollm2: Path, out: Path, tmp_path: Path) -> None:
    resident = loaded(smollm2, "bfloat16")
    direction = vector(1, 576)
    record = records(out, ask(resident, out, [{"id": "a", "vector": write_tensor(tmp_path, "a", direction)}]))["a"]
    agree(record, cosines(resident, direction))
    assert record["tokens"] == [resident.base.tokenizer.decode([token]) for token in record["token_ids"]]


def test_a_tokens_own_row_is_the_direction_that_raises_it_most(smollm2: Path, out: Path, tmp_path: Path) -> None:
    resident = loaded(smollm2, "float32")
    [token] = resident.base.tokenizer.encode(" future")
    weight = resident.base.model.get_output_embeddings().weight[CONTROL:].double()
    row = (weight[token - CONTROL] - weight.mean(0)) * resident.base.model.model.norm.weight.double()
    record = records(out, ask(resident, out, [{"id": "a", "vector": write_tensor(tmp_path, "a", row.float())}]))["a"]
    assert (record["token_ids"][0], record["tokens"][0], record["values"][0]) == (token, " future", 1.0)


def test_an_own_part_is_what_a_unit_vector_is_more_than_the_mean_of_its_group(resident: Resident, out: Path, tmp_path: Path) -> None:
    vectors = [vector(seed) * (seed + 1) for seed in range(3)]
    refs = [write_tensor(tmp_path, str(at), each) for at, each in enumerate(vectors)]
    units = [each.double() / each.double().norm() for each in vectors]
    result = ask(resident, out, [{"id": "own", "vector": refs[1], "apart_from": "2"}], groups=[{"id": "2", "vectors": refs}])
    agree(records(out, result)["own"], cosines(resident, units[1] - torch.stack(units).mean(0)))


def test_what_all_share_has_no_own_part_and_the_other_cells_are_read(resident: Resident, out: Path, tmp_path: Path) -> None:
    refs = [write_tensor(tmp_path, str(at), vector(4) * (at + 1)) for at in range(3)]
    cells = [{"id": "own", "vector": refs[0], "apart_from": "2"}, {"id": "whole", "vector": refs[0]}]
    result = ask(resident, out, cells, groups=[{"id": "2", "vectors": refs}])
    assert result["failed"] == [{"id": "own", "reason": "it is what all share, and nothing is its own"}]
    assert list(records(out, result)) == ["whole"]
    assert ask(resident, out, cells[:1], groups=[{"id": "2", "vectors": refs}])["files"] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_a_direction_raises_the_logits_that_a_state_like_it_has_more_than_one_of_nothing(family: str, smollm2: Path, tmp_path: Path) -> None:
    folder = make(family, tmp_path / family, smollm2)
    base, model = loaded(folder).base, plain(folder)
    directions = torch.randn(2, 64, generator=torch.Generator().manual_seed(5))
    if getattr(model.config, "final_logit_softcapping", None):
        model.config.final_logit_softcapping = None  # what is capped is no longer in proportion
    of_nothing, *logits = (logits_of(model, decoder_of(model)[1][-1], state) for state in (torch.zeros(64), *directions))
    for found, wanted in zip(tokens_along(base, directions.numpy(), 20, "logit"), logits, strict=True):
        raised = (wanted - of_nothing).double()[len(base.tokenizer.added_tokens_decoder) :]
        z = (raised - raised.mean()) / raised.std(correction=0)
        order = z.argsort(descending=True)
        assert found.values == pytest.approx(z[[*order[:20], *order[-20:]]].tolist(), abs=1e-3)
        assert found.values == pytest.approx(z[[token - len(base.tokenizer.added_tokens_decoder) for token in found.ids]].tolist(), abs=1e-3)


def logits_of(model: Any, last: torch.nn.Module, state: torch.Tensor) -> torch.Tensor:
    """The logits `[vocabulary]` behind a last block that hands on `state`, at the length of a normed one."""
    scaled = state * (len(state) ** 0.5 / state.norm().clamp_min(1e-9))
    handle = last.register_forward_hook(lambda module, inputs, output: (scaled[None, None], *output[1:]) if isinstance(output, tuple) else scaled[None, None])
    with torch.inference_mode():
        logits: torch.Tensor = model(torch.tensor([[5]])).logits[0, 0]
    handle.remove()
    return logits


def test_what_is_read_beside_it_changes_no_token(resident: Resident, out: Path, tmp_path: Path) -> None:
    cells = [{"id": str(seed), "vector": write_tensor(tmp_path, str(seed), vector(seed))} for seed in range(40)]
    together = records(out, ask(resident, out, cells))
    for path in out.iterdir():
        path.unlink()
    alone = records(out, ask(resident, out, cells[7:8]))
    assert alone["7"]["token_ids"] == together["7"]["token_ids"]
    assert alone["7"]["values"] == pytest.approx(together["7"]["values"], abs=1e-4)


def test_rows_that_only_pad_the_unembedding_are_no_tokens(smollm2: Path, out: Path, tmp_path: Path) -> None:
    resident = loaded(make_tiny_model(tmp_path / "padded", smollm2, vocab_size=49_280))
    last = resident.base.model.get_output_embeddings().weight[-1].float()
    record = records(out, ask(resident, out, [{"id": "a", "vector": write_tensor(tmp_path, "a", last)}]))["a"]
    assert max(record["token_ids"]) < 49_152


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"by": "dot"}, "'by' is none of cosine, logit: dot"),
        ({"top": 30_000}, "30000 tokens of either side are more than the 49135 of the vocabulary"),
        ({"groups": [{"id": "2", "vectors": []}]}, "group '2' has no vectors"),
        ({"apart_from": "3"}, "cell 'a': there is no group '3'"),
    ],
)
def test_a_wrong_request_is_refused(resident: Resident, out: Path, tmp_path: Path, more: dict[str, Any], message: str) -> None:
    cell = {"id": "a", "vector": write_tensor(tmp_path, "a", vector(0)), "apart_from": more.pop("apart_from", None)}
    with pytest.raises(SidecarError) as refused:
        ask(resident, out, [cell], **more)
    assert str(refused.value) == message


@pytest.mark.parametrize("wrong", [torch.zeros(HIDDEN), torch.ones(HIDDEN + 1), torch.full((HIDDEN,), float("nan"))])
def test_what_is_no_direction_of_the_model_is_refused(resident: Resident, out: Path, tmp_path: Path, wrong: torch.Tensor) -> None:
    ref = write_tensor(tmp_path, "a", wrong)
    with pytest.raises(SidecarError) as refused:
        ask(resident, out, [{"id": "a", "vector": ref}])
    assert str(refused.value) == f"the ref {ref['digest']} is no direction of {HIDDEN} numbers"


def test_an_organism_reads_no_directions(tiny: Path, out: Path, tmp_path: Path) -> None:
    resident = loaded(tiny)
    switch(resident, make_adapter(tmp_path / "adapter", tiny))
    with pytest.raises(SidecarError) as refused:
        ask(resident, out, [{"id": "a", "vector": write_tensor(tmp_path, "a", vector(0))}])
    assert str(refused.value) == "directions are read by the clean model, but the adapter 'adapter' is on"
