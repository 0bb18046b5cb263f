import stat
from pathlib import Path

import pytest

from local.box import config
from local.box.errors import BoxError


def test_a_new_box_is_readable_by_its_owner_only_and_comes_back_as_it_was(tmp_path: Path) -> None:
    made = config.load_or_create(tmp_path)
    assert stat.S_IMODE((tmp_path / "box.json").stat().st_mode) == 0o600
    again = config.load_or_create(tmp_path)
    assert again == made


def test_secrets_are_not_in_the_repr(tmp_path: Path) -> None:
    made = config.create(tmp_path)
    assert not any(secret in repr(made) for secret in made.secrets.values())


def test_a_damaged_file_is_refused_with_the_way_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / "box.json").write_text("{")
    with pytest.raises(BoxError, match="box reset"):
        config.load(tmp_path)


def test_a_missing_box_is_refused_with_the_command_that_starts_one(tmp_path: Path) -> None:
    with pytest.raises(BoxError, match="box up"):
        config.load(tmp_path)
