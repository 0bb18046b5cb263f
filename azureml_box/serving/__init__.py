"""Managed online endpoints: resources, scoring, metrics and billing.

The package itself imports nothing: the deployments' own processes (`azureml_box.serving.server`) load it too, and must
stay small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.routing import Route

    from azureml_box.context import Box
    from azureml_box.serving.service import Serving


def __getattr__(name: str) -> Any:
    """`Serving`, imported on first use."""
    if name == "Serving":
        from azureml_box.serving.service import Serving

        return Serving
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def routes(box: Box) -> list[Route]:
    """Every route of endpoints, deployments, scoring, metrics and billing."""
    from azureml_box.serving import billing, deployments, endpoints, metrics_routes, scoring

    parts = (endpoints, deployments, metrics_routes, billing, scoring)
    return [route for part in parts for route in part.routes(box)]


__all__ = ["Serving", "routes"]
