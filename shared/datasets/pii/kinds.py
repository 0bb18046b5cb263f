"""What is looked for, and what a find says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

Block = bytes | bytearray | memoryview


class Kind(NamedTuple):
    """A kind's name for people; `secret` where it opens something, and so must be revoked."""

    name: str
    secret: bool


class Hit(NamedTuple):
    """A find: a key of `KINDS` and where it begins in the block, in bytes. The value is not kept."""

    kind: str
    offset: int


class Span(NamedTuple):
    """A find with its end: `block[start:end]`."""

    kind: str
    start: int
    end: int


class Finder(NamedTuple):
    """Two ways to the same finds: in the whole block, or near the ends of an expression that each of them contains.

    `expression` is one of hyperscan's, without borders; `anywhere` needs `bytes`.
    """

    expression: bytes
    near: Callable[[Block, list[int]], Iterable[Span]]
    anywhere: Callable[[bytes], Iterator[Span]]


KINDS = {
    "aws_access_key": Kind("AWS access key", True),
    "github_token": Kind("GitHub token", True),
    "gitlab_token": Kind("GitLab token", True),
    "openai_key": Kind("OpenAI key", True),
    "anthropic_key": Kind("Anthropic key", True),
    "google_api_key": Kind("Google API key", True),
    "slack_token": Kind("Slack token", True),
    "stripe_key": Kind("Stripe key", True),
    "huggingface_token": Kind("Hugging Face token", True),
    "azure_storage_key": Kind("Azure storage key", True),
    "azure_sas": Kind("Azure shared access signature", True),
    "sendgrid_key": Kind("SendGrid key", True),
    "npm_token": Kind("npm token", True),
    "pypi_token": Kind("PyPI token", True),
    "private_key": Kind("private key", True),
    "jwt": Kind("JSON web token", True),
    "card": Kind("card number", False),
    "iban": Kind("bank account (IBAN)", False),
    "email": Kind("e-mail address", False),
    "phone": Kind("phone number", False),
    "us_ssn": Kind("US social security number", False),
}


def border(after: bytes, width: int) -> bytes:
    r"""The left border of a value, told when its first `width` bytes are read, for `re` seeks a known beginning fast.

    Not after a byte of the class `after`, unless that byte ends a JSON escape (`\n`, `\u00a0`).
    """
    read = b"[\\x00-\\xff]{%d}" % width
    return rb"(?:(?<![%b]%b)|(?<=\\[bfnrt]%b)|(?<=\\u[0-9A-Fa-f]{4}%b))" % (after, read, read, read)
