"""A webhook's address: what it looks like, whose host it may have, and where that host may be. Rules alone, no network.

    place = parse("https://hooks.slack.com/services/T0/B0/secret")
    listed(place, frozenset({"hooks.slack.com"}))   # True; `*.example.com` lists every host below, `HOST:PORT` a port
    may_be_called("169.254.169.254")                # False: an address of the cloud's own, of nobody else

Path and query are secrets (whoever knows Slack's may write there): people are shown the host alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_ADDRESS = re.compile(
    r"(?i:https)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>(?:[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]*)?)"
)
_LISTED = re.compile(r"(?:\*\.(?=[^:]*\.))?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[1-9][0-9]{0,4})?")
MOST, HTTPS = 2048, 443

# What somebody's own network has. Link-local addresses are not among them: there the cloud tells its secrets.
_OWN = [ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1")]
_AZURES = IPv4Address("168.63.129.16")  # public by its number: the virtual machine's own platform, wherever it runs
_UNICAST, _RELAYED = ip_network("2000::/3"), (ip_network("2002::/16"), ip_network("192.88.99.0/24"))  # 6to4
_TRANSLATED = ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Webhook:
    """Where a webhook is; `target` is its path and query, a secret."""

    host: str
    port: int
    target: str = field(repr=False)

    @property
    def place(self) -> str:
        """What people may be shown of it."""
        return self.host if self.port == HTTPS else f"{self.host}:{self.port}"


def parse(address: str) -> Webhook:
    """The webhook of an address.

    Raises:
        ValueError: it is none, or no HTTPS, or has a user name or a fragment; what is said repeats nothing of it.
    """
    if not address.lower().startswith("https://"):
        raise ValueError("must begin with https://")
    authority = re.split(r"[/?#\\]", address[len("https://") :], maxsplit=1)[0]
    if "@" in authority:
        raise ValueError("must have no user name or password")
    if "#" in address:
        raise ValueError("must have no fragment (#)")
    found = _ADDRESS.fullmatch(address)
    if found is None or len(address) > MOST or int(found["port"] or HTTPS) > 65535 or ".." in found["host"]:
        raise ValueError("is no address of a host: letters, digits, dots and dashes, then perhaps a port, and a path")
    target = found["target"]
    return Webhook(found["host"].lower(), int(found["port"] or HTTPS), target if target[:1] == "/" else f"/{target}")


def hosts(text: str) -> frozenset[str]:
    """The entries of an operator's list, comma-separated.

    Raises:
        ValueError: one is no host.
    """
    entries = frozenset(part.strip().lower() for part in text.split(",") if part.strip())
    for entry in entries:
        if not _LISTED.fullmatch(entry):
            raise ValueError(f"{entry!r} is no host: write hooks.example.com, *.example.com or hooks.example.com:8443")
    return entries


def listed(webhook: Webhook, entries: Collection[str]) -> bool:
    """Whether a list has a webhook's host at its port; an entry without one means 443."""
    port = "" if webhook.port == HTTPS else f":{webhook.port}"
    labels = webhook.host.split(".")
    names = (webhook.host, *(f"*.{'.'.join(labels[at:])}" for at in range(1, len(labels))))
    return any(f"{name}{port}" in entries or f"{name}:{webhook.port}" in entries for name in names)


def may_be_called(address: str, *, private: bool = False) -> bool:
    """Whether an IP address is one of the internet, or, where that is allowed, of somebody's own network.

    Never: link-local (there clouds answer with tokens), multicast, reserved and documentation addresses, Azure's own
    168.63.129.16, and addresses that lead to another network through a relay.

    Raises:
        ValueError: it is no IP address.
    """
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or (IPv4Address(int(found) & 0xFFFFFFFF) if found in _TRANSLATED else None)
        if inner is not None:
            return may_be_called(str(inner), private=private)
    if private and any(found in net for net in _OWN):
        return True
    return _is_public(found)


def _is_public(found: IPv4Address | IPv6Address) -> bool:
    if not found.is_global or found.is_multicast or found.is_reserved or found.is_link_local or found == _AZURES:
        return False
    return (isinstance(found, IPv4Address) or found in _UNICAST) and not any(found in net for net in _RELAYED)
