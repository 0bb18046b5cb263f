"""A body that every operation of the emulator takes, the names that its path may have, and the parameters of its query.

Paths are written as docs/emulator.md writes them: {WS} the workspace, {REG} a registry. What is named here is made first,
so that calls reach into the handlers and do not end at a 404.
"""

from __future__ import annotations

from typing import Any

NAME, KEY = "sample", "k" * 32
PLACE = "azureml://datastores/workspaceblobstore/paths/sample/file.txt"
_ASSET = {"description": "a sample", "tags": {"kind": "sample"}, "properties": {"p": "1"}, "isArchived": False}
_CONTAINER = {"properties": {"description": "a sample", "tags": {"kind": "sample"}, "isArchived": False}}
_COMMAND = {
    "jobType": "Command",
    "displayName": "a sample",
    "experimentName": "samples",
    "command": "echo ${{inputs.number}} > ${{outputs.folder}}/n",
    "environmentId": "azureml:sample:1",
    "computeId": "azureml:sample",
    "environmentVariables": {"A": "1"},
    "inputs": {
        "number": {"jobInputType": "literal", "value": "3"},
        "file": {"jobInputType": "uri_file", "uri": PLACE, "mode": "ReadOnlyMount"},
    },
    "outputs": {"folder": {"jobOutputType": "uri_folder", "mode": "ReadWriteMount"}},
    "limits": {"jobLimitsType": "Command", "timeout": "PT5M"},
    "resources": {"instanceCount": 1, "shmSize": "2g"},
    "distribution": {"distributionType": "PyTorch", "processCountPerInstance": 1},
    "tags": {"kind": "sample"},
    "properties": {},
}
_SPEC = {
    "type": "command",
    "command": "echo ${{inputs.number}} > ${{outputs.folder}}/n",
    "environment": "azureml:sample:1",
    "inputs": {"number": {"type": "number", "optional": True, "default": "3"}},
    "outputs": {"folder": {"type": "uri_folder"}},
    "is_deterministic": True,
}
_PIPELINE = {
    "jobType": "Pipeline",
    "experimentName": "samples",
    "inputs": {"number": {"jobInputType": "literal", "value": "3"}},
    "outputs": {"folder": {"jobOutputType": "uri_folder"}},
    "settings": {"default_compute": "azureml:sample", "force_rerun": True, "continue_on_step_failure": False},
    "jobs": {
        "step": {
            "type": "command",
            "componentId": "azureml:sample:1",
            "inputs": {"number": {"job_input_type": "literal", "value": "${{parent.inputs.number}}"}},
            "outputs": {"folder": {"type": "literal", "value": "${{parent.outputs.folder}}"}},
            "resources": {"instance_count": 1},
        }
    },
}
_COMPUTE = {
    "location": "eastus",
    "tags": {"kind": "sample"},
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "computeType": "AmlCompute",
        "description": "a sample",
        "properties": {
            "vmSize": "Standard_DS3_v2",
            "vmPriority": "Dedicated",
            "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "PT120S"},
        },
    },
}
_ENDPOINT = {
    "location": "eastus",
    "tags": {"kind": "sample"},
    "identity": {"type": "SystemAssigned"},
    "properties": {"authMode": "Key", "description": "a sample", "traffic": {}, "mirrorTraffic": {}, "properties": {}},
}
_DEPLOYMENT = {
    "location": "eastus",
    "tags": {"kind": "sample"},
    "sku": {"name": "Default", "capacity": 1},
    "properties": {
        "endpointComputeType": "Managed",
        "instanceType": "Standard_DS3_v2",
        "model": "azureml:sample:1",
        "environmentVariables": {"A": "1"},
        "scaleSettings": {"scaleType": "Default"},
        "requestSettings": {"requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1, "maxQueueWait": "PT1S"},
        "livenessProbe": {"initialDelay": "PT10S", "period": "PT10S", "failureThreshold": 30},
    },
}
_DATASTORE = {
    "properties": {
        "datastoreType": "AzureBlob",
        "accountName": "devstoreaccount1",
        "containerName": "azureml",
        "credentials": {"credentialsType": "None"},
        "tags": {},
    }
}
_METRIC = {"key": "loss", "value": 0.5, "timestamp": 1, "step": 0}
_RUN: dict[str, Any] = {"run_id": NAME}
_MLFLOW: dict[str, dict[str, Any]] = {
    "logged-models/search": {"experiment_ids": ["samples"], "max_results": 5},
    "runs/search": {
        "experiment_ids": ["samples"],
        "filter": "metrics.loss < 1",
        "max_results": 5,
        "order_by": ["metrics.loss"],
    },
    "runs/create": {"experiment_id": "samples", "run_name": "r", "start_time": 1, "tags": [{"key": "a", "value": "b"}]},
    "runs/update": {**_RUN, "status": "FINISHED", "end_time": 5, "run_name": "r"},
    "runs/delete": _RUN,
    "runs/restore": _RUN,
    "runs/log-metric": {**_RUN, **_METRIC},
    "runs/log-batch": {
        **_RUN,
        "metrics": [_METRIC],
        "params": [{"key": "p", "value": "1"}],
        "tags": [{"key": "a", "value": "b"}],
    },
    "runs/log-parameter": {**_RUN, "key": "p", "value": "1"},
    "runs/set-tag": {**_RUN, "key": "a", "value": "b"},
    "runs/delete-tag": {**_RUN, "key": "a"},
    "experiments/create": {"name": "others", "tags": [{"key": "a", "value": "b"}]},
    "experiments/search": {"filter": "name LIKE 's%'", "max_results": 5, "order_by": ["name"], "view_type": "ALL"},
    "experiments/set-experiment-tag": {"experiment_id": "samples", "key": "a", "value": "b"},
}
_VERSIONS = {
    "models": {**_ASSET, "modelUri": PLACE, "modelType": "custom_model", "flavors": {"f": {"data": {"a": "b"}}}},
    "components": {**_ASSET, "componentSpec": _SPEC},
    "environments": {**_ASSET, "image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", "condaFile": "name: c\n"},
    "data": {**_ASSET, "dataUri": PLACE, "dataType": "uri_file"},
    "codes": {**_ASSET, "codeUri": "https://127.0.0.1:1/devstoreaccount1/azureml/code"},
}
# In an order in which each can be made.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", "{WS}/datastores/{name}"): _DATASTORE,
    ("PUT", "{WS}/computes/{name}"): _COMPUTE,
    **{("PUT", f"{base}/{kind}/{{name}}"): _CONTAINER for base in ("{WS}", "{REG}") for kind in _VERSIONS},
    **{
        ("PUT", f"{base}/{kind}/{{name}}/versions/{{version}}"): {"properties": sent}
        for base in ("{WS}", "{REG}")
        for kind, sent in _VERSIONS.items()
    },
    ("PUT", "{WS}/jobs/{name}"): {"properties": _COMMAND},
    ("PUT", "{WS}/jobs/{name}#pipeline"): {"properties": _PIPELINE},
    ("PUT", "{WS}/onlineEndpoints/{endpoint}"): _ENDPOINT,
    ("PUT", "{WS}/onlineEndpoints/{endpoint}/deployments/{deployment}"): _DEPLOYMENT,
    ("PATCH", "{WS}/computes/{name}"): {"properties": {"properties": {"scaleSettings": {"maxNodeCount": 3}}}},
    ("PATCH", "{WS}/onlineEndpoints/{endpoint}"): {"tags": {"a": "b"}, "identity": {"type": "SystemAssigned"}},
    ("PATCH", "{WS}/onlineEndpoints/{endpoint}/deployments/{deployment}"): {"sku": {"capacity": 2}, "tags": {}},
    ("POST", "{WS}/onlineEndpoints/{endpoint}/regenerateKeys"): {"keyType": "Primary", "keyValue": KEY},
    ("POST", "{WS}/onlineEndpoints/{endpoint}/deployments/{deployment}/getLogs"): {
        "tail": 5,
        "containerType": "InferenceServer",
    },
    ("POST", "/endpoints/{endpoint}/score"): {"input_data": {"input_string": []}},
    ("POST", "{WS}/{kind}/{name}/versions/{version}/startPendingUpload"): {
        "pendingUploadType": "TemporaryBlobReference"
    },
    ("POST", "{REG}/tempdatarefs/{name}/versions/{version}"): {
        "assetId": "azureml://registries/r/models/sample/versions/1"
    },
    ("PUT", "{REG}/tempdatarefs/{name}/versions/{version}"): {
        "assetId": "azureml://registries/r/models/sample/versions/1"
    },
    ("POST", "{REG}/datarefs/{name}/versions/{version}"): {
        "assetId": "azureml://registries/r/models/sample/versions/1"
    },
    ("PUT", "{REG}"): {"location": "eastus", "tags": {}, "properties": {"regionDetails": [{"location": "eastus"}]}},
    ("POST", "/data/v1.0{WS}/dataversion/batchGetResolvedUris"): {"values": [PLACE]},
    ("POST", "/history/v1.0{WS}/rundata"): {"runId": NAME, "selectRunMetadata": True},
    ("PATCH", "/history/v1.0{WS}/experiments/{experiment}/runs/{name}"): {
        "displayName": "d",
        "description": "e",
        "tags": {"a": "b"},
        "properties": {"c": "d"},
        "hidden": False,
    },
    ("POST", "/history/v1.0{WS}/experiments/{experiment}/runs/{name}/artifacts/batch/metadata"): {
        "paths": [{"path": "a"}]
    },
    **{("POST", f"/mlflow/v2.0{{WS}}/api/2.0/mlflow/{path}"): sent for path, sent in _MLFLOW.items()},
    ("POST", "/_emulator/faults"): {
        "method": "GET",
        "path": "nothing",
        "times": 1,
        "kind": "status",
        "status": 500,
        "nth": 1,
    },
    ("POST", "/_emulator/provisioning"): {"jobs": "manual", "timeScale": 1},
    ("POST", "/_emulator/advance"): {"kind": "computes", "name": "nothing"},
    ("POST", "/_emulator/reset"): {"only": ["unsupported"]},
}
