"""TLS by hand over a plain socket: what happens to the TCP connection below is seen as it is."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit


def is_reset(url: str, authority: Path) -> bool:
    """Send a GET and tell whether the connection ends by a TCP reset; False where it ends in order."""
    target = urlsplit(url)
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context(cafile=str(authority)).wrap_bio(received, sent, server_hostname="127.0.0.1")
    with socket.create_connection(("127.0.0.1", target.port or 443), 5) as plain:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(sent.read())
                received.write(plain.recv(65536))
        tls.write(f"GET {target.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        plain.sendall(sent.read())
        try:
            while plain.recv(65536):  # session tickets come first
                pass
        except ConnectionResetError:
            return True
    return False
