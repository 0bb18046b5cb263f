"""What a step works with: its code and inputs in its own folder, and the way back for what it may change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_box import assets, datastores
from azureml_box.jobs import copies, files, logs, modes
from azureml_box.jobs.files import Placed
from azureml_box.jobs.plan import Step
from azureml_box.jobs.values import Asset, FromStep, Literal

if TYPE_CHECKING:
    from azureml_box.context import Box

Source = Callable[[FromStep], tuple[Path, str]]


@dataclass
class Materials:
    """The text of each input for the command; `placed` are those that are files."""

    code: Path
    texts: dict[str, str] = field(default_factory=dict)
    placed: dict[str, Placed] = field(default_factory=dict)


def place(box: Box, step: Step, folder: Path, source: Source) -> Materials:
    """Code and inputs in `folder`, still as links to where they come from; `source` finds another step's output (blocks).

    Raises:
        NotFound, BadRequest: something is not there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    made = Materials(folder / "code")
    made.code.mkdir(parents=True)
    if step.component.code:
        assets.code_folder(box, step.component.code, made.code)
    for name, value in step.inputs.items():
        if isinstance(value, Literal):
            made.texts[name] = value.value
        elif step.modes.get(name) == modes.DIRECT:
            uri = files.address(box, value) if isinstance(value, Asset) else source(value)[1]
            made.texts[name] = datastores.long_form(box, uri)
        else:
            made.placed[name] = _files(
                box, value, folder / "inputs" / name, source, step.modes.get(name, modes.READ_ONLY)
            )
            made.texts[name] = str(made.placed[name].path)
    return made


def _files(box: Box, value: Asset | FromStep, place: Path, source: Source, mode: str) -> Placed:
    if isinstance(value, Asset):
        return files.fetch(box, value, place, mode)
    return files.hand_on(box, *source(value), place)


def own(step: Step, made: Materials) -> dict[str, copies.Snapshot]:
    """Makes the files the step's own (blocks); returns how those inputs look that it may change for others too."""
    copies.detach(made.code)
    for name in logs.KEPT:
        if not (made.code / name).exists():
            (made.code / name).mkdir()
    for placed in made.placed.values():
        copies.detach(placed.place)
    writable = (name for name in made.placed if modes.writable(step.inputs[name], step.modes[name]))
    return {name: copies.snapshot(made.placed[name].place) for name in writable}


def write_back(box: Box, made: Materials, before: dict[str, copies.Snapshot]) -> None:
    """Takes what the step changed in its read-write mounts to where it came from, as a mount does (blocks)."""
    for name, snapshot in before.items():
        placed = made.placed[name]
        written, removed = copies.changed(placed.place, snapshot)
        if placed.container is None:
            continue
        for path in written:
            box.storage.upload_file(placed.container, f"{placed.prefix}/{path}".lstrip("/"), placed.place / path)
            if placed.source:
                (placed.source / path).parent.mkdir(parents=True, exist_ok=True)
                copies.replace(placed.place / path, placed.source / path)
        for path in removed:
            box.storage.delete(placed.container, f"{placed.prefix}/{path}".lstrip("/"))
            if placed.source:
                (placed.source / path).unlink(missing_ok=True)
