"""Every call outside by name, with the grant that it needs; and who is given which role on what: behind docs/permissions.md.

The calls are the methods of `shared/azure/gateways.py`, the roles those of `infra/`; tests hold both to this.
"""

from __future__ import annotations

from dataclasses import dataclass

CALLS: dict[str, str] = {
    **dict.fromkeys(["blobs.read", "blobs.chunks", "blobs.stream", "blobs.seekable", "blobs.properties"], "blobs"),
    **dict.fromkeys(["blobs.write", "blobs.write_file", "blobs.stage", "blobs.delete", "blobs.list"], "blobs"),
    "blobs.tag": "blob tags",
    "blobs.now": "blobs",
    "queue.send": "queue",
    "topics.publish": "topic",
    **dict.fromkeys(["jobs.find", "jobs.submit", "jobs.cancel", "jobs.children", "jobs.tagged"], "jobs"),
    **dict.fromkeys(["jobs.metrics", "jobs.curve"], "tracking"),
    **dict.fromkeys(["models.find", "models.register", "models.tag"], "models"),
    **dict.fromkeys(["registry.model", "registry.component"], "registry"),
    "computes.find": "computes",
    "computes.start": "clusters",
    **dict.fromkeys(["computes.sizes", "computes.usages"], "locations"),
    **dict.fromkeys(["online.find", "online.all", "online.start", "online.set_traffic", "online.delete"], "endpoints"),
    **dict.fromkeys(["online.deployment", "online.deployments", "online.start_deployment"], "endpoints"),
    **dict.fromkeys(["online.delete_deployment", "online.log", "online.key", "online.failure"], "endpoints"),
    **dict.fromkeys(["online.requests", "online.served"], "metrics"),
    **dict.fromkeys(["inference.probe", "inference.ask"], "scoring"),
}


@dataclass(frozen=True)
class Given:
    """A role that an identity has on something, and what for; `by`: `infra`, or Azure itself."""

    identity: str
    role: str
    on: str
    why: str
    by: str = "infra"


FUNCTIONS, CLUSTER, PEOPLE = "the functions'", "the cluster's", "yours (`azd`'s)"
STORAGE_TOPIC, WORKSPACE_TOPIC = "the storage topic's", "the workspace topic's"
WORKSPACE, ENDPOINT = "the workspace's", "an endpoint's"
BLOBS = "Storage Blob Data Contributor"

GIVEN = (
    Given(FUNCTIONS, "Storage Blob Data Owner", "the storage account", "records, reports, index tags; the host's own"),
    Given(FUNCTIONS, "Storage Queue Data Contributor", "the storage account", "the work queue and its poison queue"),
    Given(FUNCTIONS, "AzureML Data Scientist", "the workspace", "jobs, models, endpoints, deployments"),
    Given(FUNCTIONS, "Monitoring Reader", "the workspace", "the endpoints' request metric"),
    Given(FUNCTIONS, "EventGrid Data Sender", "the lifecycle topic", "droptune's own events"),
    Given(FUNCTIONS, "Monitoring Metrics Publisher", "Application Insights", "telemetry without a key"),
    Given(FUNCTIONS, "droptune sizes and quota", "the subscription", "sizes and quota of the region, nothing else"),
    Given(CLUSTER, BLOBS, "the container snapshots", "reads its files: the pipeline mounts them `rw_mount`"),
    Given(CLUSTER, BLOBS, "the workspace's storage account", "models and outputs of jobs"),
    Given(CLUSTER, "AcrPull", "the workspace's registry", "images of jobs that the workspace built"),
    Given(STORAGE_TOPIC, BLOBS, "the container deadletters", "events that nobody took"),
    Given(WORKSPACE_TOPIC, BLOBS, "the container deadletters", "events that nobody took"),
    Given(PEOPLE, BLOBS, "the container datasets", "drop files, read reports"),
    Given(PEOPLE, BLOBS, "the container access", "`droptune keys make`"),
    Given(PEOPLE, BLOBS, "the container canary", "`droptune doctor`"),
    Given(WORKSPACE, "what it needs", "its storage, vault, registry, insights", "given when it is made", "Azure"),
    Given(ENDPOINT, "AcrPull", "the workspace's registry", "its image; given when it is made", "Azure"),
    Given(ENDPOINT, "Storage Blob Data Reader", "the workspace's storage account", "its model; the same", "Azure"),
    Given(ENDPOINT, "AzureML Metrics Writer (preview)", "the workspace", "its metrics; the same", "Azure"),
)
