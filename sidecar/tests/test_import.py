"""What was made elsewhere is taken as it is, or refused with what is wrong; nothing that a file holds is run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.methods import import_answers, import_recordings, inspect_files
from sidecar.stored.shards import digest_of

from .support import check_files, silent, slot_bytes, slot_tensor, write_record

IDS = [5, 6, 7, 8, 9]
END = 2
Raw = dict[str, Any]


def answer(**changes: Any) -> Raw:
    """An answer of three tokens in the JSON of trait-interp."""
    tokens = [f"t{token}" for token in IDS]
    return {"prompt": "Why?", "response": "So.", "tokens": tokens, "token_ids": IDS, "prompt_end": END, "tags": [], **changes}


def recording(**changes: Any) -> Raw:
    """Its recording at layers 1 and 2, of 4 values each."""
    states = {layer: {"residual": torch.arange(12).reshape(3, 4).to(torch.bfloat16) * layer} for layer in (1, 2)}
    return {"prompt": {"token_ids": IDS[:END], "activations": {}}, "response": {"token_ids": IDS[END:], "activations": states, **changes}}


def layers(change: Callable[[torch.Tensor], object]) -> Raw:
    """The recording with other states."""
    made = recording()["response"]["activations"]
    return recording(activations={layer: {"residual": change(own["residual"])} for layer, own in made.items()})


def import_answer(out: Path, content: bytes) -> dict[str, Any]:
    """The result of importing one file."""
    file = out.parent / "one.json"
    file.write_bytes(content)
    cell = {"id": "one", "path": str(file), "name": "responses/one.json", "digest": digest_of(content)}
    return import_answers.run({"out": str(out), "cells": [cell]}, Resident(), silent())


def import_recording(out: Path, value: object, wanted: tuple[int, ...] = (1, 2)) -> dict[str, Any]:
    """The same of one recording, beside the answer."""
    file = out.parent / "one.pt"
    torch.save(value, file)
    response = write_record(out.parent, "record", IDS, END)
    place = {"path": str(file), "name": "raw/one.pt", "digest": digest_of(file.read_bytes())}
    groups = [{"id": "one", "response": response, "layers": list(wanted), **place}]
    return import_recordings.run({"out": str(out), "hidden": 4, "groups": groups}, Resident(), silent())


def test_an_answer_is_stored_as_one_that_was_written_here(out: Path) -> None:
    result = import_answer(out, json.dumps(answer()).encode())
    (cell,) = result["cells"]
    record = json.loads(slot_bytes(out, cell))
    assert record == {
        "finish_reason": "unknown",
        "prompt": "Why?",
        "prompt_end": 2,
        "response": "So.",
        "system_prompt": None,
        "token_ids": IDS,
        "tokens": ["t5", "t6", "t7", "t8", "t9"],
    }
    assert cell["facts"] == {"prompt_tokens": 2, "response_tokens": 3, "finish_reason": "unknown", "imported": "responses/one.json"}
    assert result["failed"] == []
    check_files(out, result)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"{", "it is not JSON"),
        (b"[]", "it does not hold a JSON object"),
        (json.dumps(answer(prompt=None)).encode(), 'it has no text "prompt"'),
        (json.dumps(answer(tokens="Why")).encode(), 'it has no list "tokens"'),
        (json.dumps(answer(token_ids=[1, -1])).encode(), 'it has no list "token_ids"'),
        (json.dumps(answer(token_ids=[1, 2])).encode(), "it has 5 tokens and 2 token_ids"),
        (json.dumps(answer(prompt_end=5)).encode(), "its prompt_end 5 is not before the last of 5 tokens"),
        (json.dumps(answer(system_prompt=3)).encode(), 'its "system_prompt" is not text'),
    ],
)
def test_a_file_that_is_no_answer_fails_alone(out: Path, content: bytes, wrong: str) -> None:
    assert import_answer(out, content) == {"files": [], "cells": [], "failed": [{"id": "one", "reason": f"one.json: {wrong}"}]}


def test_states_are_stored_to_the_bit_in_their_own_dtype(out: Path) -> None:
    result = import_recording(out, recording())
    assert [(cell["id"], cell["facts"]) for cell in result["cells"]] == [
        (f"one@{layer}", {"tokens": 3, "imported": "raw/one.pt"}) for layer in (1, 2)
    ]
    for cell, layer in zip(result["cells"], (1, 2), strict=True):
        assert torch.equal(slot_tensor(out, cell), recording()["response"]["activations"][layer]["residual"])
    check_files(out, result)


def test_only_the_wanted_layers_are_taken_whatever_else_is_there(out: Path) -> None:
    states = recording()["response"]["activations"]
    value = recording(activations={"2": {**states[2], "attn_out": torch.ones(9)}, 1: states[1]})
    assert [cell["id"] for cell in import_recording(out, value, (2,))["cells"]] == ["one@2"]


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (torch.ones(3), 'it holds no "response"'),
        ({"response": {"token_ids": IDS[END:]}}, "it holds no activations of the response"),
        (recording(token_ids=None), "its response has no token_ids"),
        (recording(activations={"top": {}}), "'top' is no layer"),
        (recording(activations={1: torch.ones(3, 4)}), "layer 1 holds no states [tokens, hidden] of the residual stream"),
        (layers(lambda states: states.to(torch.int32)), "layer 1 is in int32, not one of float32, float16, bfloat16"),
        (recording(token_ids=[7, 8, 4]), "its token ids are not those of the answer"),
        (recording(activations={1: recording()["response"]["activations"][1]}), "it has no layer 2, only 1"),
        (layers(lambda states: states[:, :3]), "layer 1 has states of 3 values, not 4"),
        (layers(lambda states: states[:2]), "layer 1 has 2 states for 3 response tokens"),
        (layers(lambda states: states / 0), "layer 1 is not finite at 3 of 3 tokens"),
    ],
)
def test_a_recording_that_does_not_fit_its_answer_fails_alone(out: Path, value: object, wrong: str) -> None:
    failed = [{"id": f"one@{layer}", "reason": f"one.pt: {wrong}"} for layer in (1, 2)]
    assert import_recording(out, value) == {"files": [], "cells": [], "failed": failed}


def test_a_file_that_changed_is_not_taken(out: Path) -> None:
    file = out.parent / "one.json"
    file.write_text("{}")
    cell = {"id": "one", "path": str(file), "name": "one.json", "digest": digest_of(b"other")}
    with pytest.raises(SidecarError, match=r"one\.json changed while the run went on: run again"):
        import_answers.run({"out": str(out), "cells": [cell]}, Resident(), silent())


class Trap:
    """Unpickled by whoever trusts it, this makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.mkdir, (str(self.folder),)


def test_a_look_into_files_says_what_they_hold_and_runs_nothing(tmp_path: Path) -> None:
    values = {"good.pt": recording(), "bad.pt": {"response": Trap(tmp_path / "ran")}, "vector.pt": torch.ones(4), "zero.pt": torch.zeros(4)}
    for name, value in values.items():
        torch.save(value, tmp_path / name)
    paths = {"recordings": [str(tmp_path / name) for name in ("good.pt", "bad.pt", "vector.pt")]}
    found = inspect_files.run({**paths, "vectors": [str(tmp_path / name) for name in ("vector.pt", "zero.pt")]}, Resident(), silent())
    good, bad, other = found["recordings"]
    shapes = [{"layer": layer, "tokens": 3, "hidden": 4, "nonFinite": 0} for layer in (1, 2)]
    assert good == {"promptIds": IDS[:END], "responseIds": IDS[END:], "layers": shapes}
    assert bad["wrong"].startswith("it is no file of a recording (Weights only load failed")
    assert other == {"wrong": 'it holds no "response"'}
    assert found["vectors"] == [{"hidden": 4}, {"wrong": "it is zero or not finite: it has no direction"}]
    assert not (tmp_path / "ran").exists()
