"""A pipeline's output at the address that its author chose: a copy of the step's output, made when all steps have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azureml_box import datastores

if TYPE_CHECKING:
    from azureml_box.context import Box


def chosen(address: str, job: str, output: str) -> str:
    """The address with its placeholders filled in.

    >>> chosen("azureml://datastores/d/paths/${{name}}/${{output_name}}", "job", "out")
    'azureml://datastores/d/paths/job/out'
    """
    return address.replace("${{name}}", job).replace("${{output_name}}", output)


def deliver(box: Box, source: str, target: str) -> None:
    """Copy every blob at `source`, a file or a folder, to `target` (blocks).

    Raises:
        BadRequest, NotFound: an address that the box's account does not have.
    """
    container, prefix = datastores.resolve(box, source)
    there, place = datastores.resolve(box, target)
    folder = prefix.rstrip("/")
    for name in box.storage.list(container, folder):
        if name == folder or name.startswith(f"{folder}/"):
            box.storage.copy(container, name, there, f"{place.rstrip('/')}{name[len(folder) :]}")
