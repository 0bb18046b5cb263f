"""What is looked for, and what a find says."""

from __future__ import annotations

import re
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind's name for people; `secret` where it opens something, and so must be revoked."""

    name: str
    secret: bool


class Hit(NamedTuple):
    """A find: a key of `KINDS` and where it begins in the block, in bytes. The value is not kept."""

    kind: str
    offset: int


class Span(NamedTuple):
    """A find inside the package: `block[start:end]`."""

    start: int
    end: int
    kind: str


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

_ESCAPED = rb"(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})"


def begins(after: bytes) -> bytes:
    r"""The pattern of a left border: not after one of these bytes, unless they end a JSON escape (`\n`, `\u00a0`)."""
    return rb"(?:(?<![%b])|%b)" % (after, _ESCAPED)


def compiled(pattern: bytes, after: bytes = rb"A-Za-z0-9_") -> re.Pattern[bytes]:
    """A pattern of bytes that begins at a border."""
    return re.compile(begins(after) + rb"(?:" + pattern + rb")")
