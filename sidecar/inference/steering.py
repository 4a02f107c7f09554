"""Adds a direction to the residual stream while a model answers: activation addition (Turner et al. 2023, arXiv 2308.10248)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import bad_input

if TYPE_CHECKING:
    import torch

    from ..model.base import Base


@dataclass(frozen=True)
class Steering:
    """What is added to the output of block `layer` at every token of a prompt and of its answer: a row of `additions`,
    float32 `[prompts, hidden]`, for each prompt."""

    layer: int
    additions: torch.Tensor


class Steered:
    """A model that is being steered. It must be told which prompts the rows are that it runs next."""

    def __init__(self, base: Base, steering: Steering) -> None:
        self._additions = steering.additions.to(base.device, base.model.dtype)
        self._rows = self._additions[:0]

    def run_next(self, rows: Sequence[int]) -> None:
        """The next runs are of these prompts, a row each."""
        self._rows = self._additions[list(rows)]

    def hook(self, module: torch.nn.Module, inputs: Any, output: Any) -> Any:
        """The block's output with each row's addition."""
        residual = output[0] if isinstance(output, tuple) else output
        rows, hidden = self._rows.shape
        if residual.ndim != 3 or (residual.shape[0], residual.shape[2]) != (rows, hidden):
            raise bad_input(f"{type(module).__name__} hands on {list(residual.shape)}, where {rows} rows of {hidden} numbers a token are steered")
        moved = residual + self._rows[:, None].to(residual.device)
        return (moved, *output[1:]) if isinstance(output, tuple) else moved


@contextmanager
def steered(base: Base, steering: Steering) -> Iterator[Steered]:
    """The base is steered inside, and as it was afterwards. Raises SidecarError of kind `bad-input` for a layer that it does
    not have."""
    if not 0 <= steering.layer < len(base.blocks):
        raise bad_input(f"layer {steering.layer} is not one of the model's {len(base.blocks)}")
    state = Steered(base, steering)
    handle = base.blocks[steering.layer].register_forward_hook(state.hook)
    try:
        yield state
    finally:
        handle.remove()
