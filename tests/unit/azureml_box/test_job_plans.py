"""Pipelines become plans, commands become lines for bash, and what does not fit is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml_box.errors import BadRequest
from azureml_box.jobs import command, durations, expansion, plan
from azureml_box.jobs.inputs import complete
from azureml_box.jobs.values import Asset, FromStep, Literal, bound_output, read

STEP: dict[str, Any] = {
    "name": "step",
    "type": "command",
    "inputs": {"text": {"type": "string", "optional": True}, "data": {"type": "uri_folder", "optional": True}},
    "outputs": {"out": {"type": "uri_folder"}},
}
OUTER: dict[str, Any] = {
    "name": "outer",
    "type": "pipeline",
    "inputs": {"word": {"type": "string", "default": "tea"}, "compute_train": {"type": "string", "optional": True}},
    "outputs": {"model": {"type": "uri_folder"}},
    "jobs": {
        "first": {
            "component": "azureml:step:1",
            "compute": "${{parent.inputs.compute_train}}",
            "inputs": {"text": "${{parent.inputs.word}}"},
        },
        "second": {
            "component": "azureml:step:1",
            "inputs": {"data": "${{parent.jobs.first.outputs.out}}"},
            "outputs": {"out": "${{parent.outputs.model}}"},
        },
    },
}


def find(identity: str, registry: str | None) -> plan.Component:
    spec = {"azureml:step:1": STEP, "outer": OUTER}[identity]
    return plan.Component(identity, spec, registry, None)


def node(**inputs: Any) -> dict[str, Any]:
    return {"componentId": "outer", "inputs": inputs, "outputs": {"model": {"value": "${{parent.outputs.trained}}"}}}


def test_a_pipeline_in_a_pipeline_is_expanded_into_its_steps() -> None:
    made = expansion.make({"node": node()}, {}, "cpu", find)
    assert list(made.steps) == ["node/first", "node/second"] and list(made.groups) == ["node"]
    assert made.steps["node/second"].needs() == {"node/first"}


def test_an_output_is_followed_to_the_step_that_writes_it() -> None:
    made = expansion.make({"node": node()}, {}, "cpu", find)
    assert made.outputs["", "trained"] == FromStep("node/second", "out")


def test_defaults_are_filled_in_and_given_values_reach_the_step() -> None:
    assert expansion.make({"node": node()}, {}, "", find).steps["node/first"].inputs == {"text": Literal("tea")}
    given_word = node(word={"job_input_type": "literal", "value": "${{parent.inputs.drink}}"})
    made = expansion.make({"node": given_word}, {"drink": Literal("coffee")}, "", find)
    assert made.steps["node/first"].inputs == {"text": Literal("coffee")}


def test_a_step_runs_on_its_own_compute_or_on_the_pipelines() -> None:
    steps = expansion.make({"node": node(compute_train="gpu")}, {}, "cpu", find).steps
    assert (steps["node/first"].compute, steps["node/second"].compute) == ("gpu", "cpu")


def test_an_unknown_input_is_refused_by_name() -> None:
    with pytest.raises(BadRequest, match="'outer' has no input 'learning_rate_min'"):
        expansion.make({"node": node(learning_rate_min=1)}, {}, "", find)


def test_steps_that_wait_for_each_other_are_refused() -> None:
    def after(name: str) -> dict[str, Any]:
        return {"component": "azureml:step:1", "inputs": {"data": f"${{{{parent.jobs.{name}.outputs.out}}}}"}}

    with pytest.raises(BadRequest, match="circle: a, b"):
        expansion.make({"a": after("b"), "b": after("a")}, {}, "", find)
    with pytest.raises(BadRequest, match="no step 'gone'"):
        expansion.make({"a": after("gone")}, {}, "", find)


@given(st.lists(st.sets(st.integers(0, 9)), min_size=1, max_size=10))
def test_a_plan_without_circles_always_has_an_order(needs: list[set[int]]) -> None:
    spec = {**STEP, "inputs": {f"i{n}": {"type": "uri_folder", "optional": True} for n in range(10)}}
    jobs = {}
    for number, wanted in enumerate(needs):
        earlier = {n for n in wanted if n < number}
        inputs = {f"i{n}": f"${{{{parent.jobs.s{n}.outputs.out}}}}" for n in earlier}
        jobs[f"s{number}"] = {"component": "x", "inputs": inputs}
    made = expansion.make(jobs, {}, "", lambda identity, registry: plan.Component(identity, spec, registry, None))
    for number, wanted in enumerate(needs):
        assert made.steps[f"s{number}"].needs() == {f"s{n}" for n in wanted if n < number}


@pytest.mark.parametrize(
    ("entry", "value", "said"),
    [
        ({"type": "integer", "min": 1}, "0", "outside of 1"),
        ({"type": "integer"}, "1.5", "no integer"),
        ({"type": "number", "max": 1}, "2", "outside of"),
        ({"type": "string", "enum": ["true", "false"]}, "maybe", "allowed are true, false"),
    ],
)
def test_a_value_that_the_spec_does_not_allow_is_refused(entry: dict[str, Any], value: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        complete("c", {"x": entry}, {"x": Literal(value)})


def test_a_required_input_without_value_is_refused_and_an_optional_one_left_out() -> None:
    with pytest.raises(BadRequest, match="Required input 'x'"):
        complete("c", {"x": {"type": "string"}}, {})
    assert complete("c", {"x": {"type": "string", "optional": True}}, {}) == {}


def test_bindings_addresses_and_literals_are_told_apart() -> None:
    assert read({"uri": "azureml://datastores/d/paths/p", "job_input_type": "uri_file"}, {}, "") == Asset(
        "uri_file", "azureml://datastores/d/paths/p"
    )
    assert read("${{parent.inputs.x}}", {}, "") is None
    assert read(True, {}, "") == Literal("true")
    assert read("a-${{parent.inputs.x}}", {"x": Literal("b")}, "") == Literal("a-b")
    assert bound_output({"value": "${{parent.outputs.m}}"}) == "m" and bound_output(None) is None


def test_an_optional_part_goes_as_a_whole_where_its_input_is_not_given() -> None:
    line = "run $[[--a ${{inputs.a}} --b ${{inputs.b}}]] --o ${{outputs.o}}"
    assert command.render(line, {"a": "1"}, {"o": "/o"}) == "run  --o /o"
    assert command.render(line, {"a": "1", "b": "2"}, {"o": "/o"}) == "run --a 1 --b 2 --o /o"


def test_a_command_that_names_what_there_is_not_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"inputs\.gone"):
        command.render("run ${{inputs.gone}}", {}, {})


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=20), max_size=5))
def test_values_stand_in_the_command_unchanged(values: dict[str, str]) -> None:
    line = "|".join("${{inputs." + name + "}}" for name in values)
    assert command.render(line, values, {}) == "|".join(values.values())


@given(st.integers(0, 9), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_durations_are_read_as_the_sdk_sends_them(days: int, hours: int, minutes: int, rest: int) -> None:
    assert durations.seconds(f"P{days}DT{hours}H{minutes}M{rest}S") == ((days * 24 + hours) * 60 + minutes) * 60 + rest
    assert durations.seconds(rest) == rest
