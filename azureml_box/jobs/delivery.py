"""An output at the address that its author chose: a copy, made when the step has ended, or of a pipeline's when all have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azureml_box import datastores

if TYPE_CHECKING:
    from azureml_box.context import Box


def chosen(address: str, job: str, output: str) -> str:
    """The address with its placeholders filled in.

    >>> chosen("azureml://datastores/d/paths/${{name}}/${{output_name}}", "job", "out")
    'azureml://datastores/d/paths/job/out'
    """
    filled = address.replace("${{name}}", job).replace("${{output_name}}", output)
    return filled.replace("${{default_datastore}}", datastores.DEFAULT)


def asked(outputs: Mapping[str, Any] | None) -> dict[str, str]:
    """The addresses that an author gave to the outputs of a command or of a node."""
    given = {name: entry for name, entry in (outputs or {}).items() if isinstance(entry, Mapping)}
    found = {name: entry.get("uri") or entry.get("path") for name, entry in given.items()}
    return {name: address for name, address in found.items() if isinstance(address, str) and address}


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
