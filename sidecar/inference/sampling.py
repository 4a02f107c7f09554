"""Picks the next token of every row of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class Sampler:
    """Greedy at temperature 0, otherwise sampling with a random stream per row.

    A row draws one uniform number a token from a generator of its own (on the CPU, so that every device draws the
    same) and takes the token where the cumulative distribution over the vocabulary, in vocabulary order, passes it.
    What else is in the batch can only act through the rounding of the logits.
    """

    def __init__(self, seeds: Sequence[int], temperature: float, top_p: float) -> None:
        import torch

        self._temperature = temperature
        self._top_p = top_p
        self._streams = [torch.Generator().manual_seed(seed) for seed in seeds] if temperature > 0 else []

    def pick(self, logits: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        """The next ids `[rows]` for `logits` `[rows, vocabulary]`; `rows` are the positions of their seeds."""
        import torch

        if self._temperature == 0:
            return logits.max(dim=-1).indices  # the first of the likeliest, as argmax, which is several times slower on a CPU
        chances = torch.softmax(logits.float() / self._temperature, dim=-1)
        if self._top_p < 1:
            chances = nucleus(chances, self._top_p)
        drawn = torch.cat([torch.rand(1, generator=self._streams[row]) for row in rows]).to(logits.device)
        reached = chances.cumsum(dim=-1)
        # The sum may differ from 1 in the last bits, and a draw of 0 may not fall on a token without any chance.
        point = (drawn * reached[:, -1])[:, None]
        picked = torch.searchsorted(reached, point, right=True).squeeze(-1)
        # The draw can round up to the whole sum: that is the last token with a chance.
        ids = torch.arange(chances.shape[-1], device=chances.device)
        last = torch.where(chances > 0, ids, 0).amax(dim=-1)
        return torch.minimum(picked, last)


def nucleus(chances: torch.Tensor, top_p: float) -> torch.Tensor:
    """`chances` `[rows, vocabulary]` with everything but the fewest likeliest tokens that hold `top_p` set to 0.

    Holtzman et al., "The Curious Case of Neural Text Degeneration" (arXiv 1904.09751), section 3.1.
    """
    ordered, order = chances.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered
    return chances.scatter(-1, order, ordered.masked_fill(before >= top_p, 0.0))
