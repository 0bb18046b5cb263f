"""Which bodies a new job may have: fields, kinds and enumerations of the ARM reference, and of what is done here.

Source: `CommandJob`, `PipelineJob` and their enumerations in the models of azure-ai-ml 1.35 (api-version 2025-12-01, and the
fields that its earlier versions had besides); names are compared without case where the SDK does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from azureml_box.errors import BadRequest
from azureml_box.jobs import settings
from azureml_box.jobs.sweeps.definition import count_what_is_not_done
from azureml_box.strictness import note, refuse

if TYPE_CHECKING:
    from azureml_box.context import Box

JOB_TYPES = ("AutoML", "Command", "Sweep", "Pipeline", "Spark")
_TOP = {"id", "name", "type", "properties", "systemData"}
_COMMON = {
    *("componentId", "computeId", "displayName", "experimentName", "identity", "isArchived", "jobType", "services"),
    *("status", "description", "properties", "tags", "inputs", "outputs", "notificationSetting", "parentJobName"),
    "secretsConfiguration",
}
_FIELDS = {
    "Command": _COMMON
    | {"codeId", "command", "distribution", "environmentId", "environmentVariables", "limits", "parameters"}
    | {"queueSettings", "resources", "autologgerSettings"},
    "Pipeline": _COMMON | {"jobs", "settings", "sourceJobId"},
    "Sweep": _COMMON
    | {"earlyTermination", "limits", "objective", "queueSettings", "resources", "samplingAlgorithm", "searchSpace"}
    | {"trial", "componentConfiguration"},
}
_NOT_HERE = ("sourceJobId", "secretsConfiguration")
_NO_EFFECT = ("notificationSetting", "distribution")
_NODE = {
    *("name", "type", "inputs", "outputs", "componentId", "component", "computeId", "compute", "resources", "limits"),
    *("distribution", "environment_variables", "environmentVariables", "queue_settings", "services", "identity"),
    *("display_name", "displayName", "description", "tags", "properties", "comment", "_source"),
    *("trial", "search_space", "sampling_algorithm", "objective", "early_termination"),
}
_TRIAL = {"codeId", "command", "distribution", "environmentId", "environmentVariables", "resources"}
_NODE_TYPES = ("command", "pipeline", "parallel", "data_transfer", "if_else", "sweep", "")
_SETTINGS = {
    *("default_compute", "default_datastore", "continue_on_step_failure", "force_rerun", "on_init", "on_finalize"),
    *("continue_run_on_failed_optional_input", "_source"),
}
_OBJECTS = (
    *("inputs", "outputs", "limits", "resources", "distribution", "environmentVariables", "environment_variables"),
    *("tags", "properties", "services", "settings", "jobs", "trial", "searchSpace"),
)
_TEXTS = ("jobType", "displayName", "experimentName", "command", "codeId", "componentId", "computeId", "environmentId")
_ASSETS = ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")
_INPUT_TYPES = ("literal", *_ASSETS)
_SHORT = ("ro_mount", "rw_mount", "eval_mount", "eval_download")  # as components' specs spell them
_INPUT_MODES = ("ReadOnlyMount", "ReadWriteMount", "Download", "Direct", "EvalMount", "EvalDownload", *_SHORT)
_OUTPUT_MODES = ("ReadWriteMount", "Upload", "Direct", "rw_mount")


def check(box: Box, body: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    """Looks at the whole body of a PUT that makes a job.

    Raises:
        BadRequest: a value is not of its enumeration.
        ArmError: 501 for what is not done here.
    """
    _unknown(box, "", body, _TOP)
    _shapes("properties", properties)
    kind = str(properties.get("jobType") or "")
    _enumeration("jobType", kind, JOB_TYPES)
    if kind not in _FIELDS:
        refuse(box, f"jobs of type {kind}")
    _unknown(box, "properties.", properties, _FIELDS.get(kind, set(properties)))
    for name in _NOT_HERE:
        if properties.get(name):
            refuse(box, f"the field properties.{name} of a job")
    for name in _NO_EFFECT:
        if properties.get(name):
            note(box, f"the field properties.{name} of a job (taken without effect)")
    _in_and_out("properties", properties)
    _enumeration("limits.jobLimitsType", (properties.get("limits") or {}).get("jobLimitsType"), ("Command", "Sweep"))
    distribution = properties.get("distribution") or {}
    _enumeration("distributionType", distribution.get("distributionType"), ("PyTorch", "TensorFlow", "Mpi"))
    if kind == "Pipeline":
        _pipeline(box, properties)
    if kind == "Sweep":
        _unknown(box, "properties.trial.", properties.get("trial") or {}, _TRIAL)
        count_what_is_not_done(box, properties)


def _pipeline(box: Box, properties: Mapping[str, Any]) -> None:
    given = settings.snake(properties.get("settings"))
    _unknown(box, "properties.settings.", given, _SETTINGS)
    for name in ("on_init", "on_finalize"):
        if given.get(name):
            refuse(box, f"the field properties.settings.{name} of a job")
    for name, node in (properties.get("jobs") or {}).items():
        place = f"properties.jobs.{name}"
        if not isinstance(node, Mapping):
            raise BadRequest(f"{place} must be an object.", target=place)
        _shapes(place, node)
        if str(node.get("type") or "") not in _NODE_TYPES:
            refuse(box, f"nodes of type {node['type']} in a pipeline")
        for field in (
            set(node) - _NODE
        ):  # the SDK sends attributes that nobody knows on purpose, and the service takes them
            note(box, f"the field {field} of a node in a pipeline (taken without effect)")
        if node.get("type") == "sweep":
            count_what_is_not_done(box, node)
        _in_and_out(place, node)


def _in_and_out(place: str, job: Mapping[str, Any]) -> None:
    for name, entry in (job.get("inputs") or {}).items():
        if isinstance(entry, Mapping):
            where = f"{place}.inputs.{name}"
            kind = entry.get("jobInputType") or entry.get("job_input_type")
            _enumeration(f"{where}.jobInputType", kind, _INPUT_TYPES)
            _enumeration(f"{where}.mode", entry.get("mode"), _INPUT_MODES)
            if not isinstance(entry.get("uri") or "", str):
                raise BadRequest(f"{where}.uri must be a text.", target=f"{where}.uri")
    for name, entry in (job.get("outputs") or {}).items():
        if entry is not None and not isinstance(entry, Mapping | str):
            raise BadRequest(f"{place}.outputs.{name} must be an object.", target=f"{place}.outputs.{name}")
        if isinstance(entry, Mapping):
            where = f"{place}.outputs.{name}"
            _enumeration(f"{where}.jobOutputType", entry.get("jobOutputType") or entry.get("job_output_type"), _ASSETS)
            _enumeration(f"{where}.mode", entry.get("mode"), _OUTPUT_MODES)
            if not isinstance(entry.get("uri") or "", str):
                raise BadRequest(f"{where}.uri must be a text.", target=f"{where}.uri")


def _shapes(place: str, job: Mapping[str, Any]) -> None:
    for names, wanted, called in ((_OBJECTS, Mapping, "an object"), (_TEXTS, str, "a text")):
        for name in names:
            if job.get(name) is not None and not isinstance(job[name], wanted):
                raise BadRequest(f"{place}.{name} must be {called}.", target=f"{place}.{name}")


def _unknown(box: Box, place: str, given: Iterable[str], known: set[str]) -> None:
    for name in sorted(set(given) - known):
        refuse(box, f"the field {place}{name} of a job")


def _enumeration(place: str, value: Any, known: Iterable[str]) -> None:
    if value is not None and str(value).lower() not in {name.lower() for name in known}:
        allowed = ", ".join(known)
        raise BadRequest(f"The value {value!r} of {place} is not valid; known are {allowed}.", target=place)
