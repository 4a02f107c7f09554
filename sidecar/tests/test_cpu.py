"""The best architecture is the one whose instructions the kernel names all of, within what torch may use."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from sidecar.native import cpu

OLD = "fpu sse sse2 avx"
AVX2 = f"{OLD} avx2 bmi1 bmi2 f16c fma abm movbe"
AVX512 = f"{AVX2} avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.mark.parametrize(
    ("machine", "flags", "most", "wanted"),
    [
        ("x86_64", AVX512, "", "x86-64-v4"),
        ("x86_64", AVX512.replace(" avx512vl", ""), "", "x86-64-v3"),
        ("x86_64", AVX512, "avx2", "x86-64-v3"),
        ("x86_64", AVX512, "default", None),
        ("x86_64", OLD, "", None),
        ("x86_64", None, "", None),
        ("aarch64", None, "", "armv8-a"),
        ("aarch64", None, "default", "armv8-a"),
        ("riscv64", None, "", None),
    ],
)
def test_the_architecture_is_the_best_that_a_cpu_has(
    machine: str, flags: str | None, most: str, wanted: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "cpuinfo"
    if flags is not None:
        told.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(cpu, "FEATURES", told)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", most)
    assert cpu.architecture.__wrapped__() == wanted


def test_what_the_kernel_does_not_tell_of_a_cpu_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "cpuinfo"
    monkeypatch.setattr(cpu, "FEATURES", told)
    assert (cpu.processor(), cpu.features()) == (None, set())
    told.write_text("processor\t: 0\nmodel name\t: Big CPU @ 3 GHz\nflags\t\t: a b\n\nprocessor\t: 1\nmodel name\t: Other\n")
    assert (cpu.processor(), cpu.features()) == ("Big CPU @ 3 GHz", {"a", "b"})
