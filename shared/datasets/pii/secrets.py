r"""Keys and tokens, each found by a literal that it begins with or contains.

Forms: after gitleaks' rules (github.com/gitleaks/gitleaks, config/gitleaks.toml at b58d3f1). Wider: OpenAI's and
Anthropic's keys, whose lengths change. Narrower: Stripe's without `test`, AWS's two commonest heads, a JSON web token
by `{"` in both parts. Azure's: Microsoft's pages on connection strings and service signatures. `/` may stand as `\/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, partial
from typing import NamedTuple

from shared.datasets.pii.kinds import Block, Finder, Span, border

_WORD = rb"A-Za-z0-9_"
_END = rb"(?![A-Za-z0-9])"
_IN_URL = rb"(?:(?<=[?&;]sig=)|(?<=\\u0026sig=))"


class _Form(NamedTuple):
    """A value: one of `heads`, all of one length, at a border, then `tail`; `mark` where it is looked for in its midst."""

    kind: str
    heads: tuple[bytes, ...]
    tail: bytes
    border: bytes
    mark: bytes = b""


def _form(kind: str, heads: bytes, tail: bytes, after: bytes = _WORD) -> _Form:
    first = tuple(heads.split())
    return _Form(kind, first, tail, border(after, len(first[0])))


_FORMS = (
    _form("aws_access_key", b"AKIA ASIA", rb"[A-Z2-7]{16}" + _END),
    _form("github_token", b"ghp_ gho_ ghu_ ghs_ ghr_", rb"[A-Za-z0-9]{36}" + _END),
    _form("github_token", b"github_pat_", rb"[A-Za-z0-9_]{82}" + _END),
    _form("gitlab_token", b"glpat-", rb"[\w-]{20}"),
    _form("anthropic_key", b"sk-ant-", rb"(?:api|admin)\d\d-[\w-]{80,120}"),
    _form("openai_key", b"sk-", rb"(?!ant-)[\w-]{20,90}T3BlbkFJ[\w-]{20,90}")._replace(mark=b"T3BlbkFJ"),
    _form("google_api_key", b"AIz", rb"a[\w-]{35}(?![\w-])"),
    _form("slack_token", b"xoxa- xoxb- xoxe- xoxp- xoxr- xoxs-", rb"\d{10,13}-[A-Za-z0-9-]{20,90}"),
    _form("stripe_key", b"sk_live_ rk_live_", rb"[A-Za-z0-9]{16,99}" + _END),
    _form("huggingface_token", b"hf_", rb"[A-Za-z]{34}" + _END),
    _form("azure_storage_key", b"AccountKey=", rb"(?:[A-Za-z0-9+]|\\?/){86}=="),
    _Form("azure_sas", (b"sig=",), rb"(?:[A-Za-z0-9+]|\\?/|%2[BbFf]){43}(?:=|%3[Dd])", _IN_URL),
    _form("sendgrid_key", b"SG.", rb"[\w-]{22}\.[\w-]{43}"),
    _form("npm_token", b"npm_", rb"[A-Za-z0-9]{36}" + _END),
    _form("pypi_token", b"pypi-AgEI", rb"cHlwaS5vcmc[\w-]{50,1000}"),
    _Form("private_key", (b"-----BEGIN",), rb" (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----", b""),
    # not after a dot or dash: a token is entered once, however long it is
    _form("jwt", b"eyJ", rb"[\w-]{14,4096}+\.eyJ[\w-]{14,8192}+\.[\w-]{20,2048}", _WORD + rb".\-"),
)
_NOBODYS = (
    b"EXAMPLE",  # AWS's documentation: AKIAIOSFODNN7EXAMPLE
    b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq",  # Azurite's well-known account
)
_FEW_LETTERS, _MARK_WITHIN = 10, 128


@cache
def _pattern(form: _Form) -> re.Pattern[bytes]:
    return re.compile(rb"(?:%b)%b%b" % (b"|".join(map(re.escape, form.heads)), form.border, form.tail))


def _near(form: _Form, block: Block, ends: list[int]) -> Iterator[Span]:
    """The values whose head, or mark, ends here, from left to right, as `finditer` would find them."""
    done, match = 0, _pattern(form).match
    for start in _marked(form, block, ends) if form.mark else (end - len(form.heads[0]) for end in ends):
        if start >= done and (found := match(block, start)):
            done = found.end()
            yield from _kept(form, found)


def _marked(form: _Form, block: Block, ends: list[int]) -> list[int]:
    """The heads so near before a mark that it may be theirs."""
    head = re.compile(re.escape(form.heads[0]))
    return sorted({found.start() for end in ends for found in head.finditer(block, max(0, end - _MARK_WITHIN), end)})


def _anywhere(form: _Form, block: bytes) -> Iterator[Span]:
    if any(word in block for word in ((form.mark,) if form.mark else form.heads)):
        for found in _pattern(form).finditer(block):
            yield from _kept(form, found)


def _kept(form: _Form, found: re.Match[bytes]) -> Iterator[Span]:
    """The value, unless it is a placeholder such as `ghp_xxxx…`."""
    known = form.kind != "private_key" and (
        len(set(found[0])) < _FEW_LETTERS or any(nobodys in found[0] for nobodys in _NOBODYS)
    )
    if not known:
        yield Span(form.kind, found.start(), found.end())


def _expression(form: _Form) -> bytes:
    return rb"(?:%b)" % b"|".join(map(re.escape, (form.mark,) if form.mark else form.heads))


FINDERS = tuple(Finder(_expression(form), partial(_near, form), partial(_anywhere, form)) for form in _FORMS)
