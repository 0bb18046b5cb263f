"""The command line: `python -m azureml_box --help`. Secrets come by environment, so that no process list shows them."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from azureml_box.config import Config

_SECRETS = """environment: AZUREML_BOX_STORAGE_KEY (account key, needed), AZUREML_BOX_EVENTS_KEY (sent as aeg-sas-key),
AZUREML_BOX_SIGNING_KEY (path of the PEM that signs the tokens of jobs)"""


def parser() -> argparse.ArgumentParser:
    """All options; none has a hidden default but the region and the host."""
    options = argparse.ArgumentParser(
        "azureml_box", description="An emulator of Azure Machine Learning.", epilog=_SECRETS
    )
    options.add_argument("--home", type=Path, required=True, help="folder for everything that the emulator keeps")
    options.add_argument("--port", type=int, required=True, help="HTTPS port on 127.0.0.1")
    options.add_argument("--cert", type=Path, required=True, help="certificate with its chain, PEM")
    options.add_argument("--key", type=Path, required=True, help="the certificate's key, PEM")
    options.add_argument("--token-public-key", type=Path, help="PEM; without it tokens are not verified")
    for name in ("subscription", "resource-group", "workspace", "workspace-id", "tenant"):
        options.add_argument(f"--{name}", required=True)
    options.add_argument("--location", default="eastus")
    options.add_argument("--storage-url", required=True, help="blob endpoint of the workspace's account")
    options.add_argument("--storage-account", required=True)
    options.add_argument("--storage-suffix", required=True, help="what the SDK appends to https://ACCOUNT.blob.")
    options.add_argument("--registry", action="append", default=[], metavar="NAME=DIR", help="publish this folder")
    options.add_argument("--events-url", help="Event Grid topic that events are sent to")
    return options


def _registries(pairs: list[str]) -> dict[str, Path]:
    split = [pair.partition("=") for pair in pairs]
    for name, separator, folder in split:
        if not (name and separator and Path(folder).is_dir()):
            raise SystemExit(f"--registry {name}{separator}{folder}: give NAME=DIR with a folder that exists")
    return {name: Path(folder).resolve() for name, _, folder in split}


def config_of(arguments: argparse.Namespace, environment: dict[str, str]) -> Config:
    """The Config, or a SystemExit that says what is missing."""
    if not environment.get("AZUREML_BOX_STORAGE_KEY"):
        raise SystemExit("AZUREML_BOX_STORAGE_KEY must hold the storage account's key")
    signing = environment.get("AZUREML_BOX_SIGNING_KEY")
    plain = {name: value for name, value in vars(arguments).items() if name not in ("cert", "key", "registry", "home")}
    plain["storage_url"] = arguments.storage_url.rstrip("/")
    return Config(
        **plain,
        home=arguments.home.resolve(),
        base_url=f"https://127.0.0.1:{arguments.port}",
        registries=_registries(arguments.registry),
        storage_key=environment["AZUREML_BOX_STORAGE_KEY"],
        events_key=environment.get("AZUREML_BOX_EVENTS_KEY"),
        signing_key=Path(signing) if signing else None,
    )


def main() -> None:
    """Serve until SIGTERM."""
    import uvicorn

    from azureml_box.app import build

    arguments = parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The storage SDK logs every request at INFO, addresses with SAS among them.
    logging.getLogger("azure").setLevel(logging.WARNING)
    app = build(config_of(arguments, dict(os.environ)))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=arguments.port,
        ssl_certfile=str(arguments.cert),
        ssl_keyfile=str(arguments.key),
        log_level="warning",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        lifespan="on",
    )


if __name__ == "__main__":
    main()
