"""The course of the evaluation loss over a training: where it was best, and whether it rose again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

ROSE = 1.05  # the loss wavers: less than a twentieth above its best is no rise


class Course(msgspec.Struct, frozen=True):
    """First, best and last evaluation loss, at which step it was best, and whether the training went on too long."""

    first: float
    best: float
    best_step: float
    last: float
    over_fitted: bool

    def told(self) -> str:
        """One sentence for people."""
        if self.over_fitted:
            return (
                f"over-fitting: the evaluation loss was best at step {self.best_step:.0f} ({self.best:.3f}) and rose to "
                f"{self.last:.3f}; fewer epochs would do"
            )
        return f"the evaluation loss went from {self.first:.3f} to {self.last:.3f}"


def course(points: Sequence[Sequence[float]]) -> Course | None:
    """The course of a curve of (step, loss); None where there are fewer than two points.

    >>> course([(10, 2.0), (20, 1.0), (30, 1.5)]).over_fitted, course([(10, 2.0), (20, 1.0)]).over_fitted
    (True, False)
    """
    if len(points) < 2:
        return None
    best = min(points, key=lambda point: point[1])
    last = points[-1][1]
    rose = best is not points[-1] and last > best[1] * ROSE if best[1] > 0 else last > best[1]
    return Course(points[0][1], best[1], best[0], last, rose)
