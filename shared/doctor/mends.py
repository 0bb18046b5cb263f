"""The commands that mend: those of `azd`, which made the environment, and of the Azure CLI."""

from __future__ import annotations

PROVISION = "azd provision"
DEPLOY = "azd deploy"
SUBSCRIBE = "azd hooks run postdeploy"


def setting(name: str, value: str) -> str:
    """Sets what `infra/main.parameters.json` takes from azd's environment."""
    return f"azd env set {name} {value} && {PROVISION}"
