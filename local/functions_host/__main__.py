"""`python -m local.functions_host --app DIR --home DIR --host-id ID (--port N | --fd N) --cert F --key F [--instance N]`.

App settings and the host's keys come from the environment, as in Azure.
"""

import argparse
import logging
import os
import sys
import uuid
from pathlib import Path


def main() -> int:
    """Run the host until it is told to end (exit 0); return 1 where it can't start."""
    arguments = _parser().parse_args()
    logging.basicConfig(
        level=os.environ.get("FUNCTIONS_LOG_LEVEL", "INFO"),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stdout,
    )
    # The SDK's own log has a line for every poll.
    logging.getLogger("azure").setLevel(logging.WARNING)
    from local.functions_host.errors import HostError
    from local.functions_host.host import Host, HostOptions
    from local.functions_host.server import listen, serve

    instance = arguments.instance or str(uuid.uuid4())
    try:
        sock = listen(arguments.port, arguments.fd)
        host = Host(HostOptions(arguments.app.resolve(), arguments.host_id, instance), os.environ)
    except (HostError, OSError) as error:
        print(f"functions host: {error}", file=sys.stderr)
        return 1
    print(f"functions host {arguments.host_id} listens at https://127.0.0.1:{sock.getsockname()[1]}", flush=True)
    serve(host, sock, arguments.cert, arguments.key)
    logging.shutdown()
    sys.stdout.flush()
    # Not sys.exit: the interpreter would wait for the thread of a function that never ends.
    os._exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.functions_host", description=main.__doc__)
    parser.add_argument("--app", type=Path, required=True, help="folder with function_app.py and host.json")
    parser.add_argument("--home", type=Path, help="folder for the host's own files (none are needed yet)")
    parser.add_argument("--host-id", required=True, help="names the timers' blobs; the same for all instances")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", type=int, help="0: any free one, printed")
    where.add_argument("--fd", type=int, help="a listening socket that was inherited")
    parser.add_argument("--cert", type=Path, required=True, help="PEM: certificate and chain")
    parser.add_argument("--key", type=Path, required=True, help="PEM: private key")
    parser.add_argument(
        "--instance", help="tells instances apart; a restart under the same one keeps its timers' locks"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
