"""Which api-version each operation takes: those that azure-ai-ml 1.35 pins, and refused strictly otherwise.

Source: what the unmodified SDK was seen to send (the contract table of the design), November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from azureml_box.errors import BadRequest

_DATAPLANE = {"2021-10-01-dataplanepreview"}
_METRICS = {"2018-01-01", "2019-07-01", "2021-05-01", "2023-10-01", "2024-02-01"}
_ASSETS = {"2023-04-01", "2023-04-01-preview", "2023-08-01-preview", "2023-10-01", "2024-01-01-preview", "2024-04-01"}
_NEW = {"2024-10-01", "2024-10-01-preview", "2025-01-01-preview"}

# (kind) -> versions; a kind is the first segment below the workspace, the registry or the location.
_TABLE: dict[str, set[str]] = {
    "workspace": {"2023-04-01", "2023-04-01-preview", "2023-08-01-preview", "2024-04-01", *_NEW},
    "codes": {"2023-04-01", "2023-04-01-preview", *_DATAPLANE},
    "components": {*_ASSETS, *_DATAPLANE},
    "models": {*_ASSETS, *_DATAPLANE},
    "environments": {*_ASSETS, *_DATAPLANE},
    "data": {*_ASSETS, *_DATAPLANE},
    "tempdatarefs": _DATAPLANE,
    "datarefs": _DATAPLANE,
    "import": _DATAPLANE,
    "computes": {"2023-08-01-preview", "2024-04-01", *_NEW},
    "datastores": {"2023-04-01", "2023-08-01-preview", "2024-01-01-preview", *_NEW},
    "jobs": {"2023-04-01-preview", "2023-08-01-preview", "2024-01-01-preview", *_NEW},
    "schedules": {
        "2023-04-01",
        "2023-04-01-preview",
        "2023-06-01-preview",
        "2023-08-01-preview",
        "2024-01-01-preview",
        *_NEW,
    },
    "onlineEndpoints": {"2022-02-01-preview", "2022-05-01", "2023-04-01-preview", "2023-04-01", "2024-04-01"},
    "metrics": _METRICS,
    "registry": {"2022-10-01-preview", "2023-04-01-preview", "2023-08-01-preview", "2023-10-01", "2024-04-01", *_NEW},
    "vmSizes": {"2023-08-01-preview", "2024-04-01", *_NEW},
    "usages": {"2023-08-01-preview", "2024-04-01", *_NEW},
    "quotas": {"2023-08-01-preview", "2024-04-01", *_NEW},
}
_KIND = re.compile(
    r"/providers/Microsoft\.MachineLearningServices/(?P<root>workspaces|registries|locations)(?:/[^/]+(?:/(?P<kind>[^/]+))?)?",
    re.IGNORECASE,
)
# The run history and MLflow planes carry their version in the path.
_UNVERSIONED = ("/history/", "/mlflow/", "/data/")


def kind_of(path: str) -> str | None:
    """The row of the table that a path belongs to; None where no version is asked for."""
    if path.startswith(_UNVERSIONED):
        return None
    if "/providers/microsoft.insights/" in path.lower():
        return "metrics"
    match = _KIND.search(path)
    if match is None:
        return None
    return match["kind"] or ("registry" if match["root"].lower() == "registries" else "workspace")


def check(path: str, query: Mapping[str, str]) -> None:
    """Refuse a missing or unknown api-version in Azure's words."""
    kind = kind_of(path)
    allowed = _TABLE.get(kind or "")
    if allowed is None:
        return
    asked = query.get("api-version")
    if asked is None:
        raise BadRequest(
            "The api-version query parameter (?api-version=) is required for all requests.",
            "MissingApiVersionParameter",
        )
    if asked not in allowed:
        message = f"The HTTP resource that matches the request URI with kind '{kind}' does not support the API version '{asked}'. "
        raise BadRequest(f"{message}Supported: {', '.join(sorted(allowed))}.", "InvalidApiVersionParameter")
