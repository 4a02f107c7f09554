"""What the sidecar's parts cost beside the plain way to do the same: `python test/bench/inference.py MODEL` prints JSON.

Both sides of each figure run in turn, on the real small model: ours in the model's own dtype, plain transformers in the
faster dtype for it on this CPU and in a process of its own (plain.py), since how memory is kept is a process's. Ratios are
medians of the pairs.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import sidecar  # noqa: E402, F401  (sets how torch's threads wait, before torch is imported)
import numpy as np  # noqa: E402
import torch  # noqa: E402
from blake3 import blake3  # noqa: E402

from sidecar.inference.decode import decode  # noqa: E402
from sidecar.inference.prefill import Job, prefill  # noqa: E402
from sidecar.inference.prompts import Prompts  # noqa: E402
from sidecar.inference.residency import Resident  # noqa: E402
from sidecar.inference.sampling import Sampler  # noqa: E402
from sidecar.methods import project  # noqa: E402
from sidecar.model.base import Base, load_base  # noqa: E402
from sidecar.model.chat import prompt_ids  # noqa: E402
from sidecar.native.allocator import keep_freed_memory  # noqa: E402
from sidecar.native.packed import PackedLinear  # noqa: E402
from sidecar.stored.refs import parse_ref  # noqa: E402
from sidecar.stored.scratch import Memory  # noqa: E402
from sidecar.stored.shards import ShardWriter, digest_of  # noqa: E402
from sidecar.tests.engine import Sidecar  # noqa: E402
from sidecar.vectors.along import read_unit  # noqa: E402
from sidecar.vectors.products import along, matrix_of  # noqa: E402
from sidecar.wire.progress import Progress  # noqa: E402

PAIRS = int(os.environ.get("BENCH_PAIRS", "3"))
NEW_TOKENS = 24
SILENT = Progress(0, lambda params: None, lambda: 0.0)


def main() -> None:
    folder = sys.argv[1]
    torch.set_num_threads(os.cpu_count() or 1)
    base = dataclasses.replace(load_base(folder, "bfloat16", "cpu", None), stop_ids=frozenset([-1]))
    keep_freed_memory(True)  # as the sidecar does after loading
    figures: dict[str, Any] = {"ready_s": round(statistics.median(ready(folder) for _ in range(PAIRS)), 2)}
    with torch.inference_mode(), Plain(folder) as plain:
        figures |= generation(base, plain)
        figures |= capture(base, plain)
    with tempfile.TemporaryDirectory() as scratch:
        figures |= projection(Path(scratch))
        figures |= writing(Path(scratch))
    print(json.dumps(figures))


class Plain:
    """The process of plain.py."""

    def __init__(self, folder: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name("plain.py")), folder]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._wait()

    def do(self, work: str) -> None:
        """Has a piece of work (JSON) done."""
        assert self._process.stdin is not None
        self._process.stdin.write(work + "\n")
        self._process.stdin.flush()
        self._wait()

    def _wait(self) -> None:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "\n":
            raise RuntimeError(f"plain.py ended with {self._process.wait()}")

    def __enter__(self) -> "Plain":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()


def ready(folder: str) -> float:
    """Seconds from the start of the process to its answer that the base is loaded."""
    started = time.perf_counter()
    with Sidecar() as process:
        process.call("hello", protocol=1)
        process.call("load_base", path=folder, dtype="bfloat16", device="cpu", quantization=None)
        return time.perf_counter() - started


def generation(base: Base, plain: Plain) -> dict[str, Any]:
    """Tokens a second of `decode`, of `generate()`, and of the linear layers alone."""
    spec = json.loads((ROOT / "datasets/inference/audit/discovery.json").read_text())
    found: dict[str, Any] = {"generate_ratio": {}, "generate_tokens_s": {}, "generate_plain_tokens_s": {}, "linear_layers_tokens_s": {}}
    for rows in (32, 64, 128):
        asked = [(prompt["text"], spec["system_prompt"]) for prompt in spec["prompts"][:rows]]
        prompts = [prompt_ids(base.tokenizer, text, system) for text, system in asked]
        work = json.dumps({"prompts": prompts, "tokens": NEW_TOKENS})

        def ours(prompts: Sequence[Sequence[int]] = prompts) -> object:
            return decode(base, prompts, Sampler([0] * len(prompts), 0.0, 1.0), NEW_TOKENS)

        pairs = in_turn(ours, lambda work=work: plain.do(work))
        tokens = rows * NEW_TOKENS
        name = str(rows)
        found["generate_ratio"][name] = ratio(pairs)
        found["generate_tokens_s"][name] = round(tokens / median_of(pairs, 0))
        found["generate_plain_tokens_s"][name] = round(tokens / median_of(pairs, 1))
        found["linear_layers_tokens_s"][name] = round(rows / linear_layers(base, rows))
    return found


def linear_layers(base: Base, rows: int) -> float:
    """Seconds that a decoding step's matrix products take without anything between them."""
    linear = [module for module in base.model.modules() if isinstance(module, torch.nn.Linear)]
    # Of layers with a product in common the last one: it computes the whole of it for an input that it sees alone.
    layers = {layer.product if isinstance(layer, PackedLinear) else layer: layer for layer in linear}.values()
    inputs = {layer.in_features: torch.randn(rows, layer.in_features).to(layer.weight.dtype) for layer in layers}

    def products() -> None:
        for layer in layers:
            layer(inputs[layer.in_features])

    return min(seconds(products) for _ in range(6))


def capture(base: Base, plain: Plain) -> dict[str, Any]:
    """Tokens a second of a recording at two thirds of the depth: of ours, and of a full forward pass."""
    torch.manual_seed(0)
    rows, prompt, answer, layer = 32, 72, 48, len(base.blocks) * 2 // 3
    ids = torch.randint(1000, 20_000, (rows, prompt + answer)).tolist()
    others = [row[:prompt] + torch.randint(1000, 20_000, (answer,)).tolist() for row in ids]
    work = json.dumps({"ids": ids})

    def record(rows: Sequence[Sequence[int]], prompts: Prompts | None) -> None:
        prefill(base, [Job(row, [layer], prompt) for row in rows], lambda index, layer, state: None, prompts=prompts)

    def theirs() -> None:
        plain.do(work)

    kept = Prompts(1 << 33)
    record(ids, kept)
    alone = in_turn(lambda: record(ids, None), theirs)
    shared = in_turn(lambda: record(others, kept), theirs)
    tokens = rows * (prompt + answer)
    return {
        "capture_ratio": ratio(alone),
        "capture_shared_prefix_ratio": ratio(shared),
        "capture_tokens_s": round(tokens / median_of(alone, 0)),
        "capture_plain_tokens_s": round(tokens / median_of(alone, 1)),
    }


def projection(scratch: Path) -> dict[str, Any]:
    """Figures of `projected` for a narrow model and one as wide as a 70B one, and what the digest alone takes.

    A whole request is measured: parsing it, reading out of the page cache, checking digests, products, and writing and
    syncing the scores. `products`: of states that are in memory and checked, the products alone.
    """
    narrow, wide = projected(scratch / "narrow", 576, 600), projected(scratch / "wide", 8192, 60)
    data = np.frombuffer(np.random.default_rng(0).bytes(1 << 28), np.uint8)
    threads = {"1": 1, "2": 2}
    digests = {name: round(len(data) / min(seconds(lambda n=n: blake3(data, max_threads=n)) for _ in range(PAIRS)) / 1e9, 2) for name, n in threads.items()}
    return {**narrow, **{f"{name}_8192_wide": figure for name, figure in wide.items()}, "blake3_gb_s_by_threads": digests}


def projected(scratch: Path, hidden: int, answers: int) -> dict[str, Any]:
    """Bytes a second of stored bfloat16 activations projected onto 17 vectors, beside those that are only summed in memory."""
    tokens, vectors = 300, 17
    scratch.mkdir()
    torch.manual_seed(0)
    states = torch.randn(tokens, hidden).bfloat16().view(torch.uint8).numpy().tobytes()
    (scratch / "states").write_bytes(states * answers)
    states_ref = {"path": str(scratch / "states"), "digest": digest_of(states), "dtype": "bfloat16", "shape": [tokens, hidden]}
    activations = [{"ref": {**states_ref, "offset": at * len(states), "length": len(states)}, "labels": {}} for at in range(answers)]
    directions = []
    for index in range(vectors):
        raw = torch.randn(hidden).numpy().tobytes()
        (scratch / f"vector{index}").write_bytes(raw)
        place = {"path": str(scratch / f"vector{index}"), "digest": digest_of(raw), "offset": 0, "length": len(raw)}
        directions.append({"ref": {**place, "dtype": "float32", "shape": [hidden]}, "labels": {}})
    cells = [{"id": f"{at}:{index}", "activation": at, "vector": index, "offset": 0.0} for at in range(answers) for index in range(vectors)]
    request = {"labels": {}, "activations": activations, "vectors": directions, "cells": cells}
    count = [0]

    def project_all() -> None:
        count[0] += 1
        out = scratch / f"scores{count[0]}"
        out.mkdir()
        project.run({**request, "out": str(out)}, Resident(), SILENT)

    memory = np.frombuffer(states * answers, np.uint8).view(np.uint64)
    total = len(states) * answers
    matrix = matrix_of([read_unit(parse_ref(direction["ref"])) for direction in directions])
    stored = memory.view(np.uint16).reshape(answers, tokens, hidden)

    def products(of: np.ndarray) -> None:
        along(of, matrix, Memory())

    def all_products() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(products, stored))

    def read_all() -> object:
        return torch.from_numpy(memory.view(np.int64)).sum()

    pairs, alone = in_turn(project_all, read_all), in_turn(all_products, read_all)
    return {
        "projection_gb_s": round(total / median_of(pairs, 0) / 1e9, 2),
        "memory_gb_s": round(total / median_of(pairs, 1) / 1e9, 2),
        "projection_bandwidth_share": round(ratio(pairs, 6), 3),
        "projection_products_bandwidth_share": round(ratio(alone, 6), 3),
    }


def writing(scratch: Path) -> dict[str, Any]:
    """Bytes a second of a shard, hashed and synced, beside those of a plain synced file."""
    data = memoryview(np.random.default_rng(0).bytes(1 << 24))
    count = [0]

    def shard() -> None:
        count[0] += 1
        folder = scratch / f"shard{count[0]}"
        folder.mkdir()
        with ShardWriter(str(folder), "data") as writer:
            for _ in range(16):
                writer.write(data)
            writer.finish()
        (folder / "data").unlink()

    def file() -> None:
        with open(scratch / "file", "wb", buffering=0) as plain:
            for _ in range(16):
                plain.write(data)
            os.fsync(plain.fileno())
        (scratch / "file").unlink()

    pairs = in_turn(shard, file)
    return {"write_mb_s": round(16 * len(data) / median_of(pairs, 0) / 1e6), "write_bandwidth_share": round(ratio(pairs, 6), 3)}


def in_turn(ours: Callable[[], object], theirs: Callable[[], object]) -> list[tuple[float, float]]:
    """Seconds of both, `PAIRS` times in turn, after one of each to warm up."""
    ours()
    theirs()
    return [(seconds(ours), seconds(theirs)) for _ in range(PAIRS)]


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratio(pairs: Sequence[tuple[float, float]], digits: int = 2) -> float:
    """How many times faster ours is."""
    return round(statistics.median(theirs / ours for ours, theirs in pairs), digits)


def median_of(pairs: Sequence[tuple[float, float]], side: int) -> float:
    return statistics.median(pair[side] for pair in pairs)


if __name__ == "__main__":
    main()
