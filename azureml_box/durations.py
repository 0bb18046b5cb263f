"""How long Azure's operations take in the median, in seconds: what the mode `timed` multiplies. Not measured.

Jobs wait for a node from nothing and its image, clusters for their resource, deployments for an instance, image and model:
from Azure's documentation and forums. Of endpoints, registries, schedules, of deletions and of starting and stopping,
only the order of magnitude is assumed: nothing is written about them.
"""

from __future__ import annotations

AZURES_SECONDS = {
    "jobs": 180.0,
    "computes": 15.0,
    "deployments": 480.0,
    "endpoints": 60.0,
    "schedules": 5.0,
    "registries": 120.0,
}
# Where it takes otherwise than creation: (kind, what) -> seconds.
OTHER_SECONDS = {
    ("computes", "delete"): 60.0,
    ("computes", "start"): 120.0,
    ("computes", "stop"): 60.0,
    ("computes", "restart"): 120.0,
    ("deployments", "delete"): 120.0,
    ("deployments", "scale"): 240.0,
    ("endpoints", "update"): 20.0,
    ("endpoints", "delete"): 120.0,
    ("schedules", "delete"): 5.0,
}
