r"""Keys and tokens, each found by the literal that it begins with.

Forms: gitleaks' published rules (github.com/gitleaks/gitleaks, config/gitleaks.toml) and the issuers' own pages; no
rule without a literal of three bytes or more, because the prefilter looks for the literals alone. `/` may stand as `\/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shared.datasets.pii.kinds import Span, compiled

_END = rb"(?![A-Za-z0-9])"
_SAS = rb"sig=(?:[A-Za-z0-9+]|\\?/|%2[BbFf]){43}(?:=|%3[Dd])"
_FORMS: tuple[tuple[str, bytes, re.Pattern[bytes]], ...] = (
    ("aws_access_key", b"AKIA", compiled(rb"AKIA[A-Z2-7]{16}" + _END)),
    ("aws_access_key", b"ASIA", compiled(rb"ASIA[A-Z2-7]{16}" + _END)),
    *(("github_token", b"gh%c_" % one, compiled(rb"gh%c_[A-Za-z0-9]{36}" % one + _END)) for one in b"pousr"),
    ("github_token", b"github_pat_", compiled(rb"github_pat_[A-Za-z0-9_]{82}" + _END)),
    ("gitlab_token", b"glpat-", compiled(rb"glpat-[A-Za-z0-9_-]{20}")),
    ("anthropic_key", b"sk-", compiled(rb"sk-ant-(?:api|admin)\d\d-[A-Za-z0-9_-]{80,120}")),
    ("openai_key", b"sk-", compiled(rb"sk-(?!ant-)[A-Za-z0-9_-]{20,90}T3BlbkFJ[A-Za-z0-9_-]{20,90}")),
    ("google_api_key", b"AIza", compiled(rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")),
    *(("slack_token", b"xox%c-" % one, compiled(rb"xox.-\d{10,13}-[A-Za-z0-9-]{20,90}")) for one in b"abeprs"),
    ("stripe_key", b"sk_live_", compiled(rb"sk_live_[A-Za-z0-9]{16,99}" + _END)),
    ("stripe_key", b"rk_live_", compiled(rb"rk_live_[A-Za-z0-9]{16,99}" + _END)),
    ("huggingface_token", b"hf_", compiled(rb"hf_[A-Za-z]{34}" + _END)),
    ("azure_storage_key", b"AccountKey=", compiled(rb"AccountKey=(?:[A-Za-z0-9+]|\\?/){86}==")),
    ("azure_sas", b"sig=", re.compile(rb"(?:(?<=[?&;])|(?<=\\u0026))" + _SAS)),
    ("sendgrid_key", b"SG.", compiled(rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}")),
    ("npm_token", b"npm_", compiled(rb"npm_[A-Za-z0-9]{36}" + _END)),
    ("pypi_token", b"pypi-AgEI", compiled(rb"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,200}")),
    ("private_key", b"-----BEGIN", re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")),
    (
        "jwt",
        b"eyJ",  # not after a dot or dash: a token is entered once, however long it is
        compiled(rb"eyJ[\w-]{14,4096}\.eyJ[\w-]{14,8192}\.[\w-]{20,2048}", rb"A-Za-z0-9_.-"),
    ),
)
LITERALS = tuple(sorted({literal for _, literal, _ in _FORMS}))
_BY_LITERAL = [tuple((kind, form) for kind, known, form in _FORMS if known == one) for one in LITERALS]
_NOBODYS = (
    b"EXAMPLE",  # AWS's documentation: AKIAIOSFODNN7EXAMPLE
    b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq",  # Azurite's well-known account
)
_FEW_LETTERS = 10


def secrets(block: bytes, places: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Every secret that begins at a place: an offset, and which of `LITERALS` stands there."""
    for start, literal in places:
        for kind, form in _BY_LITERAL[literal]:
            if (found := form.match(block, start)) and (kind == "private_key" or _somebodys(found[0])):
                yield Span(start, found.end(), kind)
                break


def _somebodys(value: bytes) -> bool:
    """Tells a key from a placeholder such as `ghp_xxxx…`."""
    return len(set(value)) >= _FEW_LETTERS and not any(known in value for known in _NOBODYS)
