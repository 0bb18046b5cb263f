"""llama.cpp with nothing before it, on a port of this machine: `python -m bench.generation.bare WEIGHTS PORT SLOTS KEY`.

The same library, weights and threads as the model behind the endpoint has; it ends when its standard input closes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import xllamacpp

from local.components.chat_completion.chat_model import llama_cpp


def main(weights: str, port: str, slots: str, key: str) -> None:
    """Serve until nobody holds the other end."""
    settings = llama_cpp.settings_of(Path(weights), int(slots))
    settings.hostnames, settings.port, settings.api_keys = ["127.0.0.1"], int(port), [key]
    server = xllamacpp.Server(settings)
    sys.stdin.read()
    assert server
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
