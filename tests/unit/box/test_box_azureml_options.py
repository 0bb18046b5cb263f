"""How the box starts its Azure ML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from azureml_box.options import config_of, parser
from local.box import certificates, config
from local.box.services import AZUREML, STORAGE


def test_a_time_scale_makes_all_resources_take_azures_time_by_it(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    made = config.create(tmp_path)
    certificates.ensure(made.ca)
    for scale, mode in ((0.0, None), (0.25, "timed")):
        chosen = replace(made, time_scale=scale)
        options = config_of(parser().parse_args(AZUREML.command(chosen, -1)[3:]), AZUREML.variables(chosen))
        assert set(options.provisioning.values()) == ({mode} if mode else set())
        assert options.time_scale == (scale or 1.0)
    assert options.passed_variables == ("DROPTUNE_BOX_HOME",)
    assert options.control_token == STORAGE.variables(made)["STORAGE_CONTROL_TOKEN"] == made.control_token
