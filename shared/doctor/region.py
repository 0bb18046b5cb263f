"""Will a run find what it needs in the region: a model, sizes and a cluster that are in service, and cores to spare?"""

from __future__ import annotations

from datetime import date

from shared import clock
from shared.azure import roles
from shared.azure.outside import outside
from shared.doctor import mends
from shared.doctor.findings import Check, Finding, examined, ok, warning, wrong
from shared.errors import DroptuneError, UserError
from shared.settings import Settings, settings
from shared.training import base_model, compute, offer, quota
from shared.training.base_model import CURRENT

RETIREMENTS = ("finetuneretirementdate", "inferenceretirementdate", "retirementdate")


def checks() -> list[Check]:
    """Base model, sizes and cluster of the settings."""
    chosen = settings()
    return [
        ("base model", lambda: _model(chosen), ""),
        ("size that trains", lambda: _size("DROPTUNE_COMPUTE_SIZE", chosen.compute_size, "finetune"), ""),
        ("size that serves", lambda: _size("DROPTUNE_INSTANCE_TYPE", chosen.instance_type, "inference"), ""),
        ("cluster", lambda: _cluster(chosen), ""),
    ]


def cores() -> list[Finding]:
    """The quota, for a model and sizes that are in order."""
    return [examined("quota", lambda: _quota(settings()))]


def retired_on(tags: dict[str, str], today: date) -> date | None:
    """The day on which a model of the registry was retired, by its tags; None where it is in service.

    >>> retired_on({"FinetuneRetirementDate": "2025-08-30"}, date(2026, 1, 1))
    datetime.date(2025, 8, 30)
    >>> retired_on({"RetirementDate": "soon"}, date(2026, 1, 1)) is None
    True
    """
    days = []
    for name, value in tags.items():
        if name.lower() in RETIREMENTS:
            try:
                days.append(date.fromisoformat(str(value)[:10]))
            except ValueError:
                continue
    past = [day for day in days if day <= today]
    return min(past) if past else None


def _current() -> str:
    """The command that names a model in service, where this registry has it."""
    try:
        found = base_model.find(CURRENT)
    except DroptuneError:
        return f"set DROPTUNE_BASE_MODEL to a model that the registry {settings().registry_name} has"
    return mends.setting("DROPTUNE_BASE_MODEL", f"{found.name}:{found.version}")


def _model(chosen: Settings) -> Finding:
    try:
        found = base_model.find(chosen.base_model)
    except UserError as error:
        return wrong("base model", error.reason, _current())
    told = f"{found.name}:{found.version} of the registry {chosen.registry_name}"
    day = retired_on(found.tags, clock.now().date())
    if day is None:
        return ok("base model", told)
    return warning("base model", f"{told} was retired on {day}: Azure may refuse to tune or serve it", _current())


def _size(setting: str, size: str, use: str) -> str | Finding:
    name = "size that trains" if use == "finetune" else "size that serves"
    allowed = _allowed(use)
    try:
        found = offer.checked(setting, size, allowed, setting)
    except UserError as error:
        return wrong(name, error.reason, mends.setting(setting, _first(allowed)) if allowed else error.fix)
    return f"{found.name}: {found.cores} cores, {found.gpus} GPU"


def _allowed(use: str) -> list[str] | None:
    """What may be used of the base model's list; that there is no such model is told elsewhere."""
    try:
        return base_model.find(settings().base_model).allow_list(use)
    except UserError:
        return None


def _first(allowed: list[str]) -> str:
    offered = offer.sizes()
    lasting = [size for size in allowed if size in offered and not offer.retired(size)]
    return offered[lasting[0]].name if lasting else "SIZE"


def _cluster(chosen: Settings) -> str | Finding:
    found = outside().computes.find(chosen.compute)
    if found is None:
        grant = roles.GRANTS["clusters"]
        told = f"there is no compute {chosen.compute!r}: the first run makes it, where the app has {grant.permission}"
        return warning("cluster", told, mends.PROVISION)
    if found.state == "failed":
        return wrong("cluster", f"the compute {chosen.compute!r} could not be made", _delete(chosen))
    model = base_model.find(chosen.base_model)
    try:
        compute.check_size(found.name, found.size, model)
    except UserError as error:
        return wrong("cluster", error.reason, f"{_delete(chosen)} && {mends.PROVISION}")
    return f"{found.name}: up to {found.nodes} x {found.size}, {found.held} now"


def _delete(chosen: Settings) -> str:
    where = f"--resource-group {chosen.resource_group} --workspace-name {chosen.workspace_name}"
    return f"az ml compute delete --name {chosen.compute} {where} --yes"


def _quota(chosen: Settings) -> Finding:
    model = base_model.find(chosen.base_model)
    cluster = _as_it_is(chosen)
    unseen = quota.check(model, cluster, 1, chosen.instance_type)
    if unseen:
        return warning("quota", unseen, roles.command("locations"))
    wanted = quota.needs(model, cluster, 1, chosen.instance_type)
    told = ", ".join(f"{need.cores} of {need.family} for {need.what}" for need in wanted)
    return ok("quota", f"cores are free: {told}")


def _as_it_is(chosen: Settings) -> compute.Cluster:
    """The cluster of the settings; where it is yet to be made, as it will be."""
    found = outside().computes.find(chosen.compute)
    if found is None:
        return compute.Cluster(chosen.compute, chosen.compute_size, chosen.compute_nodes, 0)
    return compute.Cluster(found.name, found.size, found.nodes, 0, found.held, found.least, found.dedicated)
