"""`python -m local.identity --home HOME`: serves the box's managed identity."""

import argparse
from pathlib import Path

from local.box.config import load
from local.box.serve import serve
from local.identity.app import application
from local.identity.tokens import Signer


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.identity", description=main.__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the box's home")
    config = load(parser.parse_args().home)
    signer = Signer((config.ca / "identity.key").read_bytes(), config.tenant, config.object_id)
    serve(application(signer, config.secrets["identity"]), config.ports["identity"], config.ca)


if __name__ == "__main__":
    main()
