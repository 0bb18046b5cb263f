"""A storage account that is started again is waited for: no job fails for a few seconds without it."""

from __future__ import annotations

import http.server
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from azureml_box.storage import BlobStorage

AWAY = 5.0  # seconds: more than the SDK's own three tries, a second apart, last
NOTHING = b'<?xml version="1.0"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>'


class Account(http.server.BaseHTTPRequestHandler):
    """An account with nothing in it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/xml")
        self.send_header("content-length", str(len(NOTHING)))
        self.end_headers()
        self.wfile.write(NOTHING)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def test_what_is_asked_while_the_account_is_away_is_answered_once_it_is_back(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody else's, and nobody listens
        port = held.getsockname()[1]
        config: Any = SimpleNamespace(
            home=tmp_path,
            storage_account="devstoreaccount1",
            storage_key="Zm9v",
            storage_url=f"http://127.0.0.1:{port}/devstoreaccount1",
        )
        server = http.server.HTTPServer(("127.0.0.1", port), Account, bind_and_activate=False)
        server.socket.close()
        server.socket = held.dup()
        server.server_address = held.getsockname()
        begins = threading.Timer(AWAY, lambda: (server.server_activate(), server.serve_forever()))
        begins.start()
        try:
            assert BlobStorage(config).list("anything") == []
        finally:
            server.shutdown()
            begins.join()
            server.server_close()
