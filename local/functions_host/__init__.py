"""The box's own host for Azure Functions (Python, v2 model): what `func start` would be, without Core Tools."""
