"""An output of a job becomes a version of a data asset or a model when the job has made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azureml_box import asset_rules, assets, containers
from azureml_box.asset_documents import version_document
from azureml_box.asset_kinds import KINDS

if TYPE_CHECKING:
    from azureml_box.context import Box

_MODELS = ("mlflow_model", "custom_model", "triton_model")


async def register(box: Box, kind: str, uri: str, name: str, version: str, job: str) -> str:
    """The id of the new version; without a version it is the next number.

    Raises:
        NotFound: there are no files at the address.
        Conflict: there is such a version with other files.
    """
    table = "models" if kind in _MODELS else "data"
    version = version or containers.next_number(box, table, assets.WORKSPACE, name)
    sent = (
        {"modelUri": uri, "modelType": kind, "jobName": job}
        if table == "models"
        else {"dataUri": uri, "dataType": kind}
    )
    normalise, fixed = KINDS[table]
    properties = await normalise(box, name, version, sent)
    key = assets.key(assets.WORKSPACE, name, version)
    before = box.store.get(table, key)
    asset_rules.same_content(table, name, version, fixed, before, properties)
    doc = version_document(box, table, assets.WORKSPACE, name, version, properties, before)
    containers.keep_version(box, table, doc)
    if table == "models" and before is None:
        told = {"ModelName": name, "ModelVersion": version, "ModelTags": {}, "ModelProperties": {}}
        box.events.publish("Microsoft.MachineLearningServices.ModelRegistered", f"models/{name}:{version}", told)
    return str(doc["id"])
