"""Bringing a deployment up and moving traffic to it: one look at a time, nothing waits."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from shared.azure.blobs import Container
from shared.azure.outside import outside
from shared.azure.seen import OnlineEndpoint
from shared.endpoints import deployments, usage
from shared.errors import NotFoundError, RejectedError

LONGEST_ROW = 17 * 1024 * 1024


class Recipe(NamedTuple):
    """What a deployment is made of: the registered model, the size of machine, and the run whose tag it bears."""

    model_id: str
    instance_type: str
    run: str


def bring_up(endpoint: str, name: str, deployment: str, recipe: Recipe, operation: dict[str, str]) -> bool:
    """Starts what is missing of an endpoint and its deployment; True once the deployment answers its probes.

    `operation` maps the deployment to where its making is told of: it is noted there, and read where it failed.

    Raises:
        RejectedError: Azure could not make it; the message says why, and carries the log's last line.
        ForeignResourceError: the endpoint or the deployment is somebody else's.
    """
    found = deployments.find_endpoint(endpoint, name)
    if found is None:
        if not deployments.is_listed(endpoint):
            deployments.start_endpoint(endpoint, name)
        return False
    if _pending(found):
        return False
    made = deployments.find_deployment(endpoint, deployment, recipe.run)
    if made is None:
        operation[deployment] = deployments.start_deployment(endpoint, deployment, *recipe)
        return False
    if made.state == "failed":
        raise deployments.failure(endpoint, deployment, operation.get(deployment, ""))
    return made.state == "succeeded"


def _pending(endpoint: OnlineEndpoint) -> bool:
    if endpoint.state == "failed":
        raise RejectedError(f"the endpoint {endpoint.name} is in the state Failed", "delete it and retry the run")
    return endpoint.state != "succeeded"


def route_all(endpoint: str, name: str, deployment: str) -> bool:
    """Moves all traffic to a deployment; True once that is so."""
    return route(endpoint, name, {deployment: 100}, {})


def route(endpoint: str, name: str, shares: dict[str, int], mirror: dict[str, int]) -> bool:
    """Moves the traffic (per cent by deployment, 100 in all) and what is mirrored of it; True once that is so."""
    found = deployments.find_endpoint(endpoint, name)
    if found is None:
        return False
    if (found.traffic, found.mirror) == (shares, mirror):
        return found.state == "succeeded"
    if found.state == "succeeded" and all(_is_up(endpoint, deployment) for deployment in (*shares, *mirror)):
        outside().online.set_traffic(endpoint, shares, mirror)
    return False


def _is_up(endpoint: str, deployment: str) -> bool:
    made = outside().online.deployment(endpoint, deployment)
    return made is not None and made.state == "succeeded"


def take_down(endpoint: str, name: str, deployment: str, run: str = "", heir: str = "") -> bool:
    """Takes a deployment away, traffic first; True once it is gone.

    `heir` serves on: where the one that goes has all the traffic, whoever gave it that was cut off before he said so.

    Raises:
        ForeignResourceError: it, or its endpoint, is somebody else's.
    """
    made = deployments.find_deployment(endpoint, deployment, run)
    if made is None:
        return not deployments.stands(endpoint, deployment)
    found = deployments.find_endpoint(endpoint, name)
    if found is not None and (found.traffic.get(deployment) or found.mirror.get(deployment)):
        if found.state == "succeeded":
            rest = _without(found.traffic, deployment) or ({heir: 100} if heir and _is_up(endpoint, heir) else {})
            outside().online.set_traffic(endpoint, {deployment: 0, **rest}, {})
        return False
    if made.state != "deleting":
        outside().online.delete_deployment(endpoint, deployment)
    return deployments.is_gone(endpoint, deployment)


def _without(traffic: dict[str, int], deployment: str) -> dict[str, int]:
    """The traffic without a deployment: what it had goes to the one that has most of the rest, so that the sum stays 100.

    >>> _without({"old": 90, "new": 10}, "new"), _without({"only": 100}, "only")
    ({'old': 100}, {})
    """
    rest = {other: share for other, share in traffic.items() if other != deployment}
    if rest:
        most = max(rest, key=lambda other: rest[other])
        rest[most] += 100 - sum(rest.values())
    return rest


def try_out(endpoint: str, name: str, deployment: str, scoring_uri: str, snapshot: str) -> None:
    """Asks a new deployment, past the traffic rules, one row of the test file, or anything where that is gone by now.

    Raises:
        RejectedError: it does not answer with a text.
    """
    from shared.endpoints.wire import body_of, probe

    messages = _first_question(snapshot) or [{"role": "user", "content": "Hello"}]
    key = outside().online.key(endpoint)
    with usage.sending(name, probe=True):
        probe(scoring_uri, key, deployment, body_of(messages, {"max_new_tokens": 16}))


def _first_question(snapshot: str) -> list[dict[str, Any]]:
    """The first test row up to its last answer; a snapshot that aged out must not keep an endpoint from coming up."""
    try:
        first = Container("snapshots").read(f"{snapshot}/test.jsonl", most=LONGEST_ROW)[0].split(b"\n", 1)[0]
    except NotFoundError:
        return []
    messages = [
        {key: value for key, value in message.items() if value is not None}
        for message in msgspec.json.decode(first)["messages"]
    ]
    while messages and messages[-1]["role"] == "assistant":
        messages.pop()
    return messages
