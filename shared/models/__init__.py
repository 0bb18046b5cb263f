"""Metrics and registration of tuned models."""
