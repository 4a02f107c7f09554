"""This CPU and its memory: what is compiled for it, and the layers and the attention that use it."""
