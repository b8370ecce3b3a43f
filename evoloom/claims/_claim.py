"""What a claim is, and when it holds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from evoloom.core import registry
from evoloom.core.errors import UsageError, near
from evoloom.report import statistics

KINDS = {
    "closed form": "the outcome is compared with a known exact value",
    "searched here": "real searches, run by this package on the machine that wrote the row",
    "trained here": "a real model was trained by this package on the machine that wrote the row",
    "real endpoint": "a real language model answered over the network",
    "replayed": "recorded answers of a real endpoint were replayed",
}


class Effect(NamedTuple):
    """A statistic: of two arms (ours, the other; greater means ours is better) or of one arm (native values)."""

    measure: Callable[..., float]
    two_arms: bool
    says: str


def ratio(x: Any, y: Any) -> float:
    """median(x) / median(y) for samples of positive numbers where greater is better."""
    a, b = statistics.quantile(x, 0.5), statistics.quantile(y, 0.5)
    return 1.0 if a == b else math.copysign(math.inf, a) if b == 0 else a / b


STATISTICS = {
    "median difference": Effect(statistics.median_difference, True, "difference of medians, positive when better"),
    "mean difference": Effect(statistics.mean_difference, True, "difference of means, positive when better"),
    "a12": Effect(statistics.a12, True, "probability that a run of the system beats one of the baseline"),
    "median ratio": Effect(ratio, True, "ratio of medians, above 1 when better"),
    "median": Effect(lambda x: statistics.quantile(x, 0.5), False, "median over seeds"),
    "mean": Effect(lambda x: float(np.mean(x)), False, "mean over seeds"),
    "worst": Effect(lambda x: float(np.min(x)), False, "worst seed"),
}


class Arm(NamedTuple):
    """One arm as the settings of a run; its value is a number of the run's result.

    measure: "fitness" (native, of the best), "held_out", the name of a held-out signal, "evaluations" (spent, for arms
    that stop at a target), or a function of the `Result`.
    """

    problem: str
    system: str
    evaluations: float | None = None
    seconds: float | None = None
    settings: Mapping[str, Any] = {}
    measure: str | Callable[[Any], float] = "fitness"

    def __call__(self, seed: int, scale: float) -> float:
        """The value of one seed, nan where the run found nothing valid. `scale` multiplies the budget."""
        from evoloom import api

        limits: dict[str, Any] = {k: v for k in ("evaluations", "seconds") if (v := getattr(self, k)) is not None}
        limits = {k: max(1.0, math.ceil(v * scale)) for k, v in limits.items()}
        opens = self.measure not in ("fitness", "evaluations")
        r = api.run(self.problem, self.system, **limits, seed=seed, settings=self.settings, held_out=opens)
        if callable(self.measure):
            return float(self.measure(r))
        if self.measure == "evaluations":
            return float(r.evaluations)
        if r.best is None:
            return math.nan
        if self.measure == "fitness":
            return float(r.best.native)
        name = "fitness" if self.measure == "held_out" else self.measure
        held = r.best.held_out or {}
        if name not in held:
            raise UsageError(f"problem '{self.problem}' holds out no '{name}'.{near(name, held)}")
        return float(held[name])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """A paper's effect at a scale that two CPU cores hold. The first arm is the system's own."""

    says: str  # the paper's statement in one sentence, and where it stands
    arms: Mapping[str, Arm | Callable[[int, float], float]]  # or any (seed, scale) -> number; nan = found nothing
    threshold: float  # fixed before looking; in the statistic's units
    evidence: str  # one of KINDS
    against: str | None = None  # the arm to beat; None with the statistics of one arm
    statistic: str = "median difference"  # one of STATISTICS
    minimize: bool = False  # smaller values are better
    paired: bool = False  # the same seed means the same instance in every arm
    seeds: int = 10
    differs: str = ""  # from the paper: data, scale, budget

    def __post_init__(self) -> None:
        if self.statistic not in STATISTICS:
            raise UsageError(f"no statistic is called '{self.statistic}'.{near(self.statistic, STATISTICS)}")
        if self.evidence not in KINDS:
            raise UsageError(f"no kind of evidence is called '{self.evidence}'.{near(self.evidence, KINDS)}")
        two = STATISTICS[self.statistic].two_arms
        if two and (self.against not in self.arms or self.against == self.ours):
            raise UsageError(
                f"'{self.statistic}' compares the arm '{self.ours}' with another: `against` must be one of "
                f"{list(self.arms)[1:]}, got {self.against!r}"
            )
        if not two and self.against is not None:
            raise UsageError(f"'{self.statistic}' looks at one arm; leave out against={self.against!r}")

    @property
    def ours(self) -> str:
        return next(iter(self.arms))

    @property
    def lower_is_good(self) -> bool:
        """One-arm statistics are native, so they must lie below the threshold where smaller is better."""
        return self.minimize and not STATISTICS[self.statistic].two_arms

    def rule(self) -> str:
        """When it holds, in words."""
        side = "at or below" if self.lower_is_good else "above" if self.against else "at or above"
        return f"the whole 95 % interval of the {self.statistic} lies {side} {self.threshold:g}"


class Finding(NamedTuple):
    """What the samples say. ci: 95 % percentile bootstrap over seeds. p: one-sided test, None for one arm."""

    effect: float
    ci: tuple[float, float]
    p: float | None
    holds: bool


def find(c: Claim, values: Mapping[str, list[float]]) -> Finding:
    """The claim's statistic on arm values (native, one per seed in order; nan counts as the worst)."""
    effect = STATISTICS[c.statistic]
    worst = math.inf if c.minimize else -math.inf
    samples = {k: np.array([worst if math.isnan(x) else x for x in v]) for k, v in values.items()}
    if not effect.two_arms:
        x = samples[c.ours]
        measure = (lambda s: float(np.max(s))) if c.minimize and c.statistic == "worst" else effect.measure
        value, ci = measure(x), statistics.bootstrap(measure, x)
        holds = ci[1] <= c.threshold if c.lower_is_good else ci[0] >= c.threshold
        return Finding(value, ci, None, bool(holds))
    assert c.against is not None
    x, y = samples[c.ours], samples[c.against]
    test = statistics.wilcoxon if c.paired else statistics.mann_whitney
    if c.minimize and c.statistic == "median ratio":
        x, y = y, x  # the other's median over ours: above 1 when ours is smaller
        p = test(x, y, "greater")
    else:
        x, y = statistics.oriented(x, c.minimize), statistics.oriented(y, c.minimize)
        p = test(x, y, "greater")
    ci = statistics.bootstrap(effect.measure, x, y, paired=c.paired)
    return Finding(effect.measure(x, y), ci, p, bool(ci[0] > c.threshold))


def claim(system: str, part: str = "") -> Callable[[Callable[[], Claim]], Callable[[], Claim]]:
    """Register `() -> Claim` for a system; `part` names the second and further claims of the same system."""
    return registry.register("claim", f"{system}.{part}" if part else system, system=system)


def claims_of(system: str | None) -> list[str]:
    """Names of a system's claims, or of all.

    Raises:
        UsageError: the system has none; near names are listed.
    """
    entries = registry.entries("claim")
    names = [e.name for e in entries if system is None or system in (e.facts.get("system"), e.name)]
    if system is not None and not names:
        raise UsageError(f"no claim is registered for '{system}'.{near(system, [e.name for e in entries])}")
    return names
