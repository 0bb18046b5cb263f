"""Faults of a box's services: the Azure ML emulator breaks itself, and so does the storage; the rules are the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from azureml_box.alone.control import Control, ControlError
from azureml_box.errors import ArmError
from azureml_box.faults.rules import read
from local.box import config
from local.box.errors import BoxError

# Service and the port that its control API is at.
SERVICES = {"azureml": "azureml", "storage": "blob"}


class FaultError(BoxError):
    """A rule makes no sense; the message says what is wrong with it."""


class UnreachableError(BoxError):
    """The service does not answer."""


def add(home: Path, service: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Put a rule in force and return it with its id."""
    checked = fields if service == "azureml" else _for_storage(fields)
    added: dict[str, Any] = _asked(home, service, lambda control: control.add_fault(**checked))
    return added


def listing(home: Path) -> dict[str, Any]:
    """Return the rules of all services with their counts, and what fired, oldest first."""
    found = [_asked(home, service, lambda control: control.faults()) for service in SERVICES]
    fired = sorted((one for part in found for one in part["fired"]), key=lambda one: str(one["at"]))
    return {"faults": [rule for part in found for rule in part["faults"]], "fired": fired}


def clear(home: Path, identity: str | None) -> None:
    """Take one rule away, or all of all services."""
    if identity is not None:
        service = "storage" if identity.startswith("s") else "azureml"
        _asked(home, service, lambda control: control.clear_faults(identity))
        return
    for service in SERVICES:
        _asked(home, service, lambda control: control.clear_faults())


def control_of(home: Path, service: str) -> Control:
    """Return the client of a service's control API; BoxError where there never was a box."""
    chosen = config.load(home)
    return Control(f"https://127.0.0.1:{chosen.ports[SERVICES[service]]}", chosen.control_token, chosen.ca / "ca.pem")


def _for_storage(fields: dict[str, Any]) -> dict[str, Any]:
    """The rule with every field, as local/storage/faults.cjs takes it."""
    try:
        rule = read("", fields)
    except ArmError as error:
        raise FaultError(error.message) from None
    if rule.effect.kind == "provisioning" or rule.name not in (None, "throttled"):
        raise FaultError(f"{rule.name or rule.effect.kind} is about Azure ML; there is nothing of it in the storage")
    return rule.document()


def _asked(home: Path, service: str, ask: Callable[[Control], Any]) -> Any:
    control = control_of(home, service)
    try:
        return ask(control)
    except ControlError as error:
        raise FaultError(str(error)) from None
    except OSError as error:
        message = f"{service} of {home} does not answer ({error}); see: droptune box status"
        raise UnreachableError(message) from None
