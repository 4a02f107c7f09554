"""The sidecar in a control group of memory: `python in-cgroup.py GROUP`, GROUP being a folder of the kernel's."""

import os
import sys
from pathlib import Path

group = Path(sys.argv[1])
(group / "cgroup.procs").write_text(str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "sidecar"])
