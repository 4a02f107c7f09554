"""The inference sidecar: one process that holds a base model and works for the engine that started it.

Importing the package keeps every Hugging Face library off the network: models are folders on disk here, and a
name that is not one must be an error at once, never a download.
"""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
