"""`capture`: the residual stream of recorded responses, under whatever adapter is on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import bad_input
from ..inference.prefill import Job, prefill
from ..inference.residency import Resident
from ..stored.int8 import encode
from ..stored.refs import Ref, parse_ref
from ..stored.responses import read_response
from ..stored.states import Table, non_finite, write_tables
from ..wire import params
from ..wire.progress import Progress

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Group:
    """One recorded response and the layers wanted of it."""

    id: str
    response: Ref
    layers: tuple[int, ...]


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The protocol's *result*. A cell whose activations are not all finite is listed in `failed`."""
    base = resident.base
    out = params.text(request, "out")
    groups = [parse_group(group) for group in params.items(request, "groups")]
    params.unique([group.id for group in groups], "group")
    all_positions = parse_positions(request)
    raw = request.get("raw")
    if raw not in ("keep", "keep-int8"):
        raise bad_input(f"raw '{raw}' is not one of keep, keep-int8")
    progress.expect(sum(len(group.layers) for group in groups))
    jobs = [to_job(f"group '{group.id}'", group.response, group.layers, all_positions) for group in groups]
    kept: dict[tuple[int, int], torch.Tensor] = {}

    def keep(index: int, layer: int, residual: torch.Tensor) -> None:
        kept[index, layer] = residual
        progress.advance(done=1)

    prefill(base, jobs, keep, lambda _, tokens: progress.advance(tokens=tokens), resident.room.tokens, resident.prompts)
    return write_shard(out, groups, jobs, kept, "int8" if raw == "keep-int8" else base.dtype)


def write_shard(
    out: str, groups: Sequence[Group], jobs: Sequence[Job], kept: Mapping[tuple[int, int], torch.Tensor], dtype: str
) -> dict[str, Any]:
    """Writes one tensor a layer, its cells one after another in request order, and returns the *result*. `dtype`: that of
    the states, or int8."""
    failed: list[dict[str, str]] = []
    layers: dict[int, list[tuple[str, torch.Tensor]]] = {}
    for index, (group, job) in enumerate(zip(groups, jobs, strict=True)):
        for layer in group.layers:
            name, residual = f"{group.id}@{layer}", kept[index, layer]
            if residual.shape[0] != len(job.ids) - job.start:
                raise AssertionError(f"{name}: {residual.shape[0]} rows for {len(job.ids) - job.start} tokens")
            bad = non_finite(residual)
            if bad:
                failed.append({"id": name, "reason": f"{bad} of {len(residual)} tokens have non-finite activations"})
            else:
                layers.setdefault(layer, []).append((name, encode(residual) if dtype == "int8" else residual))
    tables = [Table(f"layer_{layer}", dtype, layers[layer]) for layer in sorted(layers)]
    return {**write_tables(out, tables), "failed": failed}


def to_job(name: str, response: Ref, layers: Sequence[int], all_positions: bool) -> Job:
    """Reads a response record. Raises SidecarError: `corrupt`, or `bad-input` for a record that is not one."""
    ids, start = read_response(name, response)
    return Job(ids, layers, 0 if all_positions else start)


def parse_positions(request: Mapping[str, Any]) -> bool:
    """Whether the states of all positions are wanted, and not those of the response alone."""
    if request.get("component") != "residual":
        raise bad_input(f"component '{request.get('component')}' is not 'residual'")
    positions = request.get("positions")
    if positions not in ("response", "all"):
        raise bad_input(f"positions '{positions}' is not one of response, all")
    return bool(positions == "all")


def parse_group(value: params.Params) -> Group:
    """One group of the request's `groups`."""
    layers = value.get("layers")
    if not isinstance(layers, list) or not all(type(layer) is int for layer in layers):
        raise params.wrong("layers", "a list of whole numbers", layers)
    if len(set(layers)) < len(layers):
        raise bad_input(f"'layers' {layers} names a layer twice")
    return Group(params.text(value, "id"), parse_ref(params.section(value, "response")), tuple(layers))
