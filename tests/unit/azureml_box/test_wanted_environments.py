"""Which interpreter an environment comes to, and why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from azureml_box import assets
from azureml_box.environments import wanted
from azureml_box.store import Store

FILE = "dependencies: [python=3.11, git, {pip: [six]}]"
SHARED = "azureml://registries/azureml/environments/torch/versions/1"


@pytest.fixture
def box(tmp_path: Path) -> Any:
    store = Store(tmp_path / "box.sqlite")
    kept = {
        assets.key("workspace", "conda", "1"): {"image": "i", "condaFile": FILE, "environmentType": "UserCreated"},
        assets.key("workspace", "image", "1"): {"image": "i", "environmentType": "UserCreated"},
        assets.key("workspace", "build", "1"): {"build": {"contextUri": "u"}, "environmentType": "UserCreated"},
        assets.key("azureml", "torch", "1"): {"image": "i", "condaFile": FILE, "environmentType": "Curated"},
    }
    for key, properties in kept.items():
        store.put("environments", key, {"name": "1", "properties": properties})
    return SimpleNamespace(store=store, config=SimpleNamespace(environments="build"), unsupported=Counter())


@pytest.mark.parametrize(
    "named", ["azureml:conda:1", {"image": "i", "conda_file": {"dependencies": ["git", {"pip": ["six"]}]}}]
)
def test_a_conda_file_is_built(box: Any, named: Any) -> None:
    found = wanted(box, named)
    assert found.spec is not None and found.spec.requirements == ("six",)
    assert "git, which are left to the machine" in found.why and any("git" in what for what in box.unsupported)


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (None, "no environment"),
        ("azureml:image:1", "image"),
        ("azureml:build:1", "Docker build context"),
        ("azureml:nowhere:1", "not known"),
        (SHARED, "curated"),
    ],
)
def test_all_else_is_the_boxs_own_interpreter_and_says_why(box: Any, named: Any, why: str) -> None:
    found = wanted(box, named)
    assert found.spec is None and not found.error and why in found.why


def test_what_pip_cannot_be_told_is_the_boxs_own_interpreter_and_is_counted(box: Any) -> None:
    found = wanted(box, {"conda_file": "dependencies: ['numpy=1.2|1.3']"})
    assert found.spec is None and "numpy" in found.why and box.unsupported


def test_a_conda_file_that_is_none_fails_the_build(box: Any) -> None:
    assert "no list of dependencies" in wanted(box, {"conda_file": "name: x"}).error


def test_a_box_may_be_told_to_build_nothing(box: Any) -> None:
    box.config.environments = "own"
    assert wanted(box, "azureml:conda:1").spec is None
