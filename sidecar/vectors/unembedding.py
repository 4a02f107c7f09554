"""Which tokens a direction of the residual stream stands for: the logit lens (nostalgebraist, "interpreting GPT: the logit
lens", 2020), of a direction in place of a state."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import bad_input

if TYPE_CHECKING:
    import numpy as np
    import torch

    from ..model.base import Base

MEASURES = ("cosine", "logit")

# What architectures of transformers call the norm between their last block and the unembedding.
FINAL_NORMS = ("norm", "final_layernorm", "final_layer_norm", "ln_f", "norm_f")

AT_ONCE = 1 << 26  # numbers of the unembedding that are widened to float32 together: 256 MB


@dataclass(frozen=True)
class Tokens:
    """Of one direction the tokens that it raises most, from the highest value on, then those that it lowers most, the lowest
    last."""

    ids: list[int]
    values: list[float]


def tokens_along(base: Base, directions: np.ndarray, top: int, measure: str) -> list[Tokens]:
    """`top` tokens on either side of each of the float32 `directions` `[directions, hidden]`, none of them 0.

    A direction goes through the final norm at the length that the norm gives every state, without what it adds to every
    state, and through the unembedding. `logit`: what is added to a token's logit, in standard deviations of all from their
    mean. `cosine`: of the direction with what raises a token's logit above the mean of all, so that tokens with long rows,
    which are rare ones, do not come first along any direction. Raises SidecarError of kind `bad-input` for a model of which
    one of the two is not found, and for more tokens than there are.
    """
    import torch

    with torch.inference_mode():
        head = unembedding(base)
        if 2 * top > len(head.ids):
            raise bad_input(f"{top} tokens of either side are more than the {len(head.ids)} of the vocabulary")
        normed, gain = through_final_norm(base, torch.from_numpy(directions).to(base.device))
        raised = torch.cat([(rows @ normed.T).cpu() for rows in head.parts()]).double()
        raised -= raised.mean(dim=0)
        if measure == "cosine":
            values = raised / lengths(head, gain)[:, None] / base.hidden**0.5
        else:
            values = raised / raised.std(dim=0, correction=0)
        order = values.argsort(dim=0, descending=True, stable=True)
        chosen = torch.cat([order[:top], order[-top:]]).T
        return [Tokens(head.ids[of].tolist(), column[of].tolist()) for of, column in zip(chosen, values.T, strict=True)]


@dataclass(frozen=True)
class Unembedding:
    """Its rows that are of pieces of text: none of control tokens, of which many were never trained, and none that only
    pads it."""

    weight: torch.Tensor  # [all rows, hidden], in the model's dtype
    ids: torch.Tensor

    def parts(self) -> Iterator[torch.Tensor]:
        """The rows in float32, some after another: `[some, hidden]`."""
        for ids in self.ids.split(max(1, AT_ONCE // self.weight.shape[1])):
            yield self.weight[ids.to(self.weight.device)].float()


def unembedding(base: Base) -> Unembedding:
    """That of a loaded model. Raises SidecarError of kind `bad-input` where there is none of a row a token."""
    import torch

    head = base.model.get_output_embeddings()
    weight = getattr(head, "weight", None)
    if weight is None or not weight.is_floating_point() or weight.shape[1:] != (base.hidden,):
        raise bad_input(f"{type(base.model).__name__} has no unembedding of {base.hidden} numbers a token")
    known = min(len(base.tokenizer), len(weight))
    return Unembedding(weight, torch.tensor(sorted(set(range(known)) - set(base.tokenizer.added_tokens_decoder))))


def lengths(head: Unembedding, gain: torch.Tensor) -> torch.Tensor:
    """Float64 `[tokens]`: how long each row is without the mean of all, with the final norm's gain."""
    import torch

    sums = [rows.sum(dim=0).cpu().double() for rows in head.parts()]
    mean = (torch.stack(sums).sum(dim=0) / len(head.ids)).float().to(gain.device)
    found = torch.cat([((rows - mean) * gain).norm(dim=1).cpu() for rows in head.parts()]).double()
    return found.clamp_min(torch.finfo(torch.float32).tiny)


def through_final_norm(base: Base, directions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Float32 `[directions, hidden]`: what the final norm, widened to float32, makes of each, less what it makes of nothing;
    and what it multiplies every number with, `[hidden]`."""
    import torch

    norm = next((module for name, module in base.decoder.named_children() if name in FINAL_NORMS), None)
    if norm is None:
        raise bad_input(f"{type(base.decoder).__name__} has no final norm of a known name ({', '.join(FINAL_NORMS)})")
    wide = copy.deepcopy(norm).float()
    vars(wide).pop("forward", None)  # a kernel's, which is of the module it was made for
    nothing = wide(directions.new_zeros(1, base.hidden))
    normed: torch.Tensor = wide(directions * (base.hidden**0.5 / directions.norm(dim=1, keepdim=True))) - nothing
    # Of mean 0 and length 1 a number, so that norms with a mean of their own leave it as it is.
    signs = torch.where(torch.arange(base.hidden, device=directions.device) % 2 == 0, 1.0, -1.0)
    return normed, (wide(signs[None]) - nothing)[0] * signs
