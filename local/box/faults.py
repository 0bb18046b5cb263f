"""Faults of a box's services: those of the Azure ML emulator, through its control API."""

from pathlib import Path
from typing import Any

from azureml_box.alone.control import Control, ControlError
from local.box import config
from local.box.errors import BoxError

SERVICES = ("azureml",)


class FaultError(BoxError):
    """The emulator refuses a rule; the message is its own."""


class UnreachableError(BoxError):
    """The emulator does not answer."""


def add(home: Path, fields: dict[str, Any]) -> dict[str, Any]:
    """Put a rule in force and return it with its id."""
    return _asked(home, lambda control: control.add_fault(**fields))


def listing(home: Path) -> dict[str, Any]:
    """Return the rules with their counts, and what fired."""
    return _asked(home, lambda control: control.faults())


def clear(home: Path, identity: str | None) -> None:
    """Take one rule away, or all."""
    _asked(home, lambda control: control.clear_faults(identity))


def control_of(home: Path) -> Control:
    """Return the client of a box's control API; BoxError where there never was a box."""
    chosen = config.load(home)
    return Control(chosen.url("azureml"), chosen.control_token, chosen.ca / "ca.pem")


def _asked(home: Path, ask: Any) -> Any:
    control = control_of(home)
    try:
        return ask(control)
    except ControlError as error:
        raise FaultError(str(error)) from None
    except OSError as error:
        raise UnreachableError(
            f"the Azure ML emulator of {home} does not answer ({error}); see: droptune box status"
        ) from None
