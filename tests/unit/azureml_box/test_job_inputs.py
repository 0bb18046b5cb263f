"""A step's own files, the modes of its inputs, and the settings of its pipeline."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from azureml_box.errors import BadRequest
from azureml_box.jobs import copies, modes, settings
from azureml_box.jobs.values import Asset, FromStep, Literal


def test_what_is_written_to_a_detached_file_does_not_reach_its_source(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("one")
    (tmp_path / "input/deep").mkdir(parents=True)
    os.link(tmp_path / "source", tmp_path / "input/deep/file")
    os.utime(tmp_path / "source", ns=(1, 1_000_000_007))
    copies.detach(tmp_path / "input")
    assert (tmp_path / "input/deep/file").stat().st_mtime_ns == 1_000_000_007
    with (tmp_path / "input/deep/file").open("a") as file:
        file.write("two")
    assert (tmp_path / "source").read_text() == "one"
    assert (tmp_path / "input/deep/file").read_text() == "onetwo"
    assert [path.name for path in (tmp_path / "input/deep").iterdir()] == ["file"]


def test_a_large_file_is_copied_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(os.urandom(3_000_001))
    copies.copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_changes_since_a_snapshot_are_seen(tmp_path: Path) -> None:
    for name in ("same", "changed", "removed"):
        (tmp_path / name).write_text(name)
    before = copies.snapshot(tmp_path)
    (tmp_path / "changed").write_text("other")
    (tmp_path / "removed").unlink()
    (tmp_path / "new").write_text("new")
    assert copies.changed(tmp_path, before) == (["changed", "new"], ["removed"])


def test_a_steps_own_mode_beats_its_sources_and_that_its_components() -> None:
    asset = Asset("uri_file", "azureml://datastores/d/paths/p", "Download")
    values = {"a": asset, "b": asset, "c": FromStep("s", "o"), "d": Asset("uri_file", "x"), "e": Literal("1")}
    bound: dict[str, Any] = {"a": {"mode": "ReadWriteMount"}, "c": "${{parent.jobs.s.outputs.o}}"}
    spec = {name: {"type": "uri_file", "mode": "rw_mount"} for name in "abc"}
    assert modes.of_inputs(values, bound, spec) == {
        "a": "ReadWriteMount",
        "b": "Download",
        "c": "ReadWriteMount",
        "d": "ReadOnlyMount",
    }
    with pytest.raises(BadRequest, match="no input mode 'upload'"):
        modes.of_inputs(values, {"a": {"mode": "upload"}}, spec)


def test_a_registrys_files_are_never_written_back() -> None:
    assert modes.writable(Asset("uri_folder", "azureml://datastores/d/paths/p"), modes.READ_WRITE)
    assert not modes.writable(Asset("mlflow_model", "azureml://registries/r/models/m/versions/1"), modes.READ_WRITE)
    assert not modes.writable(FromStep("s", "o"), modes.READ_ONLY)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (None, settings.Settings(True, False, "")),
        ({"ContinueOnStepFailure": False}, settings.Settings(True, False, "")),
        ({"continueOnStepFailure": False, "forceRerun": True}, settings.Settings(False, True, "")),
        ({"continue_on_step_failure": "False", "default_compute": "cpu"}, settings.Settings(False, False, "cpu")),
    ],
)
def test_settings_have_azures_defaults_and_both_spellings(sent: Any, read: settings.Settings) -> None:
    assert settings.read(sent) == read


def test_a_setting_that_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"settings\.force_rerun is 'perhaps'"):
        settings.read({"force_rerun": "perhaps"})
