"""Why a deployment failed: Azure's codes in plain words, with the mend, and which of them pass by themselves.

Codes: learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints (AZUREML_CONTRACT section 4).
"""

from __future__ import annotations

from typing import NamedTuple

from shared.errors import RejectedError


class Cause(NamedTuple):
    """What a code means, what to do about it, and whether the same may succeed when it is tried again as it is."""

    told: str
    fix: str
    passes: bool = False


CAUSES: dict[str, Cause] = {
    "ImageBuildFailure": Cause(
        "the image of the model's environment could not be built",
        "see that the workspace may write to its container registry, and read the build log in the blob azureml/ImageLogs",
    ),
    "OutOfQuota": Cause(
        "the subscription has no quota left for this size in this region",
        "ask for quota of the size's family, choose another instance_type, or put an endpoint to sleep",
    ),
    "OutOfCapacity": Cause(
        "Azure has no machine of this size free in this region right now",
        "wait, or choose another instance_type",
        passes=True,
    ),
    "BadArgument": Cause(
        "Azure refuses what was asked for: the model, its image or the size does not fit",
        "read the message, correct it and retry the run",
    ),
    "ResourceNotReady": Cause(
        "the model's container crashed or never answered its probes",
        "read the end of its log; a size with more memory often mends it",
    ),
    "ResourceNotFound": Cause(
        "something that the deployment needs is not there", "see that the model and its environment exist, then retry"
    ),
    "WorkspaceManagedNetworkNotReady": Cause(
        "the workspace's managed network is not provisioned",
        "provision it (az ml workspace provision-network), then retry",
    ),
    "OperationCanceled": Cause(
        "Azure cancelled it for an operation of higher priority, or a lock is on the resource",
        "take locks off the workspace, then retry the run",
        passes=True,
    ),
    "SecretsInjectionError": Cause(
        "secrets could not be put into the container", "see that the endpoint's identity may read them"
    ),
    "InternalServerError": Cause(
        "Azure met a fault of its own", "retry the run; where it stays, open a support request", passes=True
    ),
}
UNKNOWN = Cause("it could not be made", "look at the deployment's log; a size with more memory often mends it")
_NO_CAPACITY = ("capacity", "AllocationFailed", "OverconstrainedAllocation")
LONGEST = 400


class PassingFailureError(RejectedError):
    """A deployment failed for a cause that passes by itself: another one may be made."""


def cause(code: str, message: str = "") -> Cause:
    """What a code means; a quota that is none, but the region's lack of machines, passes by itself.

    >>> cause("OutOfQuota").passes, cause("OutOfQuota", "Not enough capacity in the region").passes
    (False, True)
    """
    if code == "OutOfQuota" and any(word.lower() in message.lower() for word in _NO_CAPACITY):
        return CAUSES["OutOfCapacity"]
    return CAUSES.get(code, UNKNOWN)


def failure(deployment: str, code: str, message: str, log_tail: str) -> RejectedError:
    """The error of a failed deployment: plain words, Azure's code and message, and how its log ends."""
    known = cause(code, message)
    told = f"the deployment {deployment} failed: {known.told}"
    if code:
        first = message.split("Please see troubleshooting", maxsplit=1)[0].split("\n", maxsplit=1)[0].strip(" .")
        told += f" ({code}{': ' + first[:LONGEST] if first else ''})"
    if log_tail:
        told += f"; its log ends: {log_tail}"
    return (PassingFailureError if known.passes else RejectedError)(told, known.fix)


def refused(error: RejectedError) -> RejectedError:
    """The error of a deployment that was refused at once, with the mend of the code that its message names."""
    code = next((code for code in CAUSES if code in error.reason), "")
    known = cause(code, error.reason)
    if not code:
        return error
    return (PassingFailureError if known.passes else RejectedError)(
        f"{known.told}: {error.reason}", known.fix, error.status
    )
