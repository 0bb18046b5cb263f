"""Faults that have a name: what Azure does when something of its own runs short.

Codes and words: learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints and
…/how-to-troubleshoot-managed-compute (read, not seen on the wire).
"""

from __future__ import annotations

from typing import Any

_DEPLOYMENTS = {"method": "PUT", "path": "onlineEndpoints/*/deployments/*"}
_COMPUTES = {"method": "PUT", "path": "workspaces/*/computes/*"}
_JOBS = {"method": "PUT", "path": "workspaces/*/jobs/*"}

NAMED: dict[str, dict[str, Any]] = {
    "quota_exceeded": {
        **_DEPLOYMENTS,
        "kind": "status",
        "status": 400,
        "code": "OutOfQuota",
        "message": "Not enough quota available for the requested VM size. Additional needed: 8. "
        "Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-outofquota",
    },
    "compute_quota_exceeded": {
        **_COMPUTES,
        "kind": "provisioning",
        "code": "ClusterCoreQuotaReached",
        "message": "Operation results in exceeding quota limits of Core. Request a quota increase for the VM family.",
    },
    "capacity_gone": {
        **_DEPLOYMENTS,
        "kind": "provisioning",
        "code": "OutOfCapacity",
        "message": "The specified VM Size failed to provision due to a lack of Azure Machine Learning capacity. Retry "
        "later or try deploying to a different region.",
    },
    "compute_capacity_gone": {
        **_COMPUTES,
        "kind": "provisioning",
        "code": "OutOfCapacity",
        "message": "There is not enough capacity in the region for the VM size. Retry later or choose another size.",
    },
    "image_build_failed": {
        **_DEPLOYMENTS,
        "kind": "provisioning",
        "code": "ImageBuildFailure",
        "message": "The environment's image could not be built. Please see troubleshooting guide, available here: "
        "https://aka.ms/oe-tsg#error-imagebuildfailure",
    },
    "job_image_build_failed": {
        **_JOBS,
        "kind": "provisioning",
        "code": "ImageBuildFailure",
        "message": "The environment's image could not be built; the job cannot start.",
    },
    "throttled": {
        "method": "*",
        "path": "**",
        "kind": "status",
        "status": 429,
        "retry_after": "seconds",
        "retry_seconds": 1,
    },
}
