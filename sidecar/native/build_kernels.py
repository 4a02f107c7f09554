"""Compiles what is written in C for this kind of CPU: `python -m sidecar.native.build_kernels`, part of the set-up.

One library of each source for each instruction set, in the Python environment and named after the sources, so that none
is ever used with others. Where there is no gcc, exit code 1 with the reason: the sidecar then goes without.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import cpu

HERE = Path(__file__).parent
FLAGS = ("-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wno-psabi", "-shared", "-fPIC")
WIDE = ("-mprefer-vector-width=512",)


@dataclass(frozen=True)
class Source:
    """A file that is compiled, and what it needs beside `FLAGS`."""

    name: str
    flags: tuple[str, ...] = ()

    @property
    def file(self) -> Path:
        return HERE / f"{self.name}.c"

    @functools.cached_property
    def digest(self) -> str:
        """Changes with this file and with the headers."""
        files = (self.file, *sorted(HERE.glob("*.h")))
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]

    def library(self, architecture: str, digest: str | None = None) -> Path:
        """Where the library for gcc's `architecture` is, by default the one built of the sources that are here."""
        return Path(sys.prefix) / "lib" / f"dag-{self.name}-{architecture}-{self.digest if digest is None else digest}.so"

    def open(self) -> ctypes.CDLL | None:
        """The library for this CPU, None where it was not built."""
        architecture = cpu.architecture()
        if architecture is None or not (path := self.library(architecture)).is_file():
            return None
        return ctypes.CDLL(str(path))


KERNELS = Source("kernels", ("-fopenmp",))
PROJECTIONS = Source("projections")
TILES = Source("tiles", ("-fopenmp",))
DOTS = Source("dots", ("-fopenmp",))
SOURCES = (KERNELS, PROJECTIONS, TILES, DOTS)


def built() -> bool:
    """Whether every library for this kind of machine is there."""
    wanted = cpu.architectures()
    return len(wanted) > 0 and all(source.library(architecture).is_file() for source in SOURCES for architecture in wanted)


def build(compiler: str, source: Source, architecture: str) -> None:
    """Compiles one library; those of former sources go. Raises CalledProcessError when gcc refuses."""
    target = source.library(architecture)
    for former in target.parent.glob(source.library(architecture, "*").name):
        former.unlink()
    unfinished = target.with_suffix(".new")
    flags = (*FLAGS, *source.flags, *(WIDE if architecture.startswith("x86") else ()), f"-march={architecture}")
    subprocess.run([compiler, *flags, "-o", unfinished, source.file, "-lm"], check=True)
    os.replace(unfinished, target)


def main() -> int:
    compiler, wanted = shutil.which("gcc"), cpu.architectures()
    if compiler is None or not wanted:
        print("there is no gcc" if wanted else f"not written for {platform.machine()}", file=sys.stderr)
        return 1
    try:
        for source in SOURCES:
            for architecture in wanted:
                build(compiler, source, architecture)
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
