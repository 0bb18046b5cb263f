"""Bringing a deployment up and moving traffic to it: one look at a time, nothing waits."""

from __future__ import annotations

import msgspec

from shared.azure.blobs import Container
from shared.azure.outside import outside
from shared.azure.seen import OnlineEndpoint
from shared.endpoints import deployments, usage
from shared.errors import RejectedError

LONGEST_ROW = 17 * 1024 * 1024


def bring_up(endpoint: str, name: str, deployment: str, model_id: str, instance_type: str, run: str) -> bool:
    """Starts what is missing of an endpoint and its deployment; True once the deployment answers its probes.

    Raises:
        RejectedError: Azure could not make it; the message carries the log's last line.
        ForeignResourceError: the endpoint or the deployment is somebody else's.
    """
    found = deployments.find_endpoint(endpoint, name)
    if found is None:
        if not deployments.is_listed(endpoint):
            deployments.start_endpoint(endpoint, name)
        return False
    if _pending(found):
        return False
    made = deployments.find_deployment(endpoint, deployment, run)
    if made is None:
        deployments.start_deployment(endpoint, deployment, model_id, instance_type, run)
        return False
    if made.state == "failed":
        line = deployments.log_tail(endpoint, deployment)
        raise RejectedError(
            f"the deployment {deployment} failed" + (f"; its log ends: {line}" if line else ""),
            "look at the deployment's log; a size with more memory often mends it",
        )
    return made.state == "succeeded"


def _pending(endpoint: OnlineEndpoint) -> bool:
    if endpoint.state == "failed":
        raise RejectedError(f"the endpoint {endpoint.name} is in the state Failed", "delete it and retry the run")
    return endpoint.state != "succeeded"


def route_all(endpoint: str, name: str, deployment: str) -> bool:
    """Moves all traffic to a deployment; True once that is so."""
    found = deployments.find_endpoint(endpoint, name)
    if found is None:
        return False
    if found.traffic == {deployment: 100}:
        return found.state == "succeeded"
    made = outside().online.deployment(endpoint, deployment)
    if found.state == "succeeded" and made is not None and made.state == "succeeded":
        outside().online.set_traffic(endpoint, {deployment: 100})
    return False


def take_down(endpoint: str, name: str, deployment: str, run: str = "") -> bool:
    """Takes a deployment away, traffic first; True once it is gone.

    Raises:
        ForeignResourceError: it, or its endpoint, is somebody else's.
    """
    made = deployments.find_deployment(endpoint, deployment, run)
    if made is None:
        return not deployments.stands(endpoint, deployment)
    found = deployments.find_endpoint(endpoint, name)
    if found is not None and found.traffic.get(deployment):
        if found.state == "succeeded":
            rest = {other: share for other, share in found.traffic.items() if other != deployment}
            outside().online.set_traffic(endpoint, {deployment: 0, **rest})
        return False
    if made.state != "deleting":
        outside().online.delete_deployment(endpoint, deployment)
    return deployments.is_gone(endpoint, deployment)


def try_out(endpoint: str, name: str, deployment: str, scoring_uri: str, snapshot: str) -> None:
    """Asks a new deployment, past the traffic rules, one row of the test file.

    Raises:
        RejectedError: it does not answer with a text.
    """
    from shared.endpoints.wire import body_of, probe

    first = Container("snapshots").read(f"{snapshot}/test.jsonl", most=LONGEST_ROW)[0].split(b"\n", 1)[0]
    messages = [
        {key: value for key, value in message.items() if value is not None}
        for message in msgspec.json.decode(first)["messages"]
    ]
    while messages and messages[-1]["role"] == "assistant":
        messages.pop()
    usage.note(name, probe=True)
    probe(scoring_uri, outside().online.key(endpoint), deployment, body_of(messages, {"max_new_tokens": 16}))
