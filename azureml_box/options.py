"""The options of the command line, and the Config that they make."""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from azureml_box.config import Config
from azureml_box.errors import ArmError
from azureml_box.provisioning import Provisioning

_ABOUT = """An emulator of Azure Machine Learning for tests: the unmodified azure-ai-ml, mlflow and REST clients work against
it, jobs are processes that run, deployments are servers that answer. It listens on 127.0.0.1 only.

  python -m azureml_box up      the short way: an emulator with storage and identity; prints the environment to use
  python -m azureml_box …       the emulator alone, over a storage account and an identity of yours; options below"""
_SECRETS = """environment (secrets, so that no list of processes shows them):
  AZUREML_BOX_STORAGE_KEY       the storage account's key; needed
  AZUREML_BOX_EVENTS_KEY        sent to --events-url as aeg-sas-key
  AZUREML_BOX_SIGNING_KEY       path of the PEM that signs the tokens of jobs, and of GET /identity/token
  AZUREML_BOX_IDENTITY_HEADER   secret of X-IDENTITY-HEADER; with it and the signing key GET /identity/token answers
  AZUREML_BOX_CONTROL_TOKEN     bearer token of the control API /_emulator/…; made up and written to HOME/control-token
                                where it is not given"""


def parser() -> argparse.ArgumentParser:
    """All options."""
    options = argparse.ArgumentParser(
        "azureml_box", description=_ABOUT, epilog=_SECRETS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    _place(options.add_argument_group("where"))
    _workspace(options.add_argument_group("the workspace"))
    _storage(options.add_argument_group("its storage account"))
    _behaviour(options.add_argument_group("behaviour"))
    return options


def _place(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--home", type=Path, required=True, help="folder for everything that the emulator keeps")
    group.add_argument("--port", type=int, required=True, help="HTTPS port on 127.0.0.1")
    group.add_argument("--cert", type=Path, required=True, help="certificate with its chain, PEM")
    group.add_argument("--key", type=Path, required=True, help="the certificate's key, PEM")
    group.add_argument(
        "--token-public-key", type=Path, help="PEM of the tokens' issuer; without it they are not verified"
    )


def _workspace(group: argparse._ArgumentGroup) -> None:
    told = {
        "subscription": "id of the subscription",
        "resource-group": "name of the resource group",
        "workspace": "name of the workspace",
        "workspace-id": "GUID of the workspace; SDKs keep things by it, so a new workspace wants a new one",
        "tenant": "id of the tenant, as in the tokens",
    }
    for name, words in told.items():
        group.add_argument(f"--{name}", required=True, help=words)
    group.add_argument("--location", default="eastus", help="the region (%(default)s)")
    group.add_argument(
        "--registry", action="append", default=[], metavar="NAME=DIR", help="publish a folder as a registry; repeatable"
    )


def _storage(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--storage-url", required=True, help="blob endpoint, HTTPS")
    group.add_argument("--storage-account", required=True, help="the account's name")
    group.add_argument("--storage-suffix", required=True, help="what the SDK appends to https://ACCOUNT.blob.")


def _behaviour(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--provisioning",
        action="append",
        default=[],
        metavar="KIND=MODE",
        help="jobs, computes, deployments, endpoints, schedules or registries = immediate (the default), timed, manual, or manual:N (goes on when read N "
        "times); repeatable",
    )
    group.add_argument("--time-scale", type=float, default=1.0, help="timed: Azure's own durations times this")
    group.add_argument(
        "--loose",
        action="store_true",
        help="count what is unknown (api-versions, paths, fields, query parameters, values) and go on without it",
    )
    group.add_argument(
        "--environments",
        choices=("build", "own"),
        default="build",
        help="build: a conda file becomes a virtual environment, by pip; own: all runs in the emulator's interpreter",
    )
    group.add_argument(
        "--public-data-seconds",
        type=float,
        default=600,
        help="how long one public input of a job may take (%(default)s)",
    )
    group.add_argument(
        "--public-data-bytes", type=int, default=10 * 2**30, help="how large one public input may be (%(default)s)"
    )
    group.add_argument("--events-url", help="Event Grid topic that events are sent to")
    group.add_argument(
        "--pass-variable", action="append", default=[], metavar="NAME", help="variable that jobs inherit; repeatable"
    )


def config_of(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Config:
    """The Config, or a SystemExit that says what is missing."""
    if not environment.get("AZUREML_BOX_STORAGE_KEY"):
        raise SystemExit("AZUREML_BOX_STORAGE_KEY must hold the storage account's key")
    signing = environment.get("AZUREML_BOX_SIGNING_KEY")
    changed = ("cert", "key", "registry", "home", "provisioning", "pass_variable")
    plain = {name: value for name, value in vars(arguments).items() if name not in changed}
    plain["storage_url"] = arguments.storage_url.rstrip("/")
    return Config(
        **plain,
        home=arguments.home.resolve(),
        base_url=f"https://127.0.0.1:{arguments.port}",
        registries=_registries(arguments.registry),
        provisioning=_modes(arguments.provisioning),
        passed_variables=tuple(arguments.pass_variable),
        storage_key=environment["AZUREML_BOX_STORAGE_KEY"],
        events_key=environment.get("AZUREML_BOX_EVENTS_KEY"),
        identity_header=environment.get("AZUREML_BOX_IDENTITY_HEADER"),
        control_token=environment.get("AZUREML_BOX_CONTROL_TOKEN") or _new_token(arguments.home.resolve()),
        signing_key=Path(signing) if signing else None,
    )


def _registries(pairs: list[str]) -> dict[str, Path]:
    split = [pair.partition("=") for pair in pairs]
    for name, separator, folder in split:
        if not (name and separator and Path(folder).is_dir()):
            raise SystemExit(f"--registry {name}{separator}{folder}: give NAME=DIR with a folder that exists")
    return {name: Path(folder).resolve() for name, _, folder in split}


def _modes(pairs: list[str]) -> dict[str, str]:
    modes = {kind: mode for kind, _, mode in (pair.partition("=") for pair in pairs)}
    try:
        Provisioning(modes)
    except ArmError as error:
        raise SystemExit(f"--provisioning: {error.message}") from None
    return modes


def _new_token(home: Path) -> str:
    home.mkdir(parents=True, exist_ok=True)
    token, path = secrets.token_urlsafe(32), home / "control-token"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token)
    return token
