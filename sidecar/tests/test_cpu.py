"""The best architecture is the one whose instructions the kernel names all of, within what torch may use."""

from __future__ import annotations

import math
import platform
from pathlib import Path

import pytest

from sidecar.native import cpu, groups, memory

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


@pytest.mark.parametrize(
    ("own", "files", "wanted"),
    [
        ("0::/box/job\n", {"box/cpu.max": "300000 100000\n", "box/job/cpu.max": "max 100000\n"}, [3.0]),
        ("0::/box/job\n", {"box/cpu.max": "300000 100000\n", "box/job/cpu.max": "150000 100000\n"}, [1.5, 3.0]),
        ("4:cpu,cpuacct:/job\n5:memory:/job\n", {"cpu/job/cpu.cfs_quota_us": "50000\n", "cpu/job/cpu.cfs_period_us": "100000\n"}, [0.5]),
        ("4:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, []),
        (None, {}, []),
    ],
)
def test_a_control_group_allows_a_share_of_the_cpus(
    own: str | None, files: dict[str, str], wanted: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "ROOT", tmp_path / "groups")
    monkeypatch.setattr(groups, "OWN", tmp_path / "own")
    if own is not None:
        (tmp_path / "own").write_text(own)
    for name, text in files.items():
        file = tmp_path / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert sorted(cpu.shares()) == wanted
    assert cpu.cores() == max(1, min([cpu.runnable(), *(math.ceil(share) for share in wanted)]))


@pytest.mark.parametrize(("told", "parts"), [(None, 1), ("1", 1), ("2", 2), ("64", 64)])
def test_sidecars_beside_each_other_take_each_a_part_of_the_cpus_and_of_the_memory(
    told: str | None, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAG_SIDE_BY_SIDE", raising=False)
    cores, whole = cpu.cores(), memory.host_memory()
    if told is not None:
        monkeypatch.setenv("DAG_SIDE_BY_SIDE", told)
    assert (cpu.cores(), memory.host_memory()) == (max(1, cores // parts), whole // parts)
    assert memory.free_host_memory() <= whole // parts
