"""Files that somebody else wrote, read without running what is in them."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

from ..errors import bad_input
from .shards import digest_of


def plain_value(data: bytes, what: str) -> object:
    """What a `.pt` file holds. Tensors and plain values are unpickled, never code: `weights_only=True`.

    Raises ValueError, with `what` the file should be, when that does not give a value.
    """
    import torch

    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise ValueError(f"it is no file of {what} ({first})") from None


def read_recorded(path: Path, digest: str) -> bytes:
    """The bytes of a file that the engine knows by `digest`. Raises SidecarError of kind `bad-input` for others."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise bad_input(f"{path} cannot be read ({error.strerror}): run again") from None
    if digest_of(data) != digest:
        raise bad_input(f"{path} changed while the run went on: run again")
    return data
