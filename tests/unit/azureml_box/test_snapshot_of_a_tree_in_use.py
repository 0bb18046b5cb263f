"""A snapshot copies folders in which jobs and deployments go on working."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from azureml_box.snapshot_restoring import copy_tree


def test_files_that_get_their_names_meanwhile_are_in_the_copy(tmp_path: Path) -> None:
    source, target, stop = tmp_path / "deployments", tmp_path / "copy", threading.Event()
    for number in range(300):
        (source / f"{number % 7}").mkdir(parents=True, exist_ok=True)
        (source / f"{number % 7}" / f"{number}.part").write_text(f"{number}")

    def name_them() -> None:
        for path in sorted(source.rglob("*.part")):
            path.rename(path.with_suffix(""))
            stop.wait(0.0005)

    working = threading.Thread(target=name_them)
    working.start()
    try:
        while working.is_alive():
            copy_tree(source, target)
    finally:
        working.join()
    copy_tree(source, target)
    assert {path.name for path in target.rglob("*") if path.suffix != ".part" and path.is_file()} == {
        f"{number}" for number in range(300)
    }


def test_a_file_that_cannot_be_written_is_no_file_that_went(tmp_path: Path) -> None:
    (tmp_path / "jobs" / "logs").mkdir(parents=True)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "logs").write_text("no folder")
    with pytest.raises(OSError, match="logs"):
        copy_tree(tmp_path / "jobs", tmp_path / "copy")


def test_nothing_is_copied_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    copy_tree(tmp_path / "jobs", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
