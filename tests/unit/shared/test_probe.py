"""What the answer of a new deployment to a test row means: it answers, it will, or it never does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.endpoints.wire import probe
from shared.errors import NotReadyError, RejectedError, ServiceError, TransientError

STATUS = "ms-azureml-model-error-statuscode"


class Deployment(BaseHTTPRequestHandler):
    """Answers as it is told to."""

    says: tuple[int, dict[str, str], bytes]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status, headers, body = self.says
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Deployment) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/score"
        server.shutdown()


def test_a_text_is_an_answer(endpoint: str) -> None:
    Deployment.says = 200, {}, b'[{"0": "hello"}]'
    assert probe(endpoint, "k", "r-1", b"{}") == "hello"


@pytest.mark.parametrize(
    ("status", "model", "body", "expected"),
    [
        (424, "503", b"", NotReadyError),  # its container starts again
        (424, "502", b"", NotReadyError),
        (424, "500", b"", RejectedError),  # the model cannot
        (424, "", b"", RejectedError),
        *((status, "", b"", NotReadyError) for status in (401, 403, 404)),
        *((status, "", b"", TransientError) for status in (408, 429, 500, 502, 503, 504)),
        (200, "", b"<html>somebody in between</html>", NotReadyError),
        (200, "", b"{}", RejectedError),
        (400, "", b"", RejectedError),
    ],
)
def test_what_else_it_may_answer(
    endpoint: str, status: int, model: str, body: bytes, expected: type[ServiceError]
) -> None:
    Deployment.says = status, {STATUS: model} if model else {}, body
    with pytest.raises(ServiceError) as found:
        probe(endpoint, "k", "r-1", b"{}")
    assert type(found.value) is expected


def test_nobody_there_passes() -> None:
    with pytest.raises(TransientError, match="cannot be reached"):
        probe("http://127.0.0.1:1/score", "k", "r-1", b"{}")
