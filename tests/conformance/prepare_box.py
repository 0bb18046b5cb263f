"""Give the box what the SDK team's workspace has and the tests take for granted: clusters and a curated environment."""

import os
import sys

from azure.ai.ml import MLClient
from azure.ai.ml.entities import AmlCompute, Environment
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential


def main(curated: str, clusters: list[str]) -> int:
    client = MLClient(
        DefaultAzureCredential(),
        os.environ["AZURE_SUBSCRIPTION_ID"],
        os.environ["AZURE_RESOURCE_GROUP"],
        os.environ["AZUREML_WORKSPACE_NAME"],
    )
    failed = 0
    for name in clusters:
        try:
            client.compute.get(name)
        except ResourceNotFoundError:
            try:
                client.compute.begin_create_or_update(
                    AmlCompute(name=name, size="STANDARD_DS3_V2", min_instances=0, max_instances=4)
                ).result(timeout=120)
            except Exception as error:
                failed += 1
                print(f"prepare: compute {name}: {type(error).__name__}: {str(error)[:200]}")
    for version in ("1", "33"):
        try:
            client.environments.get(curated, version)
        except Exception:
            try:
                client.environments.create_or_update(
                    Environment(
                        name=curated, version=version, image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"
                    )
                )
            except Exception as error:
                failed += 1
                print(f"prepare: environment {curated}:{version}: {type(error).__name__}: {str(error)[:200]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
