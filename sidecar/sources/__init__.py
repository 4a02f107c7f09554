"""Programs of their own that bring models to this machine."""
