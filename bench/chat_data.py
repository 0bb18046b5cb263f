"""Chat data like ultrachat_200k, made up: `write(path, megabytes)`.

The shape is HuggingFaceH4/ultrachat_200k's: `prompt`, `prompt_id`, `messages` with `content` before `role`, user and
assistant in turn. Its card gives 1,397,058,554 bytes for the 207,865 rows of train_sft, so 6.7 KB a row; ours have as
much. Every fifth row or so is not plain ASCII. The words are invented, their lengths and the escapes are not.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

POOL = 1_500
WIDE = 0.2
ROUNDS = (1, 2, 2, 3, 3, 3, 4, 4, 5, 7)
USER_CHARACTERS = (40, 420)
FIRST_CHARACTERS = (60, 1_400)
ANSWER_CHARACTERS = (500, 2_300)
BLOCK = 1 << 20

_COMMON_WORDS = """the of and to in a is that for it as was with be by on not his but at are this have from or had an they
which one you were all her she there would their we him been has when who will no more if out so up said what its about
than into them can only other time new some could these two may first then do any like my now over such our even most
made after also did many off before must well back through years where much your way down should because long each just
state those people too good world make very year still see own work day get here life both between being under never"""
_LONG_WORDS = """system different important development community experience government particular environment understanding
technology relationship information performance character organization education significant research approach
individual resources strategies healthcare sustainable traditional opportunities additionally however furthermore
challenges communication ingredients temperature mountains protagonist algorithm variables customers"""
_COMMON, _LONG = _COMMON_WORDS.split(), _LONG_WORDS.split()
_LISTED = ("Use", "Consider", "Offer", "Plan", "Keep", "Try")
_CODE = (
    'def add(a, b):\n    """Return the sum."""\n    return a + b  # {n}',
    'for (let i = 0; i < {n}; i++) {{\n\tconsole.log("row", i);\n}}',
    "SELECT name, total FROM orders WHERE id = {n};",
)
_WIDE = ("“quoted”", "naïve café", "—", "it’s", "€{n}", "São Paulo", "数据分析", "здравствуйте", "😀", "½ cup")


def write(path: Path, megabytes: int, seed: int = 0, *, bare: bool = False) -> int:
    """Write at least `megabytes` (of 10⁶ bytes) of rows, no two alike, the same for the same seed; return how many.

    `bare` rows have `messages` and nothing else.
    """
    random = Random(seed)
    plain, wide = _Pool(random, wide=False), _Pool(random, wide=True)
    size, rows = 0, 0
    with path.open("wb", buffering=BLOCK) as file:
        while size < megabytes * 1_000_000:
            pool = wide if random.random() < WIDE else plain
            size += file.write(pool.row(random, rows, bare=bare))
            rows += 1
    return rows


class _Pool:
    """Texts as JSON strings, out of which rows are put together."""

    def __init__(self, random: Random, *, wide: bool) -> None:
        self._firsts = [_text(random, FIRST_CHARACTERS, wide=wide) for _ in range(POOL)]
        self._asked = [_text(random, USER_CHARACTERS, wide=wide) for _ in range(POOL)]
        self._answers = [_text(random, ANSWER_CHARACTERS, wide=wide) for _ in range(POOL)]

    def row(self, random: Random, number: int, *, bare: bool) -> bytes:
        """Return one line; its number ends the last answer, so that it is the only one of its kind."""
        count = random.choice(ROUNDS)
        first = random.choice(self._firsts)
        asked = [first, *random.choices(self._asked, k=count - 1)]
        answers = random.choices(self._answers, k=count)
        answers[-1] = b'%s (%d)"' % (answers[-1][:-1], number)
        messages = b",".join(
            b'{"content":%s,"role":"user"},{"content":%s,"role":"assistant"}' % turn
            for turn in zip(asked, answers, strict=True)
        )
        if bare:
            return b'{"messages":[%s]}\n' % messages
        return b'{"prompt":%s,"prompt_id":"%064x","messages":[%s]}\n' % (first, random.getrandbits(256), messages)


def _text(random: Random, characters: tuple[int, int], *, wide: bool) -> bytes:
    """Return paragraphs, lists, code and quotes as one JSON string; short texts are more frequent than long ones."""
    least, most = characters
    wanted = random.triangular(least, most, least + (most - least) / 3)
    parts: list[str] = []
    while sum(map(len, parts)) < wanted:
        parts.append(_part(random, wide=wide))
    return json.dumps("".join(parts).rstrip(), ensure_ascii=False).encode()


def _part(random: Random, *, wide: bool) -> str:
    chance = random.random()
    if chance < 0.01:
        return "\n```\n" + random.choice(_CODE).format(n=random.randrange(10_000)) + "\n```\n\n"
    if chance < 0.09:
        return f"\n\n{random.randint(1, 10)}. {random.choice(_LISTED)} {_sentence(random)}"
    if chance < 0.13:
        return f'"{_sentence(random)}" '
    if chance < 0.16:
        return f"In {random.randint(1900, 2024)}, {random.randrange(1_000)} of them: "
    if wide and chance < 0.22:
        return random.choice(_WIDE).format(n=random.randrange(100)) + " "
    return _sentence(random) + ("\n\n" if chance > 0.88 else " ")


def _sentence(random: Random) -> str:
    """Common words are the more frequent, the earlier they stand in their list."""
    words = [
        random.choice(_LONG) if random.random() < 0.3 else _COMMON[int(len(_COMMON) * random.random() ** 2)]
        for _ in range(random.randint(5, 22))
    ]
    middle = random.randrange(len(words))
    words[middle] += ","
    return " ".join(words).capitalize().rstrip(",") + random.choice("....?!")
