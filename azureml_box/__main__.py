"""The command line: `python -m azureml_box --help`."""

from __future__ import annotations

import logging
import os
import sys

from azureml_box.options import config_of, parser


def main() -> int:
    """Serve until SIGTERM; with `up` as the first word, bring storage and identity too."""
    if sys.argv[1:2] == ["up"]:
        from azureml_box.alone import up

        return up.main(sys.argv[2:])
    _serve()
    return 0


def _serve() -> None:
    import uvicorn

    from azureml_box.app import build
    from azureml_box.connections import Connection

    arguments = parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The storage SDK logs every request at INFO, addresses with SAS among them.
    logging.getLogger("azure").setLevel(logging.WARNING)
    app = build(config_of(arguments, dict(os.environ)))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=arguments.port,
        loop="asyncio",
        http=Connection,
        proxy_headers=False,
        ssl_certfile=str(arguments.cert),
        ssl_keyfile=str(arguments.key),
        log_level="warning",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        lifespan="on",
    )


if __name__ == "__main__":
    sys.exit(main())
