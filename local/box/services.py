"""The table of the box's services: what is run, with which variables, and where its health shows."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.box import environment
from local.box.config import ACCOUNT, ACCOUNT_KEY, BoxConfig
from local.box.errors import BoxError
from local.box.node import node

REPOSITORY = Path(__file__).resolve().parents[2]
# Leftovers of a crash are found by it: every descendant inherits it.
MARK = "DROPTUNE_BOX_HOME"
# Variables of the shell that would change what a service does.
_NOT_INHERITED = ("AZURITE_ACCOUNTS", "AZURITE_DB", "AZURE_STORAGE_CONNECTION_STRING", "DROPTUNE_KEY", "PYTHONPATH")


@dataclass(frozen=True)
class Service:
    """One service; `command` and `variables` are made when it starts, since both follow from the box's config."""

    name: str
    port: str
    health: str
    command: Callable[[BoxConfig, int], list[str]]
    variables: Callable[[BoxConfig], dict[str, str]]

    def url(self, config: BoxConfig) -> str:
        """Return the service's base URL."""
        return config.url(self.port)

    def health_url(self, config: BoxConfig) -> str:
        """Return the URL that answers when the service is ready."""
        return f"https://127.0.0.1:{config.ports[self.port]}{self.health}"


def child_environment(config: BoxConfig, service: Service) -> dict[str, str]:
    """Return all variables of a service's process."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    mark = {MARK: str(config.home), "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
    return inherited | environment.trust(config) | service.variables(config) | mark


def _none(_: BoxConfig) -> dict[str, str]:
    return {}


def _storage(config: BoxConfig, _: int) -> list[str]:
    script = REPOSITORY / "local" / "storage" / "azurite.cjs"
    if not (script.parent / "node_modules" / "azurite").is_dir():
        raise BoxError("Azurite is not installed; install it with: make setup")
    ports = [f"--{name}-port={config.ports[name]}" for name in ("blob", "queue")]
    doorbell = f"--doorbell-port={config.ports['eventgrid']}"
    return [node(), str(script), f"--home={config.home}", *ports, *_tls(config), doorbell]


def _storage_variables(config: BoxConfig) -> dict[str, str]:
    return {"STORAGE_CONTROL_TOKEN": config.control_token}


def _tls(config: BoxConfig) -> list[str]:
    return [f"--cert={config.ca / 'server.pem'}", f"--key={config.ca / 'server.key'}"]


def _module(name: str) -> Callable[[BoxConfig, int], list[str]]:
    return lambda config, _: [sys.executable, "-m", name, "--home", str(config.home)]


def _eventgrid(config: BoxConfig, descriptor: int) -> list[str]:
    scale = ["--retry-scale", str(config.time_scale)] if config.time_scale else []
    return _module("local.eventgrid")(config, descriptor) + scale


def _azureml(config: BoxConfig, _: int) -> list[str]:
    options = {
        "home": config.home / "azureml",
        "port": config.ports["azureml"],
        "token-public-key": config.ca / "identity.pub",
        "subscription": config.subscription,
        "resource-group": config.resource_group,
        "workspace": config.workspace,
        "workspace-id": config.workspace_id,
        "location": config.location,
        "tenant": config.tenant,
        "storage-url": config.url("blob"),
        "storage-account": ACCOUNT,
        "storage-suffix": config.storage_suffix,
        "registry": f"{config.registry}={config.home / 'registry'}",
        "events-url": f"{config.url('eventgrid')}/topics/azureml/api/events",
    }
    arguments = [f"--{name}={value}" for name, value in options.items()] + [f"--pass-variable={MARK}"]
    if config.time_scale:
        timed = [f"--provisioning={kind}=timed" for kind in ("jobs", "computes", "deployments")]
        arguments += [f"--time-scale={config.time_scale}", *timed]
    return [sys.executable, "-m", "azureml_box", *arguments, *_tls(config)]


def _azureml_variables(config: BoxConfig) -> dict[str, str]:
    return environment.identity(config) | {
        "AZUREML_BOX_STORAGE_KEY": ACCOUNT_KEY,
        "AZUREML_BOX_EVENTS_KEY": config.secrets["topic_azureml"],
        "AZUREML_BOX_SIGNING_KEY": str(config.ca / "identity.key"),
        "AZUREML_BOX_CONTROL_TOKEN": config.control_token,
    }


def _functions(config: BoxConfig, descriptor: int) -> list[str]:
    options = ["--app", str(REPOSITORY), "--home", str(config.home / "functions"), "--host-id", "droptune-box"]
    return [sys.executable, "-m", "local.functions_host", *options, "--fd", str(descriptor), *_tls(config)]


STORAGE = Service("storage", "blob", "/", _storage, _storage_variables)
IDENTITY = Service("identity", "identity", "/healthz", _module("local.identity"), _none)
AZUREML = Service("azureml", "azureml", "/healthz", _azureml, _azureml_variables)
EVENTGRID = Service("eventgrid", "eventgrid", "/healthz", _eventgrid, _none)
FUNCTIONS = Service("functions", "functions", "/admin/host/ping", _functions, environment.functions)
SERVICES = (STORAGE, IDENTITY, AZUREML, EVENTGRID, FUNCTIONS)
