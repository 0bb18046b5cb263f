"""What is seen of Azure's things: plain values, whatever SDK or address they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ENDS = ("Completed", "Failed", "Canceled", "NotResponding")


def texts(given: Mapping[str, Any] | None) -> dict[str, str]:
    """Tags or properties as an SDK or ARM gives them, which may be none at all."""
    return {key: str(value) for key, value in (given or {}).items()}


def plain(text: Any) -> str:
    """A word of Azure's, which the SDK gives as an enumeration or as a text."""
    return str(getattr(text, "value", text) or "")


@dataclass(frozen=True)
class Listed:
    """A blob as a listing or its properties show it; `arriving`: a copy into it is still under way."""

    path: str
    etag: str
    size: int
    modified: datetime
    arriving: bool = False


@dataclass(frozen=True)
class Job:
    """A job or a step; `status` is Azure's word."""

    name: str
    status: str
    tags: dict[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    studio_url: str = ""
    display_name: str = ""
    kind: str = "pipeline"

    @property
    def ended(self) -> bool:
        """Whether its state is one that nothing follows."""
        return self.status in ENDS


@dataclass(frozen=True)
class JobSpec:
    """A fine-tuning job to be submitted: the registry's pipeline `component` with what it is bound to."""

    name: str
    experiment: str
    display_name: str
    tags: dict[str, str]
    component: Any
    model_id: str
    gpus: int
    computes: dict[str, str]
    files: dict[str, str]
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A version of a registered model."""

    id: str
    name: str
    version: str
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Component:
    """A pipeline component of a registry; `inputs` maps each input to its type, enum and minimum."""

    component: Any
    version: str
    inputs: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class OnlineEndpoint:
    """A managed online endpoint; `state` is its provisioning state in lower case, `traffic` in per cent, without zeros.

    `mirror` is the per cent of the traffic that a deployment gets a copy of.
    """

    name: str
    state: str
    tags: dict[str, str] = field(default_factory=dict)
    traffic: dict[str, int] = field(default_factory=dict)
    scoring_uri: str = ""
    mirror: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class OnlineDeployment:
    """A deployment of an online endpoint; `state` is its provisioning state in lower case.

    It answers `at_once` requests at the same time: max_concurrent_requests_per_instance × instances.
    """

    name: str
    state: str
    tags: dict[str, str] = field(default_factory=dict)
    instance_type: str = ""
    at_once: int = 1


@dataclass(frozen=True)
class Served:
    """What a deployment served in a time: requests, those of them that failed, and its mean latency."""

    requests: float = 0.0
    failed: float = 0.0
    milliseconds: float = 0.0


@dataclass(frozen=True)
class Compute:
    """A compute of the workspace; `state` is its provisioning state in lower case.

    It has at most `nodes`, holds `held` of them now, and gives all but `least` back when nothing runs; its cores count
    against the quota of their family only where it is `dedicated`.
    """

    name: str
    size: str
    state: str
    nodes: int
    held: int = 0
    least: int = 0
    dedicated: bool = True


@dataclass(frozen=True)
class Size:
    """A size of machine as the workspace's region offers it; `family` names its quota."""

    name: str
    family: str
    cores: int
    gpus: int


@dataclass(frozen=True)
class Usage:
    """What is used of a quota in the workspace's region: cores of a family, or all; `limit` -1: there is none."""

    family: str
    used: int
    limit: int


@dataclass(frozen=True)
class Reply:
    """An endpoint's answer to one request; status 0: it could not be reached, 408: it took too long."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
