import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.box import ports

CHOOSE = "from local.box import ports; print(ports.choose({'blob': int(__import__('sys').argv[1])})['blob'])"


@pytest.fixture
def free() -> Iterator[int]:
    """A port that nobody listens on or claims, and that is nobody's afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    yield port
    ports.release([port])


def chosen_elsewhere(port: int) -> int:
    """What another process chooses where it would like this port."""
    done = subprocess.run([sys.executable, "-c", CHOOSE, str(port)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_a_port_that_is_listened_on_is_replaced(free: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free))
        taken.listen()
        assert ports.choose({"blob": free})["blob"] != free
    assert ports.choose({"blob": free})["blob"] == free


def test_two_services_never_share_a_port(free: int) -> None:
    assert len(set(ports.choose({"blob": free, "queue": free}).values())) == 2


def test_a_port_that_another_process_chose_is_not_chosen_before_it_listens(free: int) -> None:
    assert ports.choose({"blob": free})["blob"] == free
    assert ports.choose({"blob": free})["blob"] == free, "what is ours already stays ours"
    assert chosen_elsewhere(free) != free
    ports.release([free])
    assert chosen_elsewhere(free) == free


def test_who_inherits_the_files_has_the_ports_until_it_ends(free: int) -> None:
    ports.choose({"blob": free})
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=ports.files([free])) as heir:
        ports.release([free])
        assert chosen_elsewhere(free) != free
        heir.communicate(b"\n")
    assert chosen_elsewhere(free) == free
