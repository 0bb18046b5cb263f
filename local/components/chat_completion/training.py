"""The training loop: epochs, steps, evaluation, early stopping; deterministic for a seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .batches import grouped, packed, parts, shuffled
from .encode import Example
from .learners import Learner
from .llama import Llama
from .schedule import factor
from .settings import Settings

Log = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Outcome:
    """What training came to."""

    steps: int
    train_loss: float
    eval_loss: float | None


class Trainer:
    """Trains a learner on examples and tells `log` how it goes."""

    def __init__(self, model: Llama, learner: Learner, settings: Settings, device: torch.device, log: Log) -> None:
        self.model, self.learner, self.settings, self.device, self.log = model, learner, settings, device, log
        self.parameters = learner.parameters()
        self.optimizer = _optimizer(self.parameters, settings)

    def train(self, train: list[Example], validation: list[Example]) -> Outcome:
        """Train to the last step, or until evaluation no longer improves."""
        settings, started = self.settings, time.monotonic()
        torch.manual_seed(settings.seed)
        plan = Plan(len(train), settings)
        patience = Patience(settings)
        losses: list[float] = []
        step, eval_loss = 0, self._evaluated(0, validation)
        self.log(0, {"total_steps": plan.steps, "epoch": 0.0})
        for step, indexes in enumerate(plan.batches(), 1):
            rate = settings.learning_rate * factor(
                settings.lr_scheduler_type, step - 1, settings.warmup_steps, plan.steps
            )
            loss, norm = self._step([train[i] for i in indexes], rate)
            losses.append(loss)
            if step == 1:  # the first batch's loss was taken before anything changed
                self.log(0, {"loss": loss, "learning_rate": rate})
            if plan.logs_at(step):
                epoch = step / plan.per_epoch
                self.log(step, {"loss": loss, "learning_rate": rate, "grad_norm": norm, "epoch": epoch})
            if plan.evaluates_at(step):
                eval_loss = self._evaluated(step, validation)
                if patience.over(eval_loss):
                    break
        self.log(step, self._summary(step, losses, len(train) * step / plan.per_epoch, time.monotonic() - started))
        return Outcome(step, sum(losses) / len(losses), eval_loss)

    def _step(self, rows: list[Example], rate: float) -> tuple[float, float]:
        """Change the learner by one batch; return its loss before, and the gradient's norm."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        words, total = max(1, sum(sum(row.labelled[1:]) for row in rows)), 0.0
        for part in parts(rows):
            loss = self._loss(part) / words
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.settings.max_grad_norm or float("inf"))
        self.optimizer.step()
        return total, norm.item()

    def _loss(self, rows: list[Example]) -> Tensor:
        """Return the summed loss of the labelled tokens; words that don't count are not even scored."""
        work = packed(rows, self.device)
        if not len(work.places):
            return torch.zeros((), device=self.device)
        states = self.model.hidden(work.batch, self.learner.linear)[work.places]
        return functional.cross_entropy(self.model.logits(states).float(), work.targets, reduction="sum")

    @torch.no_grad()
    def _evaluated(self, step: int, rows: list[Example]) -> float | None:
        """Return and log the mean loss on held-out rows; None without evaluation."""
        words = sum(sum(row.labelled[1:]) for row in rows)
        if self.settings.evaluation_strategy == "disable" or not words:
            return None
        started, total = time.monotonic(), 0.0
        for group in grouped(range(len(rows)), self.settings.per_device_eval_batch_size):
            total += sum(self._loss(part).item() for part in parts([rows[i] for i in group]))
        taken = time.monotonic() - started
        self.log(
            step,
            {"eval_loss": total / words, "eval_runtime": taken, "eval_samples_per_second": len(rows) / taken},
        )
        return total / words

    def _summary(self, steps: int, losses: list[float], samples: float, seconds: float) -> dict[str, float]:
        return {
            "train_loss": sum(losses) / len(losses),
            "train_runtime": seconds,
            "train_samples_per_second": samples / seconds,
            "train_steps_per_second": steps / seconds,
        }


class Plan:
    """Which rows are taken when, and at which steps something is logged or evaluated."""

    def __init__(self, rows: int, settings: Settings) -> None:
        self.rows, self.settings = rows, settings
        self.size = settings.per_device_train_batch_size * settings.gradient_accumulation_steps
        self.per_epoch = -(-rows // self.size)
        self.steps = settings.max_steps if settings.max_steps > 0 else self.per_epoch * settings.num_train_epochs

    def batches(self) -> Iterator[list[int]]:
        """Give the rows of each step."""
        step, epoch = 0, 0
        while step < self.steps:
            for indexes in grouped(shuffled(self.rows, self.settings.seed, epoch), self.size)[: self.steps - step]:
                yield indexes
                step += 1
            epoch += 1

    def logs_at(self, step: int) -> bool:
        """Say whether a step's loss is logged; the first and the last always are."""
        every = self.per_epoch if self.settings.logging_strategy == "epoch" else self.settings.logging_steps
        return step in (1, self.steps) or step % every == 0

    def evaluates_at(self, step: int) -> bool:
        """Say whether it is evaluated after a step; after the last it always is, unless evaluation is disabled."""
        settings = self.settings
        if settings.evaluation_strategy == "disable":
            return False
        every = self.per_epoch
        if settings.evaluation_strategy == "steps":
            part = settings.evaluation_steps_interval
            every = max(1, round(self.per_epoch * part)) if 0 < part < 1 else settings.eval_steps
        return step == self.steps or step % every == 0


class Patience:
    """Early stopping: over when the loss has not improved by the threshold for `patience` evaluations."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.best, self.failures = settings, float("inf"), 0

    def over(self, loss: float | None) -> bool:
        """Take note of an evaluation, and say whether it is time to stop."""
        if loss is None or not self.settings.apply_early_stopping:
            return False
        better = self.best - loss > self.settings.early_stopping_threshold
        self.failures = 0 if better else self.failures + 1
        self.best = min(self.best, loss)
        return self.failures >= self.settings.early_stopping_patience


def _optimizer(parameters: list[Tensor], settings: Settings) -> torch.optim.Optimizer:
    if settings.optim == "adafactor":
        return torch.optim.Adafactor(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    betas = (settings.adam_beta1, settings.adam_beta2)
    return torch.optim.AdamW(
        parameters, settings.learning_rate, betas, settings.adam_epsilon, settings.weight_decay, foreach=True
    )
