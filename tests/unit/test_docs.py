"""The documentation says what the code does."""

import re
from pathlib import Path

import pytest

from docs import generate
from shared.events import PREFIX, event_type
from shared.lifecycle.table import MOVES
from shared.runs.records import RUN_RESTS
from shared.settings import Settings

ROOT = Path(generate.__file__).parents[1]


def test_the_generated_pages_are_what_the_code_says() -> None:
    assert generate.stale() == [], "run: make docs"


def test_a_setting_without_words_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    field = Settings.__dataclass_fields__["queue_name"]
    monkeypatch.setattr(field, "metadata", {**field.metadata, "help": ""})
    with pytest.raises(generate.UndocumentedError, match="DROPTUNE_QUEUE"):
        generate.settings_page()


def test_every_variable_of_droptune_that_the_app_reads_is_documented() -> None:
    page = generate.settings_page()
    for folder in ("shared", "functions"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in re.findall(r"\bDROPTUNE_[A-Z_]+\b", path.read_text(encoding="utf-8")):
                assert f"`{name}`" in page, f"{name} of {path} is missing in docs/settings.md"


def test_every_event_that_is_published_is_documented() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    known = {f"Droptune.{name}" for name in re.findall(r"(?<=[`.])(?:Droptune\.)?([A-Z][A-Za-z]+)(?=`)", page)}
    named = {event_type(state) for state in (*MOVES["run"], *RUN_RESTS)}
    for path in (ROOT / "shared").rglob("*.py"):
        named |= set(re.findall(r'"(Droptune\.[A-Za-z]+)"', path.read_text(encoding="utf-8")))
    assert named - {PREFIX} == known - {"Droptune.Run"}


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} points to {target}, which is not there"
