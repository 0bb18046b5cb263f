"""What the environment that a job or deployment names comes to here: a conda file to build, or the box's own interpreter."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azureml_box import assets
from azureml_box.environments import conda
from azureml_box.environments.conda import Spec
from azureml_box.errors import ArmError
from azureml_box.strictness import note

if TYPE_CHECKING:
    from azureml_box.context import Box


@dataclass(frozen=True)
class Wanted:
    """`spec` is what to build (None: the box's own interpreter), `why` the reason, `error` what no build can mend."""

    why: str
    spec: Spec | None = None
    error: str = ""


def wanted(box: Box, named: Any) -> Wanted:
    """What an environment's id, or an environment written out, asks for."""
    if not named:
        return Wanted("no environment is named")
    if isinstance(named, dict):
        return _of(box, named, named.get("conda_file") or named.get("condaFile"))
    try:
        properties = assets.find_environment(box, str(named))["properties"]
    except ArmError:  # the SDK's own examples name curated environments, which a workspace does not hold
        return Wanted(f"{named} is not known here")
    return _of(box, properties, properties.get("condaFile"))


def _of(box: Box, properties: dict[str, Any], file: Any) -> Wanted:
    if properties.get("environmentType") == "Curated":
        return Wanted("curated environments of the box's registries are its own interpreter")
    if not file:
        if properties.get("build"):
            note(box, "environments with a Docker build context (they are the box's own interpreter)")
            return Wanted("a Docker build context is not built here")
        return Wanted("an image is not run here")
    if box.config.environments == "own":
        return Wanted("the emulator was started with --environments=own")
    return _conda(box, file if isinstance(file, str) else json.dumps(file))


def _conda(box: Box, text: str) -> Wanted:
    try:
        spec = conda.parse(text)
    except conda.SpecError as error:
        return Wanted("its conda file", error=str(error))
    except conda.NotForPipError as error:
        note(box, "environments with packages that pip cannot be told (they are the box's own interpreter)")
        return Wanted(f"{error}")
    if spec.system:
        note(box, f"packages of conda that are not Python's (left to the machine): {', '.join(spec.system)}")
    left = f", without {', '.join(spec.system)}, which are left to the machine" if spec.system else ""
    return Wanted(f"its conda file by pip{left}", spec)
