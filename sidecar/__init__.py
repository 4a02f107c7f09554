"""The inference sidecar: one process that holds a base model and works for the engine that started it.

Importing the package sets what the libraries read from the environment when they are loaded. Every Hugging Face
library is kept off the network: models are folders on disk here, and a name that is not one must be an error at once,
never a download. Threads that wait for each other spin for some microseconds and then sleep. Spinning for long, they
hold the core that the one they wait for needs, and on a machine that is busy otherwise a decoding step takes ten times
as long; sleeping at once, a step takes twice as long on an idle one.
"""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
