"""What may change of a registered version, and which versions a list shows."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from azureml_box.errors import BadRequest, Conflict


def same_content(
    kind: str, name: str, version: str, fixed: str, before: dict[str, Any] | None, after: dict[str, Any]
) -> None:
    """A version's content can be set once; raises Conflict or BadRequest."""
    if before is None or before["properties"].get(fixed) == after.get(fixed) or kind == "environments":
        return
    if kind == "components":
        if not after.get("isAnonymous"):
            _same_code(name, version, before["properties"][fixed], after[fixed])
        return
    if after.get("isAnonymous"):  # named by its content, so the first upload is as good as this one
        after[fixed] = before["properties"][fixed]
        return
    message = (
        f"Asset paths cannot be updated. {kind.removesuffix('s')} {name!r} version {version!r} is registered with "
    )
    raise Conflict(f"{message}{before['properties'].get(fixed)}; register a new version.", "UserError")


def keep_first_build(before: dict[str, Any] | None, after: dict[str, Any]) -> None:
    """An environment's build context is immutable: a second PUT is answered with the first one's."""
    if before and before["properties"].get("build") and after.get("build"):
        after["build"] = before["properties"]["build"]


def _same_code(name: str, version: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    if before.get("code") != after.get("code"):
        message = f"The code of component {name!r} version {version!r} is immutable: it is {before.get('code')}."
        raise BadRequest(message, target="properties.componentSpec.code")


def in_view(request: Request, doc: dict[str, Any]) -> bool:
    """Whether `listViewType` asks for it."""
    view = request.query_params.get("listViewType", "ActiveOnly")
    return view == "All" or bool(doc["properties"].get("isArchived")) == (view == "ArchivedOnly")


def matches(request: Request, doc: dict[str, Any]) -> bool:
    """Whether a version has the hash, stage, properties and tags that the query asks for."""
    query, properties = request.query_params, doc["properties"]
    if wanted := query.get("hash"):
        return bool(properties["properties"].get("hash_sha256") == wanted)
    if stage := query.get("stage"):
        return bool(properties.get("stage") == stage)
    pairs = [pair.partition("=") for name in ("properties", "tags") for pair in query.get(name, "").split(",") if pair]
    known = {**properties["properties"], **properties["tags"]}
    return all(str(known.get(key)) == value for key, _, value in pairs)
