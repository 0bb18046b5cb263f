"""Inputs of jobs at public addresses: `https://…`, `http://…`, `wasbs://CONTAINER@HOST/PATH` outside of the workspace's account.

They are fetched as anybody could: without a credential, also where the workspace has one. A folder is listed, so it must lie in
a blob container that lets everybody list it. Source: learn.microsoft.com/azure/machine-learning/how-to-read-write-data-v2
("Supported paths").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from azureml_box import datastores
from azureml_box.jobs.downloads import Budget, DataAccessError, download

if TYPE_CHECKING:
    from azureml_box.context import Box

SCHEMES = ("https://", "http://", "wasbs://")
_WASBS = re.compile(r"wasbs://(?P<container>[^@/]+)@(?P<host>[^/@]+)/?(?P<path>.*)")
_BLOB = re.compile(r"https://(?P<host>[^/@]+\.blob\.[^/@]+)/(?P<container>[^/?]+)/?(?P<path>[^?]*)")
_TIMEOUTS: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 30, "retry_total": 2}


def is_public(box: Box, uri: str) -> bool:
    """Whether an address is none of the workspace's own."""
    return uri.startswith(SCHEMES) and not datastores.is_own(box, uri)


def fetch(box: Box, uri: str, place: Path, *, single: bool, sized: bool) -> Path:
    """Put the file, or the files of the folder, below `place`; the path of the one or of all (blocks).

    Raises:
        DataAccessError: they cannot be had by everybody, or are beyond the limits.
    """
    budget = Budget.of(box.config.public_data_seconds, box.config.public_data_bytes)
    wasbs = _WASBS.fullmatch(uri)
    if single:
        url = _url(wasbs["host"], wasbs["container"], wasbs["path"]) if wasbs else uri
        path = place / _name(url)
        download(url, path, budget, sized=sized)
        return path
    match = wasbs or _BLOB.fullmatch(uri.partition("?")[0])
    if match is None:
        raise DataAccessError("NotSupported", uri, "a web server has single files (uri_file), no folders.")
    _folder(match, place, budget)
    return place


def _folder(match: re.Match[str], place: Path, budget: Budget) -> None:
    host, container, prefix = match["host"], match["container"], unquote(match["path"]).rstrip("/")
    count = 0
    for name in _names(host, container, f"{prefix}/" if prefix else ""):
        target = (place / name[len(prefix) :].lstrip("/")).resolve()
        if not target.is_relative_to(place.resolve()):  # a blob may be called ../x
            continue
        budget.spend(match[0], 0)
        download(_url(host, container, quote(name)), target, budget, sized=False)
        count += 1
    if count == 0:
        raise DataAccessError("NotFound", match[0], "there are no files below it.")


def _names(host: str, container: str, prefix: str) -> Iterator[str]:
    from azure.core.exceptions import AzureError, HttpResponseError
    from azure.storage.blob import ContainerClient

    client = ContainerClient(f"https://{host}", container, credential=None, **_TIMEOUTS)
    try:
        yield from (name for name in client.list_blob_names(name_starts_with=prefix) if not name.endswith("/"))
    except HttpResponseError as error:
        # A container that is not public answers 404 to strangers, as one that is not there does.
        raise DataAccessError(
            "NotFound", _url(host, container, prefix), f"the server answered {error.status_code}."
        ) from error
    except AzureError as error:
        raise DataAccessError("ConnectionFailure", _url(host, container, prefix), type(error).__name__) from error


def _url(host: str, container: str, path: str) -> str:
    return f"https://{host}/{container}/{path}"


def _name(url: str) -> str:
    """What the file is called: the last part of its address."""
    name = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    return name if name not in ("", ".", "..") else "data"
