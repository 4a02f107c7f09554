"""The one error type that crosses the wire, and the kinds it may have."""

from __future__ import annotations

from typing import Literal

Kind = Literal["corrupt", "out-of-memory", "disk-full", "bad-input", "protocol", "internal"]


class SidecarError(Exception):
    """A failure the engine can act on. `digest` names the damaged input when `kind` is `corrupt`."""

    def __init__(self, kind: Kind, message: str, digest: str | None = None) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.digest = digest


def bad_input(message: str) -> SidecarError:
    """The request asks for something that cannot be done; the message says what and where."""
    return SidecarError("bad-input", message)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` means that memory ran out, on an accelerator (a torch class of its own) or on the host.

    Matched by name and text so that torch need not be imported to ask.
    """
    if isinstance(error, MemoryError) or type(error).__name__ in ("OutOfMemoryError", "AcceleratorOutOfMemoryError"):
        return True
    return isinstance(error, RuntimeError) and any(
        sign in str(error) for sign in ("DefaultCPUAllocator", "can't allocate memory", "out of memory")
    )
