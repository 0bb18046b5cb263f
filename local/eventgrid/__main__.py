"""`python -m local.eventgrid --home HOME [--retry-scale 0.05]`: serves the box's Event Grid."""

import argparse
import logging
from pathlib import Path

from local.box.config import load
from local.box.serve import serve
from local.eventgrid.app import application

# Azure's 10 s, 30 s, 1 min … become 0.5 s, 1.5 s, 3 s …: nobody waits half a day for a retry in a box.
RETRY_SCALE = 0.05


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.eventgrid", description=main.__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the box's home")
    parser.add_argument("--retry-scale", type=float, default=RETRY_SCALE, help="1: Azure's own pauses")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = load(arguments.home)
    serve(application(config, arguments.retry_scale), config.ports["eventgrid"], config.ca)


if __name__ == "__main__":
    main()
