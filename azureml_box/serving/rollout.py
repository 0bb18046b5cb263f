"""Brings a deployment to what its document says: files in place, server up, old generation gone."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box import assets
from azureml_box.environments import BuildError, wanted
from azureml_box.errors import ArmError, BadRequest
from azureml_box.serving.launch import Launch, limits
from azureml_box.serving.process import StartError, tail
from azureml_box.serving.service import DEPLOYMENTS

if TYPE_CHECKING:
    from azureml_box.context import Box

_WORDS_OF_LOG = 20


async def bring_up(box: Box, key: str) -> None:
    """The work behind PUT; the document ends as Succeeded or Failed, and ArmError says why."""
    doc = box.store.get(DEPLOYMENTS, key)
    if doc is None:
        return
    try:
        what = {"Creating": "create", "Scaling": "scale"}.get(doc["properties"]["provisioningState"], "update")
        await box.provisioning.wait("deployments", key, what)
        if doc.get("_source") != _source(doc) or key not in box.serving.keepers:
            doc["_live"] = asdict(await _serve(box, key, doc))
            doc["_source"] = _source(doc)
    except BaseException:
        _settle(box, key, doc, "Failed")
        raise
    _settle(box, key, doc, "Succeeded")


def _settle(box: Box, key: str, doc: dict[str, Any], state: str) -> None:
    """Write the outcome, unless the deployment has been given to deletion meanwhile."""
    now = box.store.get(DEPLOYMENTS, key)
    if now is not None and now["properties"]["provisioningState"] != "Deleting":
        doc["properties"]["provisioningState"] = state
        box.store.put(DEPLOYMENTS, key, doc)


def enter(box: Box, key: str, state: str) -> None:
    """Change the state of a deployment, if it is still there."""
    doc = box.store.get(DEPLOYMENTS, key)
    if doc is not None:
        doc["properties"]["provisioningState"] = state
        box.store.put(DEPLOYMENTS, key, doc)


async def _serve(box: Box, key: str, doc: dict[str, Any]) -> Launch:
    folder = box.serving.folder(key) / uuid.uuid4().hex[:8]
    try:
        launch = await asyncio.to_thread(_prepare, box, key, doc, folder)
        if launch.script:
            launch = replace(launch, python=await _python(box, key, doc))
        await box.serving.replace(key, launch)
    except StartError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _not_ready(box, key, error) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return launch


async def _python(box: Box, key: str, doc: dict[str, Any]) -> str | None:
    """The interpreter of a scoring script's environment, built where it must be; None: the box's own."""
    asked = await asyncio.to_thread(wanted, box, doc["properties"].get("environmentId"))
    try:
        found = await box.environments.prepare(asked, box.serving.folder(key) / "build.log")
    except BuildError as error:
        raise ArmError(400, "ImageBuildFailure", f"Image build failed. {error}") from error
    with (box.serving.folder(key) / "storage.log").open("a", encoding="utf-8") as log:
        log.write(f"The scoring script runs in {found.words()}\n")
    return found.path if found.venv else None


def _not_ready(box: Box, key: str, error: StartError) -> ArmError:
    words = tail(box.serving.log(key), _WORDS_OF_LOG)
    message = (
        f"User container has crashed or terminated: {error}. Please see troubleshooting guide, available here: "
        f"https://aka.ms/oe-tsg#error-resourcenotready\nThe log ends:\n{words}"
    )
    return ArmError(400, "ResourceNotReady", message)


def _prepare(box: Box, key: str, doc: dict[str, Any], folder: Path) -> Launch:
    """Put model and code below `folder`. Blocks."""
    properties = doc["properties"]
    folder.mkdir(parents=True)
    with (box.serving.folder(key) / "storage.log").open("a", encoding="utf-8") as log:
        model = code = script = None
        if properties.get("model"):
            model = _model(box, str(properties["model"]), folder / "models")
            log.write(f"Downloaded model {properties['model']}\n")
        configuration = properties.get("codeConfiguration") or {}
        if configuration:
            code = str(assets.code_folder(box, str(configuration["codeId"]), folder / "code"))
            script = str(configuration["scoringScript"])
            log.write(f"Downloaded code {configuration['codeId']}\n")
    environment = {name: str(value) for name, value in properties["environmentVariables"].items()}
    place = {"model": str(model), "model_dir": str(model.parent)} if model else {"model": None}
    limit = limits(properties, doc["sku"]["capacity"])
    return Launch(str(folder), code=code, script=script, environment=environment, **place, **limit)


def _model(box: Box, asset_id: str, target: Path) -> Path:
    """The model's file or folder, in Azure's layout: below NAME/VERSION, and named as it was when it was registered."""
    found = assets.find_model(box, asset_id)
    if found.type == "triton_model":
        raise BadRequest("Triton models are not served by the emulator; MLflow and custom models are.", "BadArgument")
    place = target / found.name / found.version
    name = found.folder.name if found.folder is not None else str(found.prefix).rstrip("/").rsplit("/", 1)[-1]
    single = found.container is not None and box.storage.exists(found.container, str(found.prefix))
    assets.materialise_model(box, asset_id, place if single else place / name)
    return place / name


def _source(doc: dict[str, Any]) -> dict[str, Any]:
    """What a change of makes a new generation necessary; the rest, tags for example, changes in place."""
    names = ("model", "codeConfiguration", "environmentId", "environmentVariables", "requestSettings")
    return {**{name: doc["properties"].get(name) for name in names}, "instances": doc["sku"]["capacity"]}
