"""Azurite, started by our own script, which tells Event Grid of every committed blob."""
