"""docs/permissions.md, from shared/azure/permissions.py and shared/azure/roles.py."""

from __future__ import annotations

from collections import defaultdict

INTRO = """# Permissions

Who may do what, and why. `infra/` gives all of it; a test holds this page, the gateways' calls and the Bicep files to each other (`tests/unit/infra/test_permissions.py`). No keys and no connection strings: the functions sign in with their managed identity (`AZURE_CLIENT_ID`), the host's own storage is `AzureWebJobsStorage__blobServiceUri`, `__queueServiceUri`, `__credential`, `__clientId`. Not tried against a real subscription yet; sources: Microsoft's documentation of each operation and role (*built-in-roles*, *permissions/ai-machine-learning*, *concept-endpoints-online-auth*, *how-to-disable-local-auth-storage*).
"""
READS = """
What a read cannot show: a reader's role sees all and may write nothing. That is told by the submission itself, which costs nothing. Where sizes or quota may not be seen, the run goes on, and its timeline says that they were not checked. `droptune doctor` asks each of these.
"""


def page() -> str:
    """The page."""
    from shared.azure.permissions import GIVEN

    rows = [f"| {one.identity} | {one.role} | {one.on} | {one.why} | {one.by} |" for one in GIVEN]
    table = "| identity | role | on | for | given by |\n|---|---|---|---|---|\n"
    return f"{INTRO}\n## Identities\n\n{table}" + "\n".join(rows) + "\n\n" + _calls() + READS


def _calls() -> str:
    from shared.azure.permissions import CALLS
    from shared.azure.roles import GRANTS, NOT_GIVEN

    by_grant: dict[str, list[str]] = defaultdict(list)
    for call, grant in CALLS.items():
        by_grant[grant].append(f"`{call}`")
    rows = []
    for key, need in GRANTS.items():
        role = f"{need.role}: not given, {NOT_GIVEN[key]}" if key in NOT_GIVEN else need.role
        rows.append(f"| {need.call} | `{need.permission}` | {role} | the {need.on} | {', '.join(by_grant[key])} |")
    head = "## Calls of the functions\n\nA denied one says so in the run's reason, with the command that gives the role.\n\n"
    return head + "| to | permission | role | on | calls |\n|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
