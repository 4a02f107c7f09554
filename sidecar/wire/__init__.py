"""What the engine says and is told: frames, messages, params, progress, signs of life."""
