"""The messages of an OpenAI request, as the endpoints' servers take them.

The server of a fine-tuned model wants one system message, first, then user and assistant in turn, the user last, and each
content as text; what breaks that fails in the container (AZUREML_CONTRACT section 3). Clients write several messages of a
role one after the other: those are joined.
"""

from __future__ import annotations

from typing import Any

from shared.endpoints.refusals import bad

ROLES = ("system", "developer", "user", "assistant")
BETWEEN = "\n\n"


def messages_of(given: Any) -> list[dict[str, str]]:
    """The conversation, checked and joined.

    Raises:
        ScoringError: 400 that names the message.
    """
    if not isinstance(given, list) or not given:
        raise bad("messages", "messages must be a list that is not empty")
    turns: list[dict[str, str]] = []
    for index, message in enumerate(given):
        place = f"messages[{index}]"
        role, content = _role(message, place), _text(message.get("content"), f"{place}.content")
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += BETWEEN + content
            continue
        _check_turn(turns, role, place)
        turns.append({"role": role, "content": content})
    if turns[-1]["role"] != "user":
        raise bad(f"messages[{len(given) - 1}].role", "the last message must be the user's: there is nothing to answer")
    return turns


def _role(message: Any, place: str) -> str:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in ROLES:
        raise bad(f"{place}.role", f"role must be one of {', '.join(ROLES)}")
    for name in ("tool_calls", "function_call", "audio"):
        if message.get(name):
            raise bad(f"{place}.{name}", f"{name!r} is not supported", "unsupported_parameter")
    return "system" if role == "developer" else role


def _check_turn(turns: list[dict[str, str]], role: str, place: str) -> None:
    if role == "system" and turns:
        raise bad(f"{place}.role", "system messages come first")
    if role == "assistant" and (not turns or turns[-1]["role"] == "system"):
        raise bad(f"{place}.role", "the user speaks before the assistant")


def _text(content: Any, place: str) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and content:
        return "".join(_part(part, f"{place}[{index}]") for index, part in enumerate(content))
    raise bad(place, "content must be text")


def _part(part: Any, place: str) -> str:
    if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
        raise bad(place, "a part must be {type: 'text', text: …}: images, sound and files are not supported")
    return str(part["text"])
