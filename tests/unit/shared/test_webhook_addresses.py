"""A webhook's address: what is taken for one, whose host is listed, and where a host may be."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsError
from shared.settings import read
from shared.webhook import Webhook, hosts, listed, may_be_called, parse

SECRET = "B0secret"
OURS = [ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")]
NEVER = ("0.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "192.0.2.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4")


@pytest.mark.parametrize(
    ("address", "host", "port", "target"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", "hooks.slack.com", 443, "/services/T0/B0/x"),
        ("HTTPS://Hooks.Slack.COM/X", "hooks.slack.com", 443, "/X"),
        ("https://a.example:8443?sig=a%2Fb&x=1", "a.example", 8443, "/?sig=a%2Fb&x=1"),
        ("https://a.example", "a.example", 443, "/"),
    ],
)
def test_an_address_has_a_host_a_port_and_a_target(address: str, host: str, port: int, target: str) -> None:
    assert parse(address) == Webhook(host, port, target)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.slack.com/x",
        f"http://hooks.slack.com/{SECRET}",
        f"ftp://hooks.slack.com/{SECRET}",
        f"https://user:{SECRET}@hooks.slack.com/",
        f"https://hooks.slack.com@evil.example/{SECRET}",
        f"https://hooks.slack.com\\@evil.example/{SECRET}",
        f"https://hooks.slack.com/{SECRET}#x",
        f"https://hooks.slack.com /{SECRET}",
        f"https://hooks.slack.com/{SECRET}\r\nHost: evil.example",
        f"https://hooks.slack.com/{SECRET}\n",
        f"https://hooks.slack.com:0/{SECRET}",
        f"https://hooks.slack.com:65536/{SECRET}",
        f"https://[::1]/{SECRET}",
        f"https://höoks.example/{SECRET}",
        f"https://hooks..example/{SECRET}",
        f"https://-hooks.example/{SECRET}",
        f"https:///{SECRET}",
        f"https://{'a' * 300}.example/{SECRET}",
        f"https://a.example/{SECRET * 500}",
    ],
)
def test_what_is_no_plain_address_over_https_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(ValueError, match=r"must|is no address") as told:
        parse(address)
    assert SECRET not in str(told.value)


@given(st.text("ab.-:/@?#\\[]8%&", max_size=40).map(lambda text: f"https://{text}"))
def test_whatever_is_taken_is_what_an_url_parser_reads_too(address: str) -> None:
    from yarl import URL

    try:
        place = parse(address)
    except ValueError:
        return
    read_again = URL(address, encoded=True)
    assert (read_again.host, read_again.port, read_again.user) == (place.host, place.port, None)


def test_the_secret_part_is_not_in_what_a_log_would_print() -> None:
    assert SECRET not in repr(parse(f"https://a.example:8443/{SECRET}"))
    assert parse(f"https://a.example:8443/{SECRET}").place == "a.example:8443"


@pytest.mark.parametrize(
    ("address", "entries", "is_listed"),
    [
        ("https://hooks.slack.com/x", "hooks.slack.com", True),
        ("https://hooks.slack.com/x", "hooks.slack.com:443", True),
        ("https://hooks.slack.com/x", "HOOKS.slack.com , b.example", True),
        ("https://hooks.slack.com/x", "", False),
        ("https://slack.com/x", "hooks.slack.com", False),
        ("https://evil-hooks.slack.com/x", "hooks.slack.com", False),
        ("https://hooks.slack.com.evil.example/x", "hooks.slack.com", False),
        ("https://hooks.slack.com:8443/x", "hooks.slack.com", False),
        ("https://hooks.slack.com:8443/x", "hooks.slack.com:8443", True),
        ("https://hooks.slack.com/x", "hooks.slack.com:8443", False),
        ("https://acme.webhook.office.com/x", "*.webhook.office.com", True),
        ("https://a.b.webhook.office.com/x", "*.webhook.office.com", True),
        ("https://webhook.office.com/x", "*.webhook.office.com", False),
        ("https://evilwebhook.office.com/x", "*.webhook.office.com", False),
    ],
)
def test_a_host_is_listed_as_a_whole_or_below_a_star(address: str, entries: str, is_listed: bool) -> None:
    assert listed(parse(address), hosts(entries)) is is_listed


@pytest.mark.parametrize("entries", ["https://a.example", "a.example/x", "*", "*.com", "a b", "a.example:http"])
def test_a_list_that_says_something_else_is_refused_with_the_settings_name(entries: str) -> None:
    with pytest.raises(SettingsError, match="DROPTUNE_WEBHOOK_HOSTS"):
        read({"DROPTUNE_WEBHOOK_HOSTS": entries})


def test_no_host_is_listed_unless_the_operator_says_so() -> None:
    assert (read({}).webhook_hosts, read({}).webhook_private_hosts) == (frozenset(), frozenset())


@given(st.sampled_from(OURS), st.integers(0, 2**24 - 1))
def test_private_addresses_are_called_only_where_that_is_allowed(net: object, number: int) -> None:
    network = ip_network(str(net))
    address = network[number % network.num_addresses]
    for written in written_ways(str(address)):
        assert not may_be_called(written)
        assert may_be_called(written, private=True)


@given(st.sampled_from(NEVER), st.integers(0, 2**28 - 1), st.booleans())
def test_link_local_multicast_and_reserved_addresses_are_never_called(net: str, number: int, private: bool) -> None:
    network = ip_network(net)
    for written in written_ways(str(network[number % network.num_addresses])):
        assert not may_be_called(written, private=private)


def written_ways(address: str) -> list[str]:
    """An IPv4 address, and as IPv6 writes it: mapped, and as a translator of the network does."""
    number = int(IPv4Address(address))
    return [address, f"::ffff:{address}", str(IPv6Address(int(ip_address("64:ff9b::")) + number))]


CLOUDS = "168.63.129.16 169.254.169.254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 :: 0.0.0.0 255.255.255.255"
RELAYS = "2002:a00:1:: 2001:db8::1 2001::1 ::a00:1 192.88.99.1"


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("address", f"{CLOUDS} {RELAYS}".split())
def test_addresses_of_the_cloud_itself_and_of_relays_are_never_called(address: str, private: bool) -> None:
    assert not may_be_called(address, private=private)


@pytest.mark.parametrize("address", ["8.8.8.8", "34.226.10.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_called(address: str) -> None:
    assert may_be_called(address)


@pytest.mark.parametrize("address", ["::1", "fd12::1", "127.0.0.1", "10.0.0.1"])
def test_this_machine_and_ones_own_network_need_a_word_of_the_operator(address: str) -> None:
    assert (may_be_called(address), may_be_called(address, private=True)) == (False, True)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "0x7f000001", "2130706433"])
def test_what_is_no_ip_address_is_not_called_either(address: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        may_be_called(address)
