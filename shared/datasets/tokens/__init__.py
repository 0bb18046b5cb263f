"""Tokens of a dataset: by the base model's own tokenizer where it is at hand, else an estimate that says so."""

from shared.datasets.tokens.base_models import context_tokens
from shared.datasets.tokens.counters import Counter, TokenizerError, estimated, from_file
from shared.datasets.tokens.reckoned import near_limit, of_rows, summary

__all__ = ["Counter", "TokenizerError", "context_tokens", "estimated", "from_file", "near_limit", "of_rows", "summary"]
