"""Text in which the turns are marked, as chat templates write it: split at the marks, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.datasets.formats.errors import CannotConvertError
from shared.datasets.formats.turns import SPEAKERS, Message, role_of


@dataclass(frozen=True)
class Template:
    """A way of marking turns: `mark` has one group, the speaker; a turn's text ends at any of `ends`."""

    name: str
    mark: re.Pattern[str]
    ends: tuple[str, ...] = ()


TEMPLATES = (
    Template("ChatML", re.compile(r"<\|im_start\|>[ \t]*(\w+)"), ("<|im_end|>",)),
    Template("Llama 3", re.compile(r"<\|start_header_id\|>(\w+)<\|end_header_id\|>"), ("<|eot_id|>", "<|eom_id|>")),
    Template("Phi", re.compile(r"<\|(system|user|assistant|tool)\|>"), ("<|end|>", "</s>", "<|endoftext|>")),
    Template("Gemma", re.compile(r"<start_of_turn>(\w+)"), ("<end_of_turn>",)),
    Template("Llama 2", re.compile(r"(\[/?INST\])"), ("</s>",)),
    Template(
        "### marks", re.compile(r"(?:^|\s)### ?(System|Human|User|Assistant|Instruction|Input|Response) ?:", re.I)
    ),
    Template("Human/Assistant", re.compile(r"(?:^|\n\n|\A\s*)(Human|Assistant|System):")),
)
_NOISE = re.compile(r"<s>|</s>|<bos>|<eos>|<\|begin_of_text\|>|<\|end_of_text\|>|<\|endoftext\|>")
_SYSTEM = re.compile(r"<<SYS>>(.*?)<</SYS>>", re.DOTALL)


def template_of(text: str) -> Template | None:
    """How a text marks its turns, if it does: a user's and an assistant's mark must both be there.

    >>> template_of("[INST] Hi [/INST] Hello</s>").name
    'Llama 2'
    """
    for template in TEMPLATES:
        if {SPEAKERS.get(speaker.lower()) for speaker in template.mark.findall(text)} >= {"user", "assistant"}:
            return template
    return None


def templated(text: str) -> list[Message]:
    """The messages of a text with marks; turns of one speaker that follow each other become one.

    Raises:
        CannotConvertError: it has no marks that we know, or text stands outside of the turns.
    """
    template = template_of(text)
    if template is None:
        raise CannotConvertError("the text does not mark who speaks")
    before, *pieces = template.mark.split(text)
    found: list[Message] = []
    _add(found, "system", _clean(before))
    for speaker, said in zip(pieces[::2], pieces[1::2], strict=True):
        said = _ended(said, template)
        if system := _SYSTEM.search(said):
            _add(found, "system", system[1].strip())
            said = said[: system.start()] + said[system.end() :]
        _add(found, role_of(speaker), _clean(said))
    return found


def _ended(said: str, template: Template) -> str:
    for end in template.ends:
        said, mark, after = said.partition(end)
        if mark and _clean(after):
            raise CannotConvertError(f"text stands outside of the turns, after {end}")
    return said


def _clean(text: str) -> str:
    return _NOISE.sub("", text).strip()


def _add(found: list[Message], role: str, text: str) -> None:
    if not text:
        return
    if role == "call":
        raise CannotConvertError("a call of a tool stands in the text")
    if found and found[-1]["role"] == role:
        found[-1]["content"] += "\n\n" + text
    else:
        found.append({"role": role, "content": text})
