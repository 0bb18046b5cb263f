"""Our scoring code against what else stands before models, over the same upstream, which answers at once.

They take turns, each on the same core, while who asks and the upstream have the others; each round gives ratios of its own,
so that what else the machine does hits all. Alone, ours runs in uvicorn with its storage in memory; through the box's
functions host everything is real but the endpoint (and says nothing of Azure's host, which is another program).
`python -m bench.scoring [--home DIR]` runs this part alone, with the host where a box runs there.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from azureml_box.alone.process import free_port
from bench.row import Row, middle
from bench.scoring import contestants
from bench.scoring.contestants import CHAT, Contestant, module, serving
from bench.scoring.host import through_the_host
from bench.scoring.ours import KEY

ROUNDS = 3
SECONDS = 1.5
CALLERS = (1, 16, 64)
UPSTREAM, OURS, HOST, REWRITING, PASSING = (
    "the upstream itself",
    "ours",
    "ours in the box's host",
    "rewriting",
    "passing",
)
LITELLM, NGINX = "LiteLLM's proxy", "nginx"
Found = dict[tuple[str, int], list[dict[str, float]]]


def measure() -> list[Row]:
    """Measure all; needs the box's variables for what goes through its host."""
    return list(_rows(_in_turns()))


def _in_turns() -> Found:
    found: Found = {}
    own, rest = contestants.cores()
    with tempfile.TemporaryDirectory(prefix="droptune-scoring-") as folder, ExitStack() as stack:
        place = Path(folder)
        port = free_port()
        upstream = stack.enter_context(serving(module("upstream", str(port)), port, place, rest))
        who = {UPSTREAM: Contestant(upstream + CHAT)} | dict(_started(stack, place, upstream, own))
        for _ in range(ROUNDS):
            for callers in CALLERS:
                for name, one in who.items():
                    found.setdefault((name, callers), []).append(_load(one, callers, rest))
    return found


def _started(stack: ExitStack, place: Path, upstream: str, own: set[int]) -> Iterator[tuple[str, Contestant]]:
    ports = iter([free_port() for _ in range(5)])
    for name, part, arguments in (
        (OURS, "ours", []),
        (REWRITING, "relays", ["rewriting"]),
        (PASSING, "relays", ["passing"]),
    ):
        port = next(ports)
        command = module(part, *arguments, str(port), upstream)
        yield name, Contestant(stack.enter_context(serving(command, port, place, own)) + CHAT)
    port = next(ports)
    config = contestants.litellm_config(place, upstream)
    command = [contestants.litellm(), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    address = stack.enter_context(serving(command, port, place, own))
    yield LITELLM, Contestant(address + CHAT, f"sk-{KEY}")
    if (program := contestants.nginx()) is not None:
        port = next(ports)
        config = contestants.nginx_config(place, port, upstream)
        command = [program, "-c", str(config), "-p", str(place), "-e", str(place / "nginx.log")]
        yield NGINX, Contestant(stack.enter_context(serving(command, port, place, own)) + CHAT)
    if os.environ.get("DROPTUNE_URL"):
        yield HOST, stack.enter_context(through_the_host(upstream))


def _load(who: Contestant, callers: int, cores: set[int]) -> dict[str, float]:
    command = module("load", who.url, who.key, who.model, str(callers), str(SECONDS))
    done = subprocess.run(
        command,
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    if done.returncode:
        raise RuntimeError(f"{who.url}: {done.stderr.decode('utf-8', 'replace')[-900:]}")
    return dict(json.loads(done.stdout))


def _rows(found: Found) -> Iterator[Row]:
    promises = [(OURS, REWRITING, 0.8), (OURS, LITELLM, 20.0), (HOST, LITELLM, 10.0), (OURS, PASSING, 0.7)]
    for ours, other, least in promises:
        if (ours, 16) in found:
            ratios = [a["rate"] / b["rate"] for a, b in zip(found[ours, 16], found[other, 16], strict=True)]
            note = "; ".join(f"{name} {_rates(found, name)}" for name in (ours, other))
            yield middle(f"chat completions of {ours}, of {other}, 16 at once", least, "×", ratios, note, at_least=True)
    added = [a["median_ms"] - b["median_ms"] for a, b in zip(found[OURS, 1], found[UPSTREAM, 1], strict=True)]
    others = ", ".join(
        f"{name} {median(one['median_ms'] for one in found[name, 1]) - _direct(found):.2f}"
        for name, callers in found
        if callers == 1 and name not in (UPSTREAM, OURS)
    )
    yield middle("latency that our scoring code adds, one at a time", 2, "ms", added, f"in ms: {others}")


def _direct(found: Found) -> float:
    return median(one["median_ms"] for one in found[UPSTREAM, 1])


def _rates(found: Found, name: str) -> str:
    rates = [f"{median(one['rate'] for one in found[name, callers]):.0f}" for callers in CALLERS]
    return f"{' / '.join(rates)} a second at {' / '.join(map(str, CALLERS))}"


def _main(arguments: list[str]) -> None:
    if "--home" in arguments:
        from local.box import control

        os.environ.update(control.environment(Path(arguments[arguments.index("--home") + 1])))
    found = _in_turns()
    for (name, callers), values in found.items():
        middle_of = {key: median(one[key] for one in values) for key in values[0]}
        shown = f"{middle_of['rate']:8.0f} a second, {middle_of['median_ms']:8.2f} ms median, {middle_of['p99_ms']:8.2f} ms p99"
        print(f"{name:<24} {callers:>3} at once {shown}")
    for row in _rows(found):
        print(f"{row.what}: {row.measured:.3g} {row.unit} ({row.promise}; {row.note})", flush=True)
