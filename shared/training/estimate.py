"""What a training will cost and how long it takes, told before anything is spent: always a range, with its grounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.training import hardware, prices


class Range(NamedTuple):
    """A quantity that is known between two bounds."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The geometric mean: the bounds are factors apart, not sums."""
        return math.sqrt(self.low * self.high)


# Seconds before and after the training itself. Own assumptions, from zero nodes and without a cached image; Azure
# publishes none of these. The pipeline has five steps, each of which starts a container (AZUREML_CONTRACT, section 1).
START = {
    "nodes and image": Range(180, 1200),
    "validation, import and preprocessing": Range(180, 900),
    "loading, saving and converting the model": Range(120, 600),
}
# FLOP a parameter and token: forward 2, backward 2 (LoRA leaves the base weights' gradients out) or 4, and 2 more where
# activations are computed again, as Phi-3's training does (gradient checkpointing).
FLOP = {True: Range(4, 6), False: Range(6, 8)}
SCALING = {"one": Range(1, 1), "node": Range(0.7, 1), "nodes": Range(0.5, 0.95)}  # of several GPUs; own assumption
UNKNOWN_PRICE = {"GPU": Range(0.5, 12.3), "CPU": Range(0.1, 1.2)}  # USD an hour: a T4's and a GPU's of ND96isr_H100_v5
# By the weights that the box's models stand on (their tag `box_weights`): tokens a second on its CPU, measured with two
# cores (368 for SmolLM2), and the seconds of its five steps.
BOX = {"random": (Range(5_000, 100_000), Range(15, 60)), "": (Range(150, 1_500), Range(20, 120))}


@dataclass(frozen=True)
class _Job:
    model_name: str
    size: str
    nodes: int
    gpus: int
    lora: bool
    precision: int


def estimate(
    tokens: float,
    answers: float,
    epochs: float,
    size: str,
    nodes: int,
    gpus: int,
    model_name: str,
    price_an_hour: float | None = None,
    *,
    lora: bool = True,
    precision: int = 16,
    box_weights: str | None = None,
) -> dict[str, Any]:
    """USD and hours (middle, low, high) of a training, what they are reckoned from, and the grounds as sentences.

    `tokens` are those of one pass over all rows, `answers` those among them that bear the loss; `gpus` of one node;
    `price_an_hour` of one node, by default the list price; `box_weights` is the tag of the box's models.
    """
    job = _Job(model_name, size, max(nodes, 1), max(gpus, 0), lora, precision)
    speed, start, basis = _azure(job) if box_weights is None else _box(box_weights)
    price, priced = _price(job, price_an_hour)
    hours = _hours(tokens * epochs, speed, start)
    return {
        **_spread("usd", [spent * each * job.nodes for spent, each in zip(hours, _triple(price), strict=True)]),
        **_spread("hours", hours),
        "tokens": round(tokens * epochs),
        "answers": round(answers * epochs),
        "epochs": epochs,
        "size": size,
        "nodes": job.nodes,
        "gpus": job.gpus,
        "basis": [_work(tokens * epochs, answers * epochs, epochs), *basis, priced],
    }


def _work(tokens: float, answers: float, epochs: float) -> str:
    said = f", {answers:,.0f} of them answers" if answers else ""
    return f"{tokens:,.0f} tokens in {epochs:g} pass{'' if epochs == 1 else 'es'}{said}"


def _azure(job: _Job) -> tuple[Range, Range, list[str]]:
    speed, basis = _speed(job)
    start = Range(sum(span.low for span in START.values()), sum(span.high for span in START.values()))
    told = f"{start.low / 60:.0f} to {start.high / 60:.0f} minutes besides (our assumption): " + ", ".join(START)
    return speed, start, [*basis, told]


def _box(weights: str) -> tuple[Range, Range, list[str]]:
    speed, start = BOX.get(weights, BOX[""])
    told = f"in the box {weights} is trained on this machine's CPU, at {speed.low:,.0f} to {speed.high:,.0f} tokens a second"
    return speed, start, [told, f"{start.low:.0f} to {start.high:.0f} seconds for the other steps"]


def _speed(job: _Job) -> tuple[Range, list[str]]:
    """Tokens a second of the whole cluster."""
    found = hardware.parameters(job.model_name)
    weights = Range(*(found or hardware.UNKNOWN_PARAMETERS))
    peak, machine = _peak(job)
    kind = "one" if job.gpus * job.nodes <= 1 else "node" if job.nodes == 1 else "nodes"
    scale, flop = SCALING[kind], FLOP[job.lora]
    machines = job.nodes * max(job.gpus, 1)
    speed = Range(
        peak.low * machines * scale.low / (flop.high * weights.high),
        peak.high * machines * scale.high / (flop.low * weights.low),
    )
    size = f"{weights.low / 1e9:.3g}" if found else f"{weights.low / 1e9:.3g} to {weights.high / 1e9:.3g}"
    unknown = "" if found else ", which its name does not tell (assumed: a wide range)"
    model = f"{job.model_name} has {size} billion parameters{unknown}; {'LoRA' if job.lora else 'all of them'} trained"
    return speed, [
        f"{model}, at {job.precision} bit",
        f"{machine}: {speed.low:,.0f} to {speed.high:,.0f} tokens a second",
    ]


def _peak(job: _Job) -> tuple[Range, str]:
    """FLOP a second that training gets out of one GPU, or of a size's processors where it has none."""
    used = f"{hardware.USED_LOW:.0%} to {hardware.USED_HIGH:.0%} of its arithmetic used"
    known = hardware.gpu(job.size)
    if known:
        name, peak, slower = known
        least, most = slower if job.precision == 32 else (1.0, 1.0)
        return (
            Range(peak * hardware.USED_LOW / most, peak * hardware.USED_HIGH / least),
            f"{job.nodes} × {max(job.gpus, 1)} {name} ({peak / 1e12:.0f} TFLOP a second at 16 bit, {used})",
        )
    if job.gpus:
        low, high = hardware.UNKNOWN_GPU
        told = f"{job.size} has a GPU that is not known here: assumed between a T4 and an H100, a wide range"
        return Range(low * hardware.USED_LOW, high * hardware.USED_HIGH), told
    return Range(
        *hardware.CPU
    ), f"{job.size} has no GPU that is known here: reckoned as 2 to 16 CPU cores, a wide range"


def _price(job: _Job, given: float | None) -> tuple[Range, str]:
    price = given if given is not None else prices.hourly(job.size)
    if price is not None:
        return Range(price, price), f"{price:.3f} USD an hour and node (list price of {job.size}, eastus: an estimate)"
    kind, count = ("GPU", job.gpus) if job.gpus else ("CPU", 1)
    low, high = (bound * count for bound in UNKNOWN_PRICE[kind])
    return Range(
        low, high
    ), f"the price of {job.size} is not known here: assumed {low:g} to {high:g} USD an hour and node"


def _hours(tokens: float, speed: Range, start: Range) -> list[float]:
    slowest_last = zip(_triple(start), _triple(Range(tokens / speed.high, tokens / speed.low)), strict=True)
    return [(around + training) / 3600 for around, training in slowest_last]


def _triple(span: Range) -> list[float]:
    return [span.middle, span.low, span.high]


def _spread(name: str, values: list[float]) -> dict[str, float]:
    keys = (name, f"{name}_low", f"{name}_high")
    return {key: round(value, 4) for key, value in zip(keys, values, strict=True)}
