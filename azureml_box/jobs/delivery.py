"""An output at the address that its author chose: a copy of what the step has written, made when that has arrived."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from azureml_box import datastores

if TYPE_CHECKING:
    from azureml_box.context import Box


def chosen(address: str, job: str, output: str) -> str:
    """The address with its placeholders filled in.

    >>> chosen("azureml://datastores/d/paths/${{name}}/${{output_name}}", "job", "out")
    'azureml://datastores/d/paths/job/out'
    """
    store = address.replace("${{default_datastore}}", datastores.DEFAULT)
    return store.replace("${{name}}", job).replace("${{output_name}}", output)


async def deliver_to(box: Box, source: str, wanted: str, job: str, output: str) -> str:
    """The address at which the output lies in the end; nothing is copied where none is `wanted`."""
    target = chosen(wanted, job, output)
    if not wanted or source == target:
        return source
    await asyncio.to_thread(deliver, box, source, target)
    return target


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
