"""Give the box what the SDK team's workspace has and the tests take for granted: run by the SDK's own interpreter.

Arguments: the box's registry, a second one to make, the tests' configuration files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.ai.ml import MLClient, load_component
from azure.ai.ml.entities import AmlCompute, Environment, Model, Registry, RegistryRegionDetails
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential

CURATED = "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu"  # Azure offers it everywhere; the tests name these versions
VERSIONS = ("1", "32", "33")
CLUSTERS = ("cpu-cluster", "gpu-cluster", "testCompute")
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"


def client(**chosen: Any) -> MLClient:
    """A client of the box's workspace or, with `registry_name`, of a registry."""
    scope = (os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["AZURE_RESOURCE_GROUP"])
    return MLClient(DefaultAzureCredential(), *scope, **chosen)


def there(get: Callable[[], Any], make: Callable[[], Any]) -> None:
    """Make what can't be got."""
    try:
        get()
    except ResourceNotFoundError:
        make()


def main(registry: str, second: str, configs: Path) -> None:
    """Clusters, the curated environment, public data, a model, a second registry with a component, a model in the first."""
    box = client(workspace_name=os.environ["AZUREML_WORKSPACE_NAME"])
    for name in CLUSTERS:
        cluster = AmlCompute(name=name, size="STANDARD_DS3_V2", min_instances=0, max_instances=4)
        there(
            lambda c=cluster: box.compute.get(c.name), lambda c=cluster: box.compute.begin_create_or_update(c).result()
        )
    for version in VERSIONS:
        curated = Environment(name=CURATED, version=version, image=IMAGE)
        there(
            lambda e=curated: box.environments.get(e.name, e.version),
            lambda e=curated: box.environments.create_or_update(e),
        )
    public_data()
    used = iris(configs)  # a test takes for granted that a list of models is not empty
    there(lambda: box.models.get(used.name, used.version), lambda: box.models.create_or_update(used))
    shared(registry, second, configs)


def iris(configs: Path) -> Model:
    """A model that the SDK's sources bring along."""
    return Model(name="iris_model", version="1", type="mlflow_model", path=configs / "model" / "lightgbm_mlflow_model")


def public_data() -> None:
    """The public file that many tests read, in the box's own account."""
    from azure.storage.blob import BlobServiceClient

    service = BlobServiceClient(os.environ["AZURE_STORAGE_ACCOUNT_URL"], DefaultAzureCredential())
    container = service.get_container_client("conformance")
    if not container.exists():
        container.create_container()
    container.upload_blob("Titanic.csv", b"PassengerId,Survived\n1,0\n2,1\n", overwrite=True)


def shared(registry: str, second: str, configs: Path) -> None:
    """What the tests find in registries."""
    place = "eastus"
    made = Registry(name=second, location=place, replication_locations=[RegistryRegionDetails(location=place)])
    groups = client()
    there(lambda: groups.registries.get(second), lambda: groups.registries.begin_create(made).result())
    models, components = client(registry_name=registry).models, client(registry_name=second).components
    model = iris(configs)
    there(lambda: models.get(model.name, model.version), lambda: models.create_or_update(model))
    source = configs / "pipeline_jobs" / "job_with_registry_model_as_input" / "score_in_registry.yml"
    score = load_component(source)
    there(lambda: components.get(score.name, score.version), lambda: components.create_or_update(score))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
