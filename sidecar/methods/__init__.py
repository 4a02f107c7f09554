"""The protocol's methods, one module each: `run(request, resident, progress)`."""
