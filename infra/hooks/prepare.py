"""Before `azd provision`: asks first what would fail late, and does what no template can.

The other hooks call the Azure CLI, so it must be there and signed in. A deployment registers only the providers whose
types its templates name: endpoints need two more, and fresh subscriptions have refused alarms for want of a third. And
Azure refuses a dedicated cluster, even one without nodes, where the region's quota has no room for one
(`ClusterMinNodesExceedCoreQuota`): all else is made, and the cluster is left out until there is quota.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from infra.hooks.az import AzError, az, listed, remember, say, setting

PARAMETERS = Path(__file__).resolve().parents[1] / "main.parameters.json"
ML = "Microsoft.MachineLearningServices"
MORE = ("Microsoft.Insights", "Microsoft.PolicyInsights", "Microsoft.Cdn")
ML_API = "2025-06-01"
HAS_QUOTA = "DROPTUNE_HAS_QUOTA"
TOTALS = ("totaldedicatedcores", "totalclusterdedicatedregionalvcpus")
QUOTA_PAGE = "https://ml.azure.com, Quota, the family, Request quota"


def main() -> int:
    """Check and prepare; 1 stops azd where the Azure CLI cannot be used."""
    subscription, location = setting("AZURE_SUBSCRIPTION_ID", ""), setting("AZURE_LOCATION", "")
    try:
        az("account", "show", *(("--subscription", subscription) if subscription else ()))
    except AzError as error:
        say(f"droptune: {error}\nthe hooks of azd call the Azure CLI: az login, and the subscription must be yours")
        return 1
    if subscription and location:  # azd has asked for them, but before the very first `azd provision`
        _register(subscription)
        _look_for_quota(subscription, location)
    return 0


def missing(sizes: list[dict[str, Any]], usages: list[dict[str, Any]], size: str) -> str:
    """What stands against a cluster of this size, in a sentence; empty: nothing, or no limit is known."""
    known = next((one for one in sizes if str(one["name"]).lower() == size.lower()), None)
    if known is None:
        return f"the region offers no {size}" if sizes else ""
    for one in usages:
        family, limit = str(one["name"]["value"]), one.get("limit")
        if "/workspaces/" in str(one.get("id")) or _bare(family) not in (_bare(str(known["family"])), *TOTALS):
            continue
        if limit is not None and 0 <= int(limit) < int(known["vCPUs"]):
            return f"a node of {size} has {known['vCPUs']} cores, and the quota of {family} is {limit}"
    return ""


def chosen_size() -> str:
    """The size that the template will be given: azd's value, or the default of the parameters' file."""
    given = json.loads(PARAMETERS.read_text(encoding="utf-8"))["parameters"]["computeSize"]["value"]
    name, default = re.fullmatch(r"\$\{(\w+)=(.*)\}", given).groups()  # type: ignore[union-attr]
    return setting(name, default)


def _register(subscription: str) -> None:
    for provider in (ML, *MORE):
        waits = ("--wait",) if provider == ML else ()  # its quota is asked next
        try:
            az("provider", "register", "--namespace", provider, "--subscription", subscription, *waits)
        except AzError as error:
            say(f"droptune: {provider} could not be registered, which an Owner can do: {error}")


def _look_for_quota(subscription: str, location: str) -> None:
    region, size = f"/subscriptions/{subscription}/providers/{ML}/locations/{location}", chosen_size()
    try:
        told = missing(listed(f"{region}/vmSizes", ML_API), listed(f"{region}/usages", ML_API), size)
        if told:
            say(
                f"droptune: {told}: the cluster is left out, all else is made.\nAsk for quota ({QUOTA_PAGE}), then: azd provision"
            )
        if (setting(HAS_QUOTA, "true").lower() == "true") == bool(told):
            remember(HAS_QUOTA, "false" if told else "true")
    except AzError as error:
        say(f"droptune: quota was not looked at: {error}")


def _bare(family: str) -> str:
    """A family as sizes and quotas both spell it (`shared/training/quota.py` has the same rule)."""
    return re.sub(r"[^a-z0-9]", "", family.lower()).removesuffix("clusterdedicatedvcpus")


if __name__ == "__main__":
    sys.exit(main())
