"""The shapes of rows that people have, a line each: what each becomes, what is left out, and what cannot be turned."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.formats.errors import CannotConvertError
from shared.datasets.formats.shapes import CHAT, LABELS, MEDIA, OTHERS, SYSTEMS, WITH_MESSAGES, shape_of
from shared.datasets.formats.templates import template_of, templated

Pairs = list[tuple[str, str]]
QA: Pairs = [("user", "q"), ("assistant", "a")]
SQA: Pairs = [("system", "s"), *QA]
QAQA: Pairs = [("user", "q0"), ("assistant", "a0"), *QA]
HUMAN, GPT = {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}
USER, BOT = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
MODEL = {"role": "model", "parts": [{"text": "a"}]}

CASES: dict[str, tuple[str, Any, Pairs]] = {
    "ShareGPT": ("ShareGPT", {"conversations": [HUMAN, GPT]}, QA),
    "ShareGPT with a system turn": ("ShareGPT", {"conversations": [{"from": "system", "value": "s"}, HUMAN, GPT]}, SQA),
    "ShareGPT with a system column": ("ShareGPT", {"conversations": [HUMAN, GPT], "system": "s"}, SQA),
    "ShareGPT with roles": ("ShareGPT", {"conversations": [USER, BOT]}, QA),
    "ShareGPT as `conversation`": ("ShareGPT", {"conversation": [HUMAN, GPT]}, QA),
    "ShareGPT as `messages`": ("ShareGPT", {"messages": [HUMAN, GPT]}, QA),
    "ShareGPT in two-sided turns": ("ShareGPT", {"conversation": [{"human": "q", "assistant": "a"}]}, QA),
    "xtuner": ("ShareGPT", {"conversation": [{"system": "s", "input": "q", "output": "a"}]}, SQA),
    "ShareGPT written as a text": ("ShareGPT", {"conversations": json.dumps([HUMAN, GPT])}, QA),
    "ShareGPT printed by Python": ("ShareGPT", {"conversations": str([HUMAN, GPT])}, QA),
    "Alpaca": ("Alpaca", {"instruction": "q", "input": "", "output": "a"}, QA),
    "Alpaca with an input": ("Alpaca", {"instruction": "q", "input": "x", "output": "a"}, [("user", "q\nx"), QA[1]]),
    "Alpaca with system and history": (
        "Alpaca",
        {"instruction": "q", "input": None, "output": "a", "system": "s", "history": [["q0", "a0"]]},
        [("system", "s"), *QAQA],
    ),
    "Dolly": ("Alpaca", {"instruction": "q", "context": "c", "response": "a"}, [("user", "q\nc"), QA[1]]),
    "prompt and response": ("prompt/response", {"prompt": "q", "response": "a"}, QA),
    "prompt and completion": ("prompt/completion", {"prompt": "q", "completion": "a"}, QA),
    "prompt and completion as messages": ("prompt/completion", {"prompt": [USER], "completion": [BOT]}, QA),
    "an answer in parts": ("prompt/response", {"prompt": "q", "response": [{"type": "text", "text": "a"}]}, QA),
    "question and answer": ("question/answer", {"question": "q", "answer": "a"}, QA),
    "question with a context": (
        "question/answer",
        {"context": "c", "question": "q", "answer": "a"},
        [("user", "c\nq"), QA[1]],
    ),
    "an answer that is JSON": (
        "question/answer",
        {"question": "q", "answer": '[{"x": 1}]'},
        [QA[0], ("assistant", '[{"x": 1}]')],
    ),
    "query with a history": ("query/response", {"query": "q", "response": "a", "history": [["q0", "a0"]]}, QAQA),
    "input and output": ("input/output", {"input": "q", "output": "a"}, QA),
    "input_text and output_text": ("input_text/output_text", {"input_text": "q", "output_text": "a"}, QA),
    "problem and solution": ("problem/solution", {"problem": "q", "solution": "a"}, QA),
    "user and assistant": ("user/assistant", {"system": "s", "user": "q", "assistant": "a"}, SQA),
    "preference": ("preference pairs (DPO)", {"prompt": "q", "chosen": "a", "rejected": "b"}, QA),
    "preference as messages": (
        "preference pairs (DPO)",
        {"prompt": "q", "chosen": [USER, BOT], "rejected": [USER]},
        QA,
    ),
    "preference after turns": (
        "preference pairs (DPO)",
        {"conversations": [HUMAN], "chosen": GPT, "rejected": GPT},
        QA,
    ),
    "preference with an instruction": (
        "preference pairs (DPO)",
        {"instruction": "q", "chosen": "a", "rejected": "b"},
        QA,
    ),
    "preference as dialogue (HH)": (
        "preference pairs (DPO)",
        {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"},
        QA,
    ),
    "OpenAI's preference": (
        "OpenAI preference pairs",
        {"input": {"messages": [USER]}, "preferred_output": [BOT], "non_preferred_output": [BOT]},
        QA,
    ),
    "KTO": ("KTO", {"prompt": "q", "completion": "a", "label": True}, QA),
    "KTO with messages": ("KTO", {"messages": [USER, BOT], "label": True}, QA),
    "KTO with turns": ("KTO", {"conversations": [HUMAN, GPT], "kto_tag": "True"}, QA),
    "Gemini": ("Gemini", {"contents": [{"role": "user", "parts": [{"text": "q"}]}, MODEL]}, QA),
    "Gemini with a system instruction": (
        "Gemini",
        {
            "systemInstruction": {"role": "x", "parts": [{"text": "s"}]},
            "contents": [{"role": "user", "parts": [{"text": "q"}]}, MODEL],
        },
        SQA,
    ),
    "Bedrock": (
        "Bedrock",
        {
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": "s"}],
            "messages": [
                {"role": "user", "content": [{"text": "q"}]},
                {"role": "assistant", "content": [{"text": "a"}]},
            ],
        },
        SQA,
    ),
    "Anthropic's messages": ("messages beside a system prompt", {"system": "s", "messages": [USER, BOT]}, SQA),
    "content in parts": (
        "messages in parts",
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]},
                BOT,
            ]
        },
        [("user", "x\ny"), QA[1]],
    ),
    "messages as a text": ("messages written as a text", {"messages": json.dumps([USER, BOT])}, QA),
    "a bare list": ("bare lists of messages", [USER, BOT], QA),
    "Human and Assistant": ("templated text", {"text": "\n\nHuman: q\n\nAssistant: a"}, QA),
    "Human and Assistant in two columns": (
        "prompt/completion",
        {"prompt": "\n\nHuman: q\n\nAssistant:", "completion": " a"},
        QA,
    ),
    "ChatML": ("templated text", {"text": "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\na<|im_end|>"}, QA),
    "Phi": (
        "templated text",
        {"text": "<|system|>\ns<|end|>\n<|user|>\nq<|end|>\n<|assistant|>\na<|end|>\n<|endoftext|>"},
        SQA,
    ),
    "Zephyr": ("templated text", {"text": "<|user|>\nq</s>\n<|assistant|>\na</s>"}, QA),
    "Llama 2": ("templated text", {"text": "<s>[INST] <<SYS>>\ns\n<</SYS>>\n\nq [/INST] a </s>"}, SQA),
    "Mistral, two turns": ("templated text", {"text": "<s>[INST] q0 [/INST] a0</s>[INST] q [/INST] a</s>"}, QAQA),
    "Llama 3": (
        "templated text",
        {
            "text": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nq<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\na<|eot_id|>"
        },
        QA,
    ),
    "Gemma": (
        "templated text",
        {"text": "<bos><start_of_turn>user\nq<end_of_turn>\n<start_of_turn>model\na<end_of_turn>"},
        QA,
    ),
    "Guanaco": ("templated text", {"text": "### Human: q### Assistant: a".replace("q#", "q #")}, QA),
    "Alpaca as a text": (
        "templated text",
        {"text": "s\n\n### Instruction:\nq\n\n### Input:\nx\n\n### Response:\na"},
        [("system", "s"), ("user", "q\n\nx"), ("assistant", "a")],
    ),
    "a list of texts": ("turns as a list of texts", {"dialog": ["q0", "a0", "q", "a"]}, QAQA),
}


@pytest.mark.parametrize(("name", "row", "messages"), CASES.values(), ids=CASES.keys())
def test_a_shape_is_known_and_becomes_a_chat_row(name: str, row: Any, messages: Pairs) -> None:
    shape = shape_of(row)
    assert shape is not None
    assert shape.name == name
    assert shape.convert(row) == {"messages": [{"role": role, "content": text} for role, text in messages]}


CHATS = [
    {"messages": [USER, BOT]},
    {"messages": [USER, BOT], "prompt": "q", "completion": "a", "id": 1},
    {"messages": []},
    {"messages": [{"role": "human", "content": "q"}]},
]
UNKNOWN: list[Any] = [
    {},
    {"a": 1},
    [],
    [1],
    "text",
    3,
    None,
    {"messages": None},
    {"label": True},
    {"label": True, "a": 1},
]


@pytest.mark.parametrize("row", [*CHATS, *UNKNOWN])
def test_chat_rows_and_unknown_ones_are_of_no_other_shape(row: Any) -> None:
    assert shape_of(row) is None


LEFT_OUT: dict[str, tuple[Any, dict[str, int]]] = {
    "columns": ({"prompt": "q", "response": "a", "id": 7, "empty": "", "none": None}, {"the column `id`": 1}),
    "a rejected answer": (
        {"prompt": "q", "chosen": "a", "rejected": "b", "score": 0.5},
        {"a rejected answer": 1, "the column `score`": 1},
    ),
    "a system column": (
        {"conversations": [{"from": "system", "value": "t"}, HUMAN, GPT], "system": "s"},
        {"the column `system`, where the turns have a system message of their own": 1},
    ),
    "keys of messages": (
        {"conversations": [{**HUMAN, "weight": 0.5}, {**GPT, "weight": 1}]},
        {"the key `weight` of a message": 2},
    ),
    "reasoning": (
        {
            "messages": [
                USER,
                {"role": "assistant", "content": [{"type": "reasoning", "value": "r"}, {"type": "text", "text": "a"}]},
            ]
        },
        {"a part that is reasoning": 1},
    ),
    "of OpenAI's preference": (
        {"input": {"messages": [USER], "parallel_tool_calls": True}, "preferred_output": [BOT]},
        {"`parallel_tool_calls` of the column `input`": 1},
    ),
    "nothing": ({"instruction": "q", "input": "x", "output": "a", "history": []}, {}),
    "under a KTO mark": ({"prompt": "q", "completion": "a", "label": True, "id": 1}, {"the column `id`": 1}),
}


@pytest.mark.parametrize(("row", "counted"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_is_left_out_is_named_and_counted(row: Any, counted: dict[str, int]) -> None:
    left_out: Counter[str] = Counter()
    shape = shape_of(row)
    assert shape is not None
    shape.convert(row, left_out)
    assert left_out == counted


REFUSED: dict[str, tuple[Any, str]] = {
    "an image part": (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, BOT]},
        "turn 1: a part is no text (`image_url`)",
    ),
    "images beside": ({"conversations": [HUMAN, GPT], "images": ["a.png"]}, "the row has images"),
    "a file of Gemini": ({"contents": [{"role": "user", "parts": [{"fileData": {}}]}, MODEL]}, "(`fileData`)"),
    "no choice": ({"prompt": "q", "chosen": "", "rejected": "b"}, "no chosen answer"),
    "a bad answer": ({"prompt": "q", "completion": "a", "label": False}, "marked as a bad one (`label` is false)"),
    "an unknown speaker": (
        {"conversations": [{"from": "narrator", "value": "q"}, GPT]},
        "turn 1: an unknown speaker, `narrator`",
    ),
    "an unknown speaker in a text": (
        {"text": "<|im_start|>user\nq<|im_end|><|im_start|>assistant\na<|im_end|><|im_start|>elf\nb"},
        "`elf`",
    ),
    "text outside of turns": ({"text": "<|user|>q<|end|>and<|assistant|>a<|end|>"}, "outside of the turns"),
    "a text without marks": ({"text": "once upon a time"}, "no answer to learn"),
    "no answer": ({"prompt": "q", "completion": ""}, "no answer of the assistant"),
    "no question": ({"prompt": "", "completion": "a"}, "no user's turn"),
    "an answer that is null": ({"prompt": "q", "completion": None}, "there is no text"),
    "an answer that is a number": ({"prompt": "q", "completion": 3}, "no text"),
    "one message a row": (
        {"role": "prompter", "text": "q", "message_id": "1", "parent_id": None},
        "a row is one message",
    ),
    "two questions": ({"context": "c", "prompt": [USER], "response": "a"}, "both hold the question"),
    "a batch request": (
        {"custom_id": "1", "method": "POST", "url": "/v1", "body": {"messages": [USER]}},
        "no answer in it",
    ),
    "turns that are no list": ({"conversations": "q"}, "the turns are no list"),
    "a turn that is none": ({"conversations": [3]}, "turn 1: it is no object"),
    "a turn without a speaker": ({"conversations": [{"said": "q"}]}, "turn 1: it does not say who speaks"),
    "a broken call": (
        {"conversations": [HUMAN, {"from": "function_call", "value": "look!"}]},
        "turn 2: a call of a tool",
    ),
    "tools that are a text": ({"conversations": [HUMAN, GPT], "tools": "search"}, "`tools` is no list"),
    "a history that is none": ({"instruction": "q", "output": "a", "history": "x"}, "`history` is no list"),
    "a ragged history": ({"instruction": "q", "output": "a", "history": [["x"]]}, "`history` is no list of questions"),
}


@pytest.mark.parametrize(("row", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_turned_is_refused_with_the_reason(row: Any, reason: str) -> None:
    shape, left_out = shape_of(row), Counter[str]()
    assert shape is not None
    with pytest.raises(CannotConvertError) as refused:
        shape.convert(row, left_out)
    assert reason in refused.value.reason
    assert not left_out


def test_calls_of_tools_and_tools_come_out_in_openais_shape() -> None:
    row = {
        "conversations": [
            HUMAN,
            {"from": "function_call", "value": '{"name": "look", "arguments": {"place": "Röm"}}'},
            {"from": "observation", "value": "sunny"},
            GPT,
        ],
        "tools": '[{"name": "look", "description": "d", "parameters": {}}]',
    }
    shape = shape_of(row)
    assert shape is not None
    function = {"name": "look", "arguments": '{"place": "Röm"}'}
    assert shape.convert(row) == {
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
            },
            {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
            BOT,
        ],
        "tools": [{"type": "function", "function": {"name": "look", "description": "d", "parameters": {}}}],
    }


def test_calls_in_openais_shape_stay_and_old_ones_are_renewed() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages: list[Any] = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "r", "tool_call_id": "x"},
        {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": {"a": 1}}},
        {"role": "function", "name": "look", "content": {"r": 1}},
        BOT,
    ]
    found = CHAT.convert({"messages": messages})["messages"]
    assert found[1] == {"role": "assistant", "content": "", "tool_calls": [call]}
    assert found[2] == messages[2]
    assert found[3]["tool_calls"][0]["function"]["arguments"] == '{"a": 1}'
    assert found[4] == {
        "role": "tool",
        "name": "look",
        "content": '{"r": 1}',
        "tool_call_id": found[3]["tool_calls"][0]["id"],
    }


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "function": {"name": "f", "parameters": {}}},
        {"name": "f", "parameters": {}},
        {"name": "f", "input_schema": {}},
        {"functionDeclarations": [{"name": "f", "parameters": {}}]},
    ],
)
def test_tools_of_others_come_out_in_openais_shape(tool: Any) -> None:
    row = CHAT.convert({"messages": [USER, BOT], "tools": [tool]})
    assert row["tools"] == [{"type": "function", "function": {"name": "f", "parameters": {}}}]


KEYS = sorted(
    {key for shape in (*WITH_MESSAGES, *OTHERS) for key in shape.columns} | {*SYSTEMS, *MEDIA, *LABELS, "tools"}
)
SAID = st.sampled_from(["human", "gpt", "user", "assistant", "system", "tool", "function_call", "elf"])
TEXTS = st.text(max_size=5) | st.sampled_from(
    ["[INST] q [/INST] a", "\n\nHuman: q\n\nAssistant: a", "true", "[1]", "{'a': 1}"]
)
TURN = st.fixed_dictionaries(
    {}, optional={"from": SAID, "role": SAID, "value": TEXTS, "content": TEXTS, "parts": st.lists(TEXTS)}
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS | TURN, lambda v: st.lists(v, max_size=4), max_leaves=8
)


@given(st.dictionaries(st.sampled_from(KEYS), ANY | st.lists(TURN, max_size=4), max_size=5))
def test_any_row_becomes_a_chat_row_or_is_refused(row: Any) -> None:
    before = json.dumps(row)
    shape = shape_of(row)
    try:
        found = shape.convert(row) if shape else None
    except CannotConvertError as error:
        assert error.reason
        found = None
    assert json.dumps(row) == before
    if found:
        roles = {message["role"] for message in found["messages"]}
        assert {"user", "assistant"} <= roles <= {"system", "user", "assistant", "tool"}
        assert all(isinstance(message["content"], str) for message in found["messages"])
        assert shape_of(found) is None
        assert CHAT.convert(found) == found


@given(st.text())
def test_any_text_has_turns_or_none(text: str) -> None:
    if template_of(text):
        assert templated(text)
