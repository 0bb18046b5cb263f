"""What people want of droptune in a chaos run: each wish is a dataset in a folder, and is known by a word in its rows."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.chaos.world import World

MOST_FOLDERS = (
    99  # Azure's limit is 100 endpoints, and one is a stranger's (chaos, seed 7: the last of 100 was refused)
)
CONFIG = 'base_model = "tiny-random-chat"\n'


@dataclass
class Wish:
    """A dataset: `word` stands in all its rows and in nobody else's, so what was trained on it can be told by content."""

    folder: str
    file: str
    word: str
    rows: int
    after: float = 0.0
    dropped: float = 0.0

    @property
    def path(self) -> str:
        """Its path in the container."""
        return f"{self.folder}/{self.file}"

    def data(self) -> bytes:
        """Its bytes."""
        made = [
            {
                "messages": [
                    {"role": "user", "content": f"What is {self.word} number {number}?"},
                    {"role": "assistant", "content": f"It is {self.word} {number * 7}."},
                ]
            }
            for number in range(self.rows)
        ]
        return ("\n".join(json.dumps(row) for row in made) + "\n").encode()


def plan(dice: random.Random, count: int, per_folder: int = 1, wave: int = 0) -> list[Wish]:
    """`count` wishes, so many in each folder; the later ones of a folder come some seconds after the first."""
    made: list[Wish] = []
    turns: Counter[int] = Counter()
    for number in range(count):
        folder = number // per_folder % MOST_FOLDERS
        turn = turns[folder]
        turns[folder] += 1
        after = turn * dice.uniform(0, 20)
        made.append(Wish(f"chaos-{wave}-{folder:03d}", f"chats{turn}.jsonl", f"w{wave}q{number:04d}q", 20, after))
    return made


def drop(world: World, wishes: list[Wish]) -> None:
    """Uploads all, as plain scripts would that try again: first the parameters, then the data."""
    began = time.monotonic()

    def one(wish: Wish) -> None:
        time.sleep(max(0.0, began + wish.after - time.monotonic()))
        if wish.after == 0:
            world.upload(f"{wish.folder}/droptune.toml", CONFIG.encode())
        world.upload(wish.path, wish.data())
        wish.dropped = time.time()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, sorted(wishes, key=lambda wish: wish.after)))
