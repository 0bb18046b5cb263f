"""A real HTTPS server is told, where its address may be called; and what a hostile one can make of that: nothing."""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.box import certificates
from shared.azure.seen import Reply
from shared.azure.webhooks import TURN_SECONDS, HttpsWebhooks
from shared.errors import RejectedError
from shared.webhook import Webhook, parse

pytestmark = pytest.mark.stack
SECRET = "B0secret"
HEADERS = {"Content-Type": "application/json", "webhook-id": "acme-1@2027"}
BODY = json.dumps({"text": "acme: run acme-1 is live."}).encode()


@dataclass
class Seen:
    """What a server heard: path, headers and body of each request."""

    port: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def place(self) -> Webhook:
        """Its address."""
        return parse(f"https://localhost:{self.port}/services/{SECRET}?sig=a%2Fb")


Answer = Callable[[Any], None]


def fine(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    certificates.ensure(folder)  # a server's certificate for localhost
    return folder


@contextmanager
def server(ca: Path, answer: Answer = fine, address: str = "127.0.0.1", port: int = 0) -> Iterator[Seen]:
    """A server with a certificate for localhost."""
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            seen.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            try:
                answer(self)
            except OSError:
                self.close_connection = True  # whoever asked has gone

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A handshake that was broken off."""

    made = Server((address, port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca / "server.pem", ca / "server.key")
    made.socket = context.wrap_socket(made.socket, server_side=True, do_handshake_on_connect=False)
    seen.port = made.server_port
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield seen
    finally:
        made.shutdown()
        made.server_close()


def trusting(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca / "ca.pem"))


def test_this_machine_is_not_called_unless_the_operator_listed_it_as_his_own(ca: Path) -> None:
    webhooks = HttpsWebhooks(trust=trusting(ca))
    with server(ca) as seen:
        with pytest.raises(RejectedError, match="may not be called") as told:
            webhooks.post(seen.place, BODY, HEADERS)
        assert (seen.requests, SECRET in told.value.reason) == ([], False)
        assert webhooks.post(seen.place, BODY, HEADERS, private=True).status == 200
        ((path, headers, body),) = seen.requests
    assert (path, body) == (f"/services/{SECRET}?sig=a%2Fb", BODY)
    assert headers["host"] == f"localhost:{seen.port}"
    assert (headers["content-type"], headers["webhook-id"]) == ("application/json", "acme-1@2027")
    assert "authorization" not in headers and "cookie" not in headers


def test_a_name_with_one_private_address_among_others_is_not_called(ca: Path) -> None:
    with server(ca) as seen:
        webhooks = HttpsWebhooks(resolve=lambda host, port: ["8.8.8.8", "127.0.0.1"], trust=trusting(ca))
        with pytest.raises(RejectedError):
            webhooks.post(seen.place, BODY, HEADERS)
        assert seen.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_called_whatever_the_name_means_a_moment_later(
    ca: Path,
) -> None:
    with server(ca) as private, server(ca, address="127.0.0.2", port=private.port) as public:
        answers = [["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]]  # a name whose meaning changes with every question
        asked: list[str] = []

        def resolve(host: str, port: int) -> list[str]:
            asked.append(host)
            return answers[len(asked) - 1]

        webhooks = HttpsWebhooks(resolve, lambda address, *, private: address == "127.0.0.2", trusting(ca))
        assert webhooks.post(private.place, BODY, HEADERS).status == 200
        assert (asked, len(public.requests), private.requests) == (["localhost"], 1, [])
        with pytest.raises(RejectedError):
            webhooks.post(private.place, BODY, HEADERS)
        assert (len(public.requests), private.requests) == (1, [])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_followed_elsewhere(ca: Path, status: int) -> None:
    with server(ca) as elsewhere:

        def moved(handler: Any) -> None:
            handler.send_response(status)
            handler.send_header("location", f"https://localhost:{elsewhere.port}/")
            handler.send_header("set-cookie", "a=b")
            handler.send_header("content-length", "0")
            handler.end_headers()

        with server(ca, moved) as seen:
            webhooks = HttpsWebhooks(trust=trusting(ca))
            replies = [webhooks.post(seen.place, BODY, HEADERS, private=True) for _ in range(2)]
            assert [reply.status for reply in replies] == [status, status]
            assert elsewhere.requests == []
            assert [("cookie" in headers) for _, headers, _ in seen.requests] == [False, False]


def test_a_certificate_that_is_not_the_names_is_not_talked_to(ca: Path) -> None:
    with server(ca) as seen:
        webhooks = HttpsWebhooks(lambda host, port: ["127.0.0.1"], lambda address, *, private: True, trusting(ca))
        other = parse(f"https://hooks.example:{seen.port}/{SECRET}")
        assert webhooks.post(other, BODY, HEADERS).status == 0
        assert seen.requests == []
        assert HttpsWebhooks().post(seen.place, BODY, HEADERS, private=True).status == 0  # an authority of nobody's
        assert seen.requests == []


def test_an_answer_without_end_is_not_read_and_says_nothing_to_the_log(
    ca: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(5000):
            handler.wfile.write(b"told-by-the-server" * 1000)

    with server(ca, endless) as seen:
        began = time.monotonic()
        reply = HttpsWebhooks(trust=trusting(ca)).post(seen.place, BODY, HEADERS, private=True)
        assert (reply.status, reply.body) == (200, b"")
        assert time.monotonic() - began < 5
    assert SECRET not in caplog.text and "told-by-the-server" not in caplog.text


def _a_letter_at_a_time(handler: Any) -> None:
    for letter in b"HTTP/1.1 200 OK\r\n" + b"x-more: yes\r\n" * 1000:
        handler.wfile.write(bytes([letter]))
        handler.wfile.flush()
        time.sleep(0.05)


def _never(handler: Any) -> None:
    time.sleep(4)


@pytest.mark.parametrize("answer", [_a_letter_at_a_time, _never])
def test_a_slow_one_is_left_in_time_and_then_left_alone(ca: Path, answer: Answer) -> None:
    with server(ca, answer) as seen:
        webhooks = HttpsWebhooks(trust=trusting(ca), seconds=1.0)
        began = time.monotonic()
        assert webhooks.post(seen.place, BODY, HEADERS, private=True) == Reply(408)
        assert time.monotonic() - began < 3
        began = time.monotonic()
        assert webhooks.post(seen.place, BODY, HEADERS, private=True) == Reply(0)
        assert time.monotonic() - began < 0.5
        assert len(seen.requests) == 1


def test_one_that_is_slow_holds_no_second_caller_for_long_and_no_other_host_at_all(ca: Path) -> None:
    with server(ca, _never) as slow, server(ca) as other:
        webhooks = HttpsWebhooks(trust=trusting(ca), seconds=3.5)
        first = threading.Thread(target=webhooks.post, args=(slow.place, BODY, HEADERS), kwargs={"private": True})
        first.start()
        time.sleep(0.3)
        began = time.monotonic()
        assert webhooks.post(other.place, BODY, HEADERS, private=True).status == 200
        assert time.monotonic() - began < 1
        assert webhooks.post(slow.place, BODY, HEADERS, private=True) == Reply(0)
        assert time.monotonic() - began < TURN_SECONDS + 1.5
        assert len(slow.requests) == 1
        first.join()


def test_nobody_there_no_such_name_and_a_proxy_of_the_environment(ca: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(ca) as seen:
        gone = seen.place
    assert HttpsWebhooks(trust=trusting(ca)).post(gone, BODY, HEADERS, private=True) == Reply(0)
    assert HttpsWebhooks().post(parse("https://no-such-host.invalid/x"), BODY, HEADERS) == Reply(0)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with server(ca) as seen:
        assert HttpsWebhooks(trust=trusting(ca)).post(seen.place, BODY, HEADERS, private=True).status == 200
