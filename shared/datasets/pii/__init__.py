"""Personal data and secrets by their well-known forms: a kind and an offset, never the value."""

from shared.datasets.pii.kinds import KINDS, Hit, Kind, Span
from shared.datasets.pii.scanner import Scanner

__all__ = ["KINDS", "Hit", "Kind", "Scanner", "Span"]
