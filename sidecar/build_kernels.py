"""Compiles kernels.c for this kind of CPU: `python -m sidecar.build_kernels`, part of the set-up.

One library for each instruction set that torch tells apart, in the Python environment and named after the source, so
that none is ever used with another source. Where there is no gcc, exit code 1 with the reason: inference then goes
without.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("kernels.c")
# gcc's name of what each of torch's instruction sets has, by the kind of machine.
ARCHITECTURES = {"x86_64": {"AVX512": "x86-64-v4", "AVX2": "x86-64-v3"}, "aarch64": {"DEFAULT": "armv8-a"}}
FLAGS = ("-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wno-psabi", "-fopenmp", "-shared", "-fPIC")
WIDE = ("-mprefer-vector-width=512",)


def architectures() -> dict[str, str]:
    """Those of this kind of machine."""
    return ARCHITECTURES.get(platform.machine(), {})


def library_for(architecture: str, digest: str | None = None) -> Path:
    """Where the library for gcc's `architecture` is, by default the one built of the source that is here."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16] if digest is None else digest
    return Path(sys.prefix) / "lib" / f"dag-kernels-{architecture}-{digest}.so"


def built() -> bool:
    """Whether every library for this kind of machine is there."""
    wanted = architectures().values()
    return len(wanted) > 0 and all(library_for(architecture).is_file() for architecture in wanted)


def build(compiler: str, architecture: str) -> None:
    """Compiles one library; those of former sources go. Raises CalledProcessError when gcc refuses."""
    target = library_for(architecture)
    for former in target.parent.glob(library_for(architecture, "*").name):
        former.unlink()
    unfinished = target.with_suffix(".new")
    wide = WIDE if architecture.startswith("x86") else ()
    subprocess.run([compiler, *FLAGS, *wide, f"-march={architecture}", "-o", unfinished, SOURCE, "-lm"], check=True)
    os.replace(unfinished, target)


def main() -> int:
    compiler = shutil.which("gcc")
    if compiler is None or not architectures():
        print("there is no gcc" if architectures() else f"not written for {platform.machine()}", file=sys.stderr)
        return 1
    try:
        for architecture in architectures().values():
            build(compiler, architecture)
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
