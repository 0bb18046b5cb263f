"""Random schedules: what a seed expands to, and one run of it in two phases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from shared.lifecycle import intake
from shared.runs import identity
from tests.simulation import contents
from tests.simulation.faults import FAULTS, KILLS, PASSING, PLATFORM, PLATFORM_POINTS, REFUSALS, applies
from tests.simulation.outside.webhooks import MODES, address
from tests.simulation.outside.world import WORKSPACE
from tests.simulation.platform import Profile
from tests.simulation.points import POINTS, WEBHOOK
from tests.simulation.setting import IDLE, LAG
from tests.simulation.story import Simulation

PERMANENT = ("400", "401", "403", "404")
BOUND = 5 * 3600.0  # rest after the last fault: a job, a deployment, the hourly sweep, the idle window, back-offs
SETTLED = 4500.0  # what was lost is found by the hourly sweep, and the ticks after it
MOST_CALLS = 4000
# Calls that few schedules make: chosen more often, so that faults befall them too.
SELDOM = (
    *12 * ("deployment log", "operation get"),
    *8 * ("job children", "model update"),
    *4 * ("metric query",),
    *("job cancel", "use delete", "invoke"),
)
LENGTHS = (1200.0, 2400.0, 4800.0)  # seconds of phase 1
Act = tuple[float, Callable[[], Any]]
GOOD, ODD = ("one", "two", "three"), ("failing", "silent", "strange", "stopped", "hollow", "heavy")


@dataclass
class Outcome:
    """What a seed gave: a violation where there was one, and the figures."""

    seed: int
    steps: int
    calls: int
    fired: dict[tuple[str, str], int]
    violation: str = ""


def run(seed: int, told: Callable[[str], None] | None = None, webhooks: bool = False) -> Outcome:
    """One seed; production code must belong to nobody else meanwhile. `webhooks`: its folders name some."""
    simulation = made(seed, told)
    if webhooks:
        _name_webhooks(simulation, Random(f"webhooks {seed}"))
    violation = ""
    try:
        play(simulation, Random(f"plan {seed}"))
    except Exception as error:
        violation = f"{type(error).__name__}: {error}"
        simulation.say(violation)
    return Outcome(seed, simulation.kernel.steps, simulation.world.gate.calls, dict(simulation.faults.fired), violation)


def made(seed: int, told: Callable[[str], None] | None) -> Simulation:
    """The world of a seed."""
    from shared import clock
    from shared.azure import outside
    from tests.simulation.kernel import SimulatedClock

    plan = Random(f"world {seed}")
    profile = _profile(plan)
    simulation = Simulation(seed, profile, told)
    outside.use(simulation.world)
    clock.use(SimulatedClock(simulation.kernel))
    _faults(simulation, plan)
    if profile.deaf:  # each step waits for a tick, and as much longer as the clocks of two instances differ
        simulation.slack = 4 * 300.0 + 2 * (max(profile.skews) - min(profile.skews))
    takes = simulation.world.online.takes
    takes.deployment = lambda _: 60.0 + 540.0 * simulation.kernel.random.random()
    takes.lag = plan.choice((0.0, 120.0, 280.0))
    _rarely(simulation, Random(f"rare {seed}"))
    simulation.say(
        f"seed {seed}: {profile}, faults {dict(simulation.faults.wanted)} and {simulation.faults.rate:.3f} of {simulation.faults.kinds}"
    )
    return simulation


def _profile(plan: Random) -> Profile:
    hosts = plan.choice((1, 2, 2, 3))
    skews = tuple(plan.uniform(-600, 600) if plan.random() < 0.5 else 0.0 for _ in range(hosts))
    some = lambda *chances: plan.choice(chances)  # noqa: E731 - a short name for the table below
    deaf = plan.random() < 0.08
    return Profile(
        hosts=hosts,
        skews=skews,
        events_lost=1.0 if deaf else some(0, 0, 0.3, 1.0),
        events_doubled=some(0, 0.3, 1.0),
        events_late=some(0, 0.2),
        messages_lost=1.0 if deaf else some(0, 0, 0, 0.1),
        ticks_lost=some(0, 0, 0.3),
        ticks_doubled=some(0, 0.3),
        ticks_late=some(0, 0.3),
        deaf=deaf,
    )


def _faults(simulation: Simulation, plan: Random) -> None:
    faults = simulation.faults
    simulation.permanent = plan.random() < 0.4
    kinds = tuple(kind for kind in FAULTS if simulation.permanent or kind not in PERMANENT)
    faults.kinds = kinds
    faults.rate = plan.choice((0.0, 0.0, 0.01, 0.03))
    for _ in range(plan.choice((0, 10, 30, 70))):
        point = plan.choice((*POINTS, *SELDOM))
        kind = plan.choice(PLATFORM if point in PLATFORM_POINTS else kinds)
        if applies(point, kind):
            faults.wanted.setdefault(point, []).append(kind)
    faults.slow = plan.choice((0.0, 0.0, 0.02))
    simulation.slow = faults.slow > 0
    assert KILLS and PASSING and REFUSALS


def _rarely(simulation: Simulation, plan: Random) -> None:
    """What few worlds have: no quota for a training, or somebody else's job under the name of ours."""
    chance = plan.random()
    if chance < 0.03:
        simulation.world.computes.limit, simulation.short = 0, True
    elif chance < 0.06:
        simulation.on_point["job get"] = simulation.plant_job


def _name_webhooks(simulation: Simulation, plan: Random) -> None:
    """Most folders name a webhook, which is up, down, slow or odd, mostly from the beginning on."""
    for folder in ("acme", "beta", "gamma"):
        mode = plan.choice(MODES)
        simulation.webhooks[folder] = address(mode, folder)
        at = plan.choice((1.0, 1.0, 1.0, plan.uniform(60, 1200), None))
        if at is not None:
            simulation.kernel.after(at, lambda folder=folder: simulation.drop(f"{folder}/droptune.toml", b""))
    for _ in range(plan.choice((0, 0, 4))):
        simulation.faults.wanted.setdefault(WEBHOOK, []).append(plan.choice(FAULTS))


def play(simulation: Simulation, plan: Random) -> None:
    """Phase 1: people, faults, and safety at every moment; phase 2: quiet, and all must come to rest."""
    kernel = simulation.kernel
    length = plan.choice(LENGTHS)
    for when, act in _acts(simulation, plan, length):
        kernel.after(when, act)
    kernel.run(kernel.now + length)
    simulation.quiet()
    calls, checker = simulation.world.gate.calls, simulation.checker
    settled = kernel.now + SETTLED
    simulation.until(lambda: kernel.now >= settled and not checker.at_rest(), BOUND, 300.0)
    used = simulation.world.gate.calls - calls
    if used > MOST_CALLS:
        checker.rest.wrong((37, 45), f"{used} calls until all was at rest")
    checker.finish()


def _acts(simulation: Simulation, plan: Random, length: float) -> list[Act]:
    chance = plan.random()
    if chance < 0.04 and length == max(LENGTHS):
        return _asked_past_us(simulation, plan, length)
    if chance < 0.08:
        return _cancelled_while_it_trains(simulation, plan)
    return _all_sorts(simulation, plan, length)


def _asked_past_us(simulation: Simulation, plan: Random, length: float) -> list[Act]:
    """One model whose clients know its endpoint: the metric alone tells of them, and cannot be read half of the time."""
    simulation.faults.wanted.setdefault("metric query", []).extend(30 * ["503"])
    asks = [plan.uniform(600, length) for _ in range(12)]
    drop = (plan.uniform(0, 60), lambda: simulation.drop("acme/a.jsonl", contents.rows("one")))
    return [drop, *((when, lambda: simulation.ask_directly("acme")) for when in asks)]


def _cancelled_while_it_trains(simulation: Simulation, plan: Random) -> list[Act]:
    """One run that somebody cancels soon after it was dropped."""
    drop = (1.0, lambda: simulation.drop("acme/a.jsonl", contents.rows("one")))
    return [drop, (plan.uniform(60, 400), lambda: simulation.command("cancel", "acme"))]


def _all_sorts(simulation: Simulation, plan: Random, length: float) -> list[Act]:
    acts: list[Act] = []
    for folder in ("acme", "beta", "gamma")[: plan.choice((1, 1, 1, 2, 3))]:
        acts += _drops(simulation, plan, folder, length)
        for _ in range(plan.choice((0, 0, 2, 6))):
            acts.append((plan.uniform(0, length), lambda folder=folder: simulation.ask(folder)))
        if plan.random() < 0.3:
            for _ in range(6):
                acts.append((plan.uniform(0, length), lambda folder=folder: simulation.ask_directly(folder)))
        if plan.random() < 0.25:
            what = plan.choice(("cancel", "cancel", "retry", "sleep", "wake", "cancel", "retry"))
            for _ in range(plan.choice((1, 1, 2))):
                acts.append(
                    (plan.uniform(0, length), lambda what=what, folder=folder: simulation.command(what, folder))
                )
    if plan.random() < 0.3:
        simulation.on_point["metric query"] = lambda: _ask_late(simulation)
    if plan.random() < 0.2:
        acts.append((plan.uniform(0, length), lambda: _forge(simulation)))
    if plan.random() < 0.1:
        simulation.plant_foreign("acme" if plan.random() < 0.5 else "")
    for _ in range(plan.choice((0, 0, 0, 1, 2))):
        acts.append((plan.uniform(0, length), lambda: _hurt(simulation, plan)))
    return acts


def _ask_late(simulation: Simulation) -> None:
    """Somebody asks just when the endpoint looks idle."""
    kernel, history = simulation.kernel, simulation.checker.history
    if simulation.quiet_since and kernel.now >= simulation.quiet_since:
        return
    for name in list(history.versions):
        used = history.used.get(identity.endpoint_name(name, WORKSPACE), 0.0)
        if kernel.now - used >= IDLE + LAG:
            kernel.after(0.3 * kernel.random.random(), lambda name=name: simulation.ask(name))


def _forge(simulation: Simulation) -> None:
    """Events and messages that say what is not so, and a record that nobody can read."""
    simulation.say("events are forged, a message is garbage, a record is broken")
    for job in ("droptune-acme-0123456789-1", "somebody-else's", "droptune-acme-0123456789-1-step"):
        simulation.platform.event(f"job {job}", lambda job=job: intake.job_changed(job))
    for path in ("acme/a.jsonl.report.json", "acme/notes.txt", "nowhere/a.jsonl", ""):
        simulation.platform.event(f"BlobCreated {path}", lambda path=path: intake.blob_created(path))
    for body in ("garbage", '{"kind":"run","id":"acme-0123456789"}', '{"kind":"nothing","id":"x"}'):
        simulation.world.queue.put(body)
    simulation.world.blobs.put("runs", "broken-0123456789.json", b'{"schema": 1, "id": "bro')
    simulation.world.blobs.put("active", "run/broken-0123456789", b"")


def _hurt(simulation: Simulation, plan: Random) -> None:
    host = simulation.platform.host()
    if host is None:
        return
    if plan.random() < 0.5:
        simulation.kills += 1
        simulation.platform.kill(host)
    else:
        simulation.stops += 1
        simulation.platform.stop(host, 900.0)


def _drops(simulation: Simulation, plan: Random, folder: str, length: float) -> list[Act]:
    acts: list[Act] = []
    paths = (f"{folder}/a.jsonl", f"{folder}/b.jsonl")
    for number in range(plan.choice((1, 1, 1, 2, 3))):
        at = plan.choice((5.0, plan.uniform(0, 90), plan.uniform(0, 0.6 * length))) if number else plan.uniform(0, 60)
        path = plan.choice(paths) if number else paths[0]
        acts.append((at, lambda path=path, data=_data(plan): simulation.drop(path, data)))
    extra = plan.random()
    if extra < 0.2:
        name = plan.choice(tuple(contents.SETTINGS))
        at = plan.choice((1.0, plan.uniform(0, length / 2)))
        acts.append((at, lambda: simulation.drop(f"{folder}/droptune.toml", contents.SETTINGS[name])))
    elif extra < 0.3:
        at = plan.choice((1.0, plan.uniform(0, length / 2)))
        acts.append((at, lambda: simulation.drop(f"{folder}/test.jsonl", contents.rows("test", 12))))
    elif extra < 0.4:
        acts.append((plan.choice((plan.uniform(0, 90), plan.uniform(0, length))), lambda: simulation.remove(paths[0])))
    return acts


def _data(plan: Random) -> bytes:
    chance = plan.random()
    if chance < 0.06:
        return plan.choice((contents.BAD, contents.EMPTY))
    return contents.rows(plan.choice(ODD) if chance < 0.2 else plan.choice(GOOD))
