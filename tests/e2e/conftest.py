"""One box for all end-to-end tests: the real services, the functions unchanged, a tiny model that trains in a second."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from box_client import Box, rows

from local.box import control


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    home = tmp_path_factory.mktemp("box") / "home"
    control.up(home)
    before = dict(os.environ)
    environment = control.environment(home)
    os.environ.update(environment)
    try:
        yield Box(home, environment)
    finally:
        os.environ.clear()
        os.environ.update(before)
        control.down(home)


@pytest.fixture(scope="module")
def live(box: Box) -> dict[str, Any]:
    """A run that went live."""
    etag = box.drop("tea/chats.jsonl", rows(24))
    return box.settled("tea/chats.jsonl", etag)
