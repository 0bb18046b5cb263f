"""The registry offers what the real one offers, and building it is repeatable."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.components.chat_completion.gguf_file import GgufFile
from local.registry import build as registry

SPECS = Path(registry.__file__).parent
STEPS = {
    "ft_nlp_common_validation": "0.0.80",
    "chat_completion_model_import": "0.0.81",
    "chat_completion_datapreprocess": "0.0.80",
    "chat_completion_finetune": "0.0.81",
    "ft_nlp_model_converter": "0.0.80",
}
MODELS = {"Phi-3-mini-4k-instruct": "15", "SmolLM2-135M-Instruct": "1", "tiny-random-chat": "1"}


def spec(kind: str, name: str) -> dict[str, Any]:
    return yaml.safe_load((SPECS / kind / name / "spec.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return registry.build(tmp_path_factory.mktemp("registry"))


def test_the_pipeline_has_69_inputs_and_two_outputs() -> None:
    pipeline = spec("components", "chat_completion_pipeline")
    assert (pipeline["version"], len(pipeline["inputs"])) == ("0.0.82", 69)
    assert set(pipeline["outputs"]) == {"pytorch_model_folder", "mlflow_model_folder"}


def test_inputs_have_the_types_defaults_and_limits_of_the_contract() -> None:
    inputs = spec("components", "chat_completion_pipeline")["inputs"]
    assert [name for name, given in inputs.items() if not given["optional"]] == ["task_name"]
    assert inputs["num_train_epochs"] == {"type": "integer", "default": 1, "optional": True, "min": 1}
    assert inputs["apply_lora"] == {"type": "string", "default": "false", "optional": True, "enum": ["true", "false"]}
    assert inputs["adam_epsilon"] == {"type": "number", "default": 1e-8, "optional": True}
    assert inputs["mlflow_model_path"] == {"type": "mlflow_model", "optional": True, "mode": "rw_mount"}
    assert inputs["train_mltable_path"] == {"type": "mltable", "optional": True}
    assert inputs["precision"]["enum"] == ["32", "16"]


def test_the_five_steps_bind_only_names_that_exist() -> None:
    pipeline = spec("components", "chat_completion_pipeline")
    assert list(pipeline["jobs"]) == list(STEPS)
    for name, job in pipeline["jobs"].items():
        step = spec("components", name)
        assert job["component"] == f"azureml:{name}:{STEPS[name]}" and step["version"] == STEPS[name]
        assert set(job["inputs"]) <= set(step["inputs"])
        bound = re.findall(r"\$\{\{parent\.inputs\.(\w+)}}", str(job))
        assert set(bound) <= set(pipeline["inputs"])
        for other, output in re.findall(r"\$\{\{parent\.jobs\.(\w+)\.outputs\.(\w+)}}", str(job)):
            assert output in spec("components", other)["outputs"]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_passes_each_input_and_output_once(name: str) -> None:
    step = spec("components", name)
    passed = re.findall(r"--(\w+) '\$\{\{(?:inputs|outputs)\.(\w+)}}'", step["command"])
    assert [flag for flag, _ in passed] == [*step["inputs"], *step["outputs"]]
    assert all(flag == value for flag, value in passed)
    optional = set(re.findall(r"\$\[\[--(\w+)", step["command"]))
    assert optional == {key for key, value in step["inputs"].items() if value.get("optional")}


@pytest.mark.parametrize(("name", "version"), MODELS.items())
def test_models_carry_lists_and_defaults_as_python_literals(name: str, version: str) -> None:
    model = spec("models", name)
    tags = model["tags"]
    defaults = ast.literal_eval(tags["model_specific_defaults"])
    inputs = set(spec("components", "chat_completion_pipeline")["inputs"])
    assert model["version"] == version and model["type"] == "mlflow_model"
    assert "Standard_NC24ads_A100_v4" in ast.literal_eval(tags["finetune_compute_allow_list"])
    assert "Standard_NC24ads_A100_v4" in ast.literal_eval(tags["inference_compute_allow_list"])
    assert set(defaults) - inputs == {"learning_rate_min", "learning_rate_max"}
    assert all(isinstance(value, str) for value in tags.values())


def test_the_stand_in_says_whose_weights_it_has() -> None:
    assert spec("models", "Phi-3-mini-4k-instruct")["tags"]["box_weights"] == "SmolLM2-135M-Instruct"


def test_a_built_registry_has_absolute_paths_and_whole_models(built: Path) -> None:
    for name in MODELS:
        folder = Path(yaml.safe_load((built / "models" / name / "spec.yaml").read_text())["path"])
        assert folder.is_absolute() and (folder / "MLmodel").is_file()
        assert (folder / "code" / "chat_model" / "__init__.py").is_file()
        assert GgufFile(folder / "data" / "model.gguf").get("general.architecture") == "llama"
    for name in STEPS:
        code = Path(yaml.safe_load((built / "components" / name / "spec.yaml").read_text())["code"])
        assert (code / "chat_completion" / "finetune.py").is_file()


def test_a_built_registry_has_the_tokenizer_that_the_function_app_counts_with(built: Path) -> None:
    from shared.datasets import tokens

    assert tokens.from_file(built / "tokenizer.json").count(["Hello, world!"]) == [4]


def test_building_again_changes_nothing(built: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    registry.build(built)
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == before


def test_a_damaged_registry_is_built_anew(built: Path) -> None:
    weights = built / "models" / "tiny-random-chat" / "model" / "data" / "model.gguf"
    first = weights.read_bytes()
    weights.unlink()
    (built / registry.STAMP).unlink()
    registry.build(built)
    assert weights.read_bytes() == first
