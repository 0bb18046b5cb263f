"""A web server on this machine with files for everybody, and a blob container that lets everybody list it."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

IRIS = b"sepal,petal\n1,2\n"
# What Azure answers to GET CONTAINER?restype=container&comp=list, in two pages.
_LIST = """<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="open"><Prefix>{}</Prefix><Blobs>{}</Blobs>
<NextMarker>{}</NextMarker></EnumerationResults>"""
_BLOB = "<Blob><Name>{}</Name><Properties><Etag>1</Etag><BlobType>BlockBlob</BlobType></Properties></Blob>"
_PAGES = (["flowers/iris.csv", "flowers/deep/rose red.csv"], ["flowers/../../out.csv", "flowers/tulip.csv"])


class Site(ThreadingHTTPServer):
    """`url` is its address; `asked` are the headers of each call."""

    daemon_threads = True

    def __init__(self, authority: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(authority / "server.pem", authority / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.host = f"localhost:{self.server_address[1]}"
        self.url, self.asked = f"https://{self.host}", list[dict[str, str]]()


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append({name.lower(): value for name, value in self.headers.items()})
        parts = urlsplit(self.path)
        answer = _ANSWERS.get(unquote(parts.path))
        if answer is not None:
            answer(self)
        elif parts.path == "/open":
            self._list(parse_qs(parts.query))
        elif parts.path.startswith("/open/"):
            self.whole(unquote(parts.path).encode())
        else:
            self.send_error(404)

    def _list(self, query: dict[str, list[str]]) -> None:
        page = int(query.get("marker", ["0"])[0])
        prefix = query.get("prefix", [""])[0]
        blobs = "".join(_BLOB.format(name) for name in _PAGES[page] if name.startswith(prefix))
        self.whole(_LIST.format(prefix, blobs, "" if page else "1").encode())

    def whole(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/xml")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def promised(self, length: int | None, content: bytes, pause: float = 0) -> None:
        """Say a length, or none, and send that, byte by byte where there is a pause."""
        self.send_response(200)
        if length is not None:
            self.send_header("content-length", str(length))
        self.end_headers()
        pieces = [content[place : place + 1] for place in range(len(content))] if pause else [content]
        for piece in pieces:
            self.wfile.write(piece)
            time.sleep(pause)

    def sent_to(self, place: str) -> None:
        self.send_response(302)
        self.send_header("location", place)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


_ANSWERS: dict[str, Callable[[_Handler], None]] = {
    "/data/iris flowers.csv": lambda site: site.whole(IRIS),
    "/private.csv": lambda site: site.send_error(403),
    "/without-length.csv": lambda site: site.promised(None, IRIS),
    "/huge.csv": lambda site: site.promised(10**13, b"1"),
    "/endless.csv": lambda site: site.promised(None, b"1" * 3_000_000),
    "/cut.csv": lambda site: site.promised(100, IRIS),
    "/slow.csv": lambda site: site.promised(100, b"1" * 100, 0.2),
    "/moved.csv": lambda site: site.sent_to("/data/iris%20flowers.csv"),
    "/round.csv": lambda site: site.sent_to("/round.csv"),
    "/away.csv": lambda site: site.sent_to("ftp://localhost/iris.csv"),
}


@contextmanager
def public_site(authority: Path) -> Iterator[Site]:
    """The server, until the end of the block."""
    with Site(authority) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield site
        site.shutdown()
