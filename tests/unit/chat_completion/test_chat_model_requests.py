"""What a deployed chat model accepts, and what it says about the rest."""

from __future__ import annotations

from typing import Any

import pytest

from local.components.chat_completion.chat_model import ChatModel
from local.components.chat_completion.chat_model.requests import Generation, Messages, conversations_in, generation_in

ASK = [{"role": "user", "content": "Hi"}]


class Echo:
    """An engine that says what it was asked."""

    def answer(self, messages: Messages, generation: Generation) -> str:
        return f"{messages[-1]['content']} {generation.max_tokens}"


def test_each_conversation_gets_one_answer_in_order() -> None:
    batch = [[{"role": "user", "content": str(i)}] for i in range(5)]
    answers = ChatModel(Echo()).predict({"input_string": batch, "parameters": {"max_new_tokens": 7}})
    assert answers == [{"0": f"{i} 7"} for i in range(5)]


def test_one_conversation_may_be_a_flat_list() -> None:
    assert conversations_in({"input_string": ASK}) == [ASK] == conversations_in({"input_string": [ASK]})


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([*ASK, {"role": "assistant", "content": "Yes"}], "last message"),
        ([*ASK, *ASK], "alternate"),
        ([*ASK, {"role": "system", "content": "x"}], "come first"),
        ([{"role": "tool", "content": "x"}], "unknown role"),
        ([{"role": "user"}], "content"),
        ([], "list of messages"),
        ("hello", "list of messages"),
    ],
)
def test_conversations_that_cannot_be_answered_are_refused(messages: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        conversations_in({"input_string": messages})


def test_generation_is_greedy_unless_a_temperature_or_sampling_is_asked_for() -> None:
    assert generation_in({"parameters": {}}, None).temperature == 0.0
    assert generation_in({"parameters": {"do_sample": True}}, None).temperature == 1.0
    assert generation_in({"parameters": {"do_sample": False, "temperature": 0.9}}, None).temperature == 0.0


def test_params_of_the_request_win_over_parameters_of_the_input() -> None:
    read = generation_in({"parameters": {"max_gen_len": 5, "stop": "x", "seed": 3}}, {"max_tokens": 9, "top_p": 0.5})
    assert read == Generation(max_tokens=9, stop=("x",), seed=3, top_p=0.5)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": [1]}, "stop"),
        ({"tempreature": 1}, "unknown"),
    ],
)
def test_wrong_parameters_are_refused_by_name(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        generation_in({"parameters": parameters}, None)
