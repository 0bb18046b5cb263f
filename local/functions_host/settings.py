"""App settings: `%NAME%` in bindings, and connections by their name.

Source: https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from local.functions_host.errors import SettingMissingError

_REFERENCE = re.compile(r"%([^%]+)%")
_ENDINGS = {"blob": "blobServiceUri", "queue": "queueServiceUri"}


@dataclass(frozen=True)
class Connection:
    """Where a storage service is: a URL for token credentials, or a connection string (which holds a key)."""

    url: str | None = None
    connection_string: str | None = None

    def __repr__(self) -> str:
        return f"Connection({self.url or '<connection string>'})"


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Put settings' values in the place of each `%NAME%`; a setting without a value raises SettingMissingError."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if not settings.get(name):
            raise SettingMissingError(f"the app setting {name} (written %{name}% in a binding) has no value; set it")
        return settings[name]

    return _REFERENCE.sub(value, text)


def connection(name: str, service: str, settings: Mapping[str, str]) -> Connection:
    """Look up the connection `name` ("" means AzureWebJobsStorage) for the service `blob` or `queue`."""
    name = name or "AzureWebJobsStorage"
    ending = _ENDINGS[service]
    if url := settings.get(f"{name}__{ending}"):
        return Connection(url=url.rstrip("/"))
    if account := settings.get(f"{name}__accountName"):
        return Connection(url=f"https://{account}.{service}.core.windows.net")
    if text := settings.get(name):
        return Connection(connection_string=text)
    raise SettingMissingError(
        f"the connection {name} has no value; set {name}__{ending} to the {service} service's URL"
    )


def is_disabled(function: str, settings: Mapping[str, str]) -> bool:
    """Tell whether `AzureWebJobs.NAME.Disabled` (or with underscores, as Linux has it) switches the function off."""
    names = (f"AzureWebJobs.{function}.Disabled", f"AzureWebJobs_{function}_Disabled")
    return any(settings.get(name, "").lower() in ("true", "1") for name in names)
