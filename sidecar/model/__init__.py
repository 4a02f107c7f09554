"""A base model and the adapters on it, from their folders into memory."""
