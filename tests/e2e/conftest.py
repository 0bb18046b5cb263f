"""One box for all end-to-end tests: the real services, the functions unchanged, a tiny model that trains in a second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from box_client import Box, rows, running


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("box") / "home") as found:
        yield found


@pytest.fixture(scope="module")
def live(box: Box) -> dict[str, Any]:
    """A run that went live."""
    etag = box.drop("tea/chats.jsonl", rows(24))
    return box.settled("tea/chats.jsonl", etag)
