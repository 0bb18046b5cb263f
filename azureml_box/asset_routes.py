"""Models, components, environments, data and code: one set of routes in the workspace, one in each registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box import asset_rules, assets, containers
from azureml_box.asset_documents import version_document
from azureml_box.asset_kinds import KINDS
from azureml_box.code_routes import empty_code, registry_base
from azureml_box.errors import NotFound
from azureml_box.http import body, json, listed, made
from azureml_box.registry_routes import known

if TYPE_CHECKING:
    from azureml_box.context import Box


def routes(box: Box) -> list[Route]:
    """For every kind: containers, versions, and one version."""
    found: list[Route] = []
    for base in (box.config.workspace_scope, registry_base(box)):
        for kind in KINDS:
            found.extend(_Handlers(box, kind).routes(f"{base}/{kind}"))
    return found


class _Handlers:
    """The handlers of one kind; the scope is the registry in the path, or the workspace."""

    def __init__(self, box: Box, kind: str) -> None:
        self._box, self._kind = box, kind

    def routes(self, base: str) -> list[Route]:
        """Starlette routes below `base`."""
        one = base + "/{name}"
        version = one + "/versions/{version}"
        return [
            Route(base, self.list_containers),
            Route(one, self.get_container),
            Route(one, self.put_container, methods=["PUT"]),
            Route(one + "/versions", self.list_versions),
            Route(version, self.get_version),
            Route(version, self.put_version, methods=["PUT"]),
            Route(version, self.delete_version, methods=["DELETE"]),
        ]

    async def list_containers(self, request: Request) -> Response:
        """GET {kind}"""
        scope = self._scope(request)

        def keep(kept: dict[str, Any]) -> bool:
            return asset_rules.in_view(request, kept) and containers.is_listed(self._box, self._kind, scope, kept)

        def shown(kept: dict[str, Any]) -> dict[str, Any]:
            return containers.document(self._box, self._kind, scope, kept)

        table = containers.table(self._kind)
        return listed(self._box, request, table, keep, below=f"{scope}|", shown=shown)

    async def get_container(self, request: Request) -> Response:
        """GET {kind}/{name}"""
        return json(containers.get(self._box, self._kind, self._scope(request), request.path_params["name"]))

    async def put_container(self, request: Request) -> Response:
        """PUT {kind}/{name}: tags, description and the archive flag"""
        name, sent = request.path_params["name"], await body(request)
        doc, new = containers.put(self._box, self._kind, self._scope(request), name, sent.get("properties") or {})
        return made(self._box, request, doc, new)

    async def list_versions(self, request: Request) -> Response:
        """GET {kind}/{name}/versions, newest first when `$orderBy` says `createdtime desc`"""
        newest_first = "desc" in request.query_params.get("$orderBy", "desc").lower()
        scope, name = self._scope(request), request.path_params["name"]
        # Asked for by its hash, content is found under whatever name it has.
        below = None if "hash" in request.query_params else assets.key(scope, name)

        def keep(doc: dict[str, Any]) -> bool:
            return doc["_scope"] == scope and asset_rules.in_view(request, doc) and asset_rules.matches(request, doc)

        return listed(self._box, request, self._kind, keep, below=below, newest_first=newest_first)

    async def get_version(self, request: Request) -> Response:
        """GET {kind}/{name}/versions/{version}"""
        return json(self._found(request))

    async def delete_version(self, request: Request) -> Response:
        """DELETE {kind}/{name}/versions/{version}"""
        name, version = request.path_params["name"], request.path_params["version"]
        gone = containers.remove_version(self._box, self._kind, self._scope(request), name, version)
        return Response(status_code=200 if gone else 204)

    async def put_version(self, request: Request) -> Response:
        """PUT {kind}/{name}/versions/{version}: a version's content can be set once"""
        name, version = request.path_params["name"], request.path_params["version"]
        scope = self._scope(request)
        normalise, fixed = KINDS[self._kind]
        properties = await normalise(self._box, name, version, (await body(request)).get("properties") or {})
        spec = properties.get("componentSpec") or {}
        if scope != assets.WORKSPACE and spec.get("type") == "command" and not spec.get("code"):
            spec["code"] = await empty_code(self._box, scope, name, version)
        before = self._box.store.get(self._kind, self._key(request))
        asset_rules.keep_first_build(before, properties)
        asset_rules.same_content(self._kind, name, version, fixed, before, properties)
        doc = version_document(self._box, self._kind, scope, name, version, properties, before)
        containers.keep_version(self._box, self._kind, doc)
        if before is None and self._kind == "models" and scope == assets.WORKSPACE:
            self._announce(name, version, properties)
        return made(self._box, request, doc, not before)

    def _announce(self, name: str, version: str, properties: dict[str, Any]) -> None:
        data = {
            "ModelName": name,
            "ModelVersion": version,
            "ModelTags": properties["tags"],
            "ModelProperties": properties["properties"],
        }
        event = "Microsoft.MachineLearningServices.ModelRegistered"
        self._box.events.publish(event, f"models/{name}:{version}", data)

    def _found(self, request: Request) -> dict[str, Any]:
        doc = self._default(request) or self._box.store.get(self._kind, self._key(request))
        if doc is None:
            asset = f"{request.path_params['name']}:{request.path_params['version']}"
            raise NotFound(
                f"Could not find asset with ID: {self._kind}/{asset} in {self._scope(request)}.", "UserError"
            )
        return doc

    def _default(self, request: Request) -> dict[str, Any] | None:
        """A component's default version, which the SDK asks for as `azureml_default`; its id says the label."""
        name, scope = request.path_params["name"], self._scope(request)
        if self._kind != "components" or request.path_params["version"] != "azureml_default":
            return None
        doc = assets.newest(self._box, self._kind, scope, name)
        return doc and {**doc, "id": f"{containers.identifier(self._box, self._kind, scope, name)}/labels/default"}

    def _scope(self, request: Request) -> str:
        registry = request.path_params.get("registry")
        return assets.WORKSPACE if registry is None else known(self._box, registry)

    def _key(self, request: Request) -> str:
        return assets.key(self._scope(request), request.path_params["name"], request.path_params["version"])
