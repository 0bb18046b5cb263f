"""What pip is told of a conda file."""

from __future__ import annotations

import json

import pytest

from azureml_box.environments import conda


def lines(*dependencies: object) -> tuple[str, ...]:
    return conda.parse(json.dumps({"name": "x", "dependencies": list(dependencies)})).requirements


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("numpy", "numpy"),
        ("numpy=1.26", "numpy==1.26.*"),
        ("numpy=1.26.*", "numpy==1.26.*"),
        ("numpy==1.26.0", "numpy==1.26.0"),
        ("numpy=1.26.0=py310_0", "numpy==1.26.0.*"),
        ("numpy 1.26.0 py310_0", "numpy==1.26.0.*"),
        ("numpy>=1.2,<2", "numpy>=1.2,<2"),
        ("numpy >=1.2,<2.0a0", "numpy>=1.2,<2.0a0"),
        ("conda-forge::Scikit-Learn=1.5", "scikit-learn==1.5.*"),
        ("pytorch=2.1", "torch==2.1.*"),
    ],
)
def test_a_conda_package_is_pips_of_the_same_name(asked: str, told: str) -> None:
    assert lines(asked) == (told,)


def test_pips_own_lines_stay_as_they_are() -> None:
    given = ["six==1.16.0", "--extra-index-url https://x/simple", "mlflow[extras]>=2 ; python_version < '4'"]
    assert lines("pip=21.2", {"pip": given}) == tuple(given)


@pytest.mark.parametrize(
    ("asked", "version"), [("python=3.10", "3.10"), ("python==3.9.7", "3.9"), ("python>=3.8", None)]
)
def test_python_is_an_interpreter_and_no_package(asked: str, version: str | None) -> None:
    spec = conda.parse(json.dumps({"dependencies": [asked]}))
    assert (spec.python, spec.requirements) == (version, ())


def test_what_is_no_python_package_is_left_to_the_machine() -> None:
    spec = conda.parse("dependencies: [cudatoolkit=11.8, git, r-ggplot2, six]")
    assert (spec.system, spec.requirements) == (("cudatoolkit", "git", "r-ggplot2"), ("six",))


@pytest.mark.parametrize(
    "text", ["", "a: [", "name: x", "dependencies: {a: b}", "dependencies: [{npm: [x]}]", "dependencies: ['?']"]
)
def test_what_is_no_conda_file_is_refused(text: str) -> None:
    with pytest.raises(conda.SpecError):
        conda.parse(text)


def test_a_choice_of_versions_is_named_as_nothing_for_pip() -> None:
    with pytest.raises(conda.NotForPipError, match="numpy"):
        lines("numpy=1.2|1.3")
