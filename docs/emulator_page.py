"""docs/emulator.md: what the emulator answers, from its routes and their docstrings, held against the SDK's operations."""

from __future__ import annotations

import inspect
from importlib.metadata import version

from docs import emulator_operations as operations_of
from docs.emulator_operations import Operation

_HEAD = """# The emulator of Azure Machine Learning

How to start it, what it is good for and what it is not: [azureml_box/README.md](../azureml_box/README.md). In the box it is
the service `azureml`; `droptune box fault` breaks it on purpose, and the storage by the same rules. How it runs jobs stands in
[emulator-jobs.md](emulator-jobs.md), how schedules fire, states change and requests are checked in
[emulator-schedules.md](emulator-schedules.md).

`{WS}` is the workspace, `{REG}` a registry (on the host that its discovery names), `{SUB}` the provider below the
subscription, `{RG}` the resource group.
"""


def emulator_page() -> str:
    """Return docs/emulator.md without its note."""
    own = operations_of.own()
    azures = [one for one in own if not one.path.startswith("/_emulator/")]
    control = [one for one in own if one.path.startswith("/_emulator/")]
    parts = [_HEAD, _sdk_table(azures), "## All that it answers\n\n" + _table(azures)]
    parts += ["## The control API\n\n" + _control_words() + "\n" + _table(control), _faults(), _provisioning()]
    return "\n".join(parts)


def _sdk_table(own: list[Operation]) -> str:
    groups: dict[str, list[Operation]] = {}
    answered = {one.words for one in operations_of.sdk() if any(route.answers(one) for route in own)}
    for one in operations_of.sdk():
        parts = one.path.split("/")
        groups.setdefault("/".join(parts[:2]) if parts[0].startswith("{") else "others", []).append(one)
    rows = []
    for group, operations in sorted(groups.items()):
        yes = [one.words for one in operations if one.words in answered]
        no = [one.words for one in operations if one.words not in answered]
        state = "yes" if not no else "no" if not yes else "partly"
        rows.append(f"| `{group}` | {state} | {_names(yes)} | {_names(no)} |")
    total = sum(len(operations) for operations in groups.values())
    return (
        f"## Against the SDK\n\nazure-ai-ml {version('azure-ai-ml')} has {total} operations of Azure Resource Manager; the "
        f"emulator answers {len(answered)}. The others get 501 with their name, and are counted in `GET /_emulator/unsupported`: "
        "an answer is never made up. That an operation is answered does not say that every field of it has an effect.\n\n"
        "| resource | supported | operations | not |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "–"


def _table(operations: list[Operation]) -> str:
    rows = [f"| {one.verb} | `{one.path}` | {one.words} |" for one in operations]
    return "| verb | path | |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _control_words() -> str:
    return (
        "From this machine only, with the bearer token of `AZUREML_BOX_CONTROL_TOKEN` (or of `HOME/control-token`); to "
        "read, an ordinary token will do as well. From Python: `azureml_box.alone.control.Control`.\n"
    )


def _faults() -> str:
    from azureml_box.faults.effects import KINDS, RETRY_AFTER
    from azureml_box.faults.named import NAMED
    from azureml_box.faults.trigger import Trigger

    kinds = "\n".join(f"| `{kind}` | {words} |" for kind, words in KINDS.items())
    forms = "\n".join(f"| `{form}` | {words} |" for form, words in RETRY_AFTER.items())
    named = "\n".join(
        f"| `{name}` | {rule['method']} `{rule['path']}` | `{rule['kind']}` | {rule.get('code') or rule['status']} |"
        for name, rule in NAMED.items()
    )
    words = " ".join((inspect.getdoc(Trigger) or "").split()).replace("***", "`***`")
    return (
        f"## Faults\n\n`POST /_emulator/faults` takes `method`, `path`, `query`, one of `nth`, `every`, `probability` (with `seed`), "
        f"`times` (1; 0 is always), and `kind`, `when` (`before` or `after` the effect), `status`, `code`, `message`, `delay` "
        f"(seconds), `retry_after`, `retry_seconds`. {words}\n\n| kind | |\n|---|---|\n{kinds}\n\n"
        f"| `retry_after` | |\n|---|---|\n{forms}\n\nWith a `name` the fields are filled in, and may still be given:\n\n"
        f"| name | calls | kind | code |\n|---|---|---|---|\n{named}\n"
    )


def _provisioning() -> str:
    from azureml_box.durations import AZURES_SECONDS, OTHER_SECONDS

    others = {
        kind: [f"{what} {seconds:g} s" for (of, what), seconds in OTHER_SECONDS.items() if of == kind]
        for kind in AZURES_SECONDS
    }
    rows = "\n".join(
        f"| `{kind}` | {seconds:g} s | {', '.join(others[kind])} |" for kind, seconds in AZURES_SECONDS.items()
    )
    return (
        "## Time\n\nEach kind of resource is provisioned `immediate` (nothing is added to what the work itself takes), "
        "`timed` (Azure's own durations × the time scale), `manual` (until `POST /_emulator/advance`), or `manual:N` (until "
        "it was read N times). Meanwhile a resource is `Creating`, `Updating`, `Deleting` or `Scaling`, a compute instance "
        "`Starting`, `Stopping` or `Restarting`, and another operation on it is refused with 409.\n\n"
        "| kind | Azure's duration, as assumed | but |\n|---|---|---|\n" + rows + "\n"
    )
