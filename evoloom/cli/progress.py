"""How a run's progress is shown: alive on a terminal, plain lines when piped, JSON lines, or not at all."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from evoloom.cli.arguments import emit
from evoloom.core.contracts import Problem
from evoloom.core.result import Progress
from evoloom.report.comparison import invalid_share
from evoloom.report.interrupts import watched
from evoloom.report.tables import duration, number, percent

LINE_S = 10.0  # between plain lines
IMPROVED_S = 1.0  # least time between plain lines that an improvement causes


class Meter:
    """Numbers that need two moments: the recent rate, the share of the budget that is burnt, the time left."""

    def __init__(self) -> None:
        self.moments: deque[tuple[float, float]] = deque(maxlen=60)  # (seconds, evaluations), about 15 s

    def update(self, p: Progress) -> None:
        self.moments.append((p.seconds, p.evaluations))

    @property
    def rate(self) -> float:
        """Evaluations per second of late; 0 before there are two moments."""
        if len(self.moments) < 2:
            return 0.0
        (t0, n0), (t1, n1) = self.moments[0], self.moments[-1]
        return (n1 - n0) / (t1 - t0) if t1 > t0 else 0.0


def burnt(p: Progress) -> float:
    """Share of the budget that is spent, by the limit that is nearest to its end, in [0, 1]."""
    shares = [p.evaluations / p.budget.evaluations, p.seconds / p.budget.seconds]
    for name in ("calls", "tokens", "usd"):
        limit = getattr(p.budget, name)
        shares.append(getattr(p.cost, name) / limit if limit > 0 else 0.0)
    return min(1.0, max(shares))


def eta(p: Progress) -> float:
    """Seconds that are left if the burn goes on as so far; nan at the start."""
    share = burnt(p)
    return p.seconds * (1 - share) / share if share > 0.002 else float("nan")


def best_text(p: Progress, unit: str) -> str:
    if p.best_native is None:
        return "nothing valid yet"
    if isinstance(p.best_native, tuple):
        return ", ".join(number(v) for v in p.best_native)
    return f"{number(p.best_native, 5)}{unit and ' ' + unit}"


def line(p: Progress, rate: float, unit: str) -> str:
    """One plain line."""
    parts = [
        f"{duration(p.seconds):>12}", f"best {best_text(p, unit)}", f"{number(round(p.evaluations))} evaluations",
        f"{number(rate, 3)}/s", f"invalid {percent(invalid_share(p.verdicts))}",
        f"{100 * burnt(p):.0f} % of the budget",
    ]  # fmt: skip
    if p.cost.usd:
        parts.append(f"${p.cost.usd:.4f}")
    return "  ".join(parts)


class Plain:
    """Lines for logs: about every ten seconds, and when the best improves."""

    def __init__(self, write: Callable[[str], None], unit: str = "", clock: Callable[[], float] = time.monotonic):
        self.write, self.unit, self.clock = write, unit, clock
        self.meter, self.last, self.best = Meter(), -LINE_S, None

    def __call__(self, p: Progress) -> None:
        self.meter.update(p)
        now = self.clock()
        wait = IMPROVED_S if p.best_id != self.best else LINE_S
        if now - self.last >= wait:
            self.last, self.best = now, p.best_id
            self.write(line(p, self.meter.rate, self.unit))


class Lines(Plain):
    """The same moments as JSON events."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)

    def __call__(self, p: Progress) -> None:
        before = self.last
        super().__call__(p)
        if self.last != before:
            emit({
                "event": "progress", "evaluations": p.evaluations, "seconds": p.seconds, "best_id": p.best_id,
                "native": p.best_native, "rate": self.meter.rate, "invalid_rate": invalid_share(p.verdicts),
                "burnt": burnt(p), "usd": p.cost.usd, "in_flight": p.in_flight,
            })  # fmt: skip


class Panel:
    """The live picture: a bar of the burnt budget, and the numbers under it."""

    def __init__(self, title: str, unit: str):
        self.title, self.unit, self.meter, self.p = title, unit, Meter(), None
        self.hint = "Ctrl-C once: finish what is running and save; twice: stop now"

    def __call__(self, p: Progress) -> None:
        self.meter.update(p)
        self.p = p

    def __rich__(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        grid.add_row(Text(self.title, style="bold"))
        p = self.p
        if p is None:
            grid.add_row(Text("starting ...", style="dim"))
            return grid
        bar = Table.grid(padding=(0, 2))
        share = burnt(p)
        bar.add_row(
            ProgressBar(total=1.0, completed=share, width=40), f"{100 * share:.0f} %", f"{duration(p.seconds)}",
            f"ETA {duration(eta(p))}",
        )  # fmt: skip
        grid.add_row(bar)
        best = fact("best", best_text(p, self.unit), "bold green" if p.best_id is not None else "")
        grid.add_row(best + Text(f"  #{p.best_id}" if p.best_id is not None else "", style="dim"))
        facts = [
            fact("evaluations", number(round(p.evaluations))), fact("rate", f"{number(self.meter.rate, 3)}/s"),
            fact("invalid", percent(invalid_share(p.verdicts))), fact("in flight", str(p.in_flight)),
            *([fact("spent", f"${p.cost.usd:.4f}")] if p.cost.usd else []),
        ]  # fmt: skip
        grid.add_row(Text("   ").join(facts))
        grid.add_row(Text(self.hint, style="dim"))
        return grid


def fact(name: str, value: str, style: str = "") -> Any:
    from rich.text import Text

    return Text.assemble((f"{name} ", "dim"), (value, style))


def finishing(problem: Any) -> str | None:
    """What happens to the answer after the search; None where that takes no time."""
    from evoloom.spaces.program import ProgramSpace

    steps = []
    if isinstance(problem.space, ProgramSpace) and problem.reduce_tests:
        steps.append("taking out what the winner does not need")
    if type(problem).held_out is not Problem.held_out:
        steps.append("opening held-out data")
    return f"finishing: {', '.join(steps)} (Ctrl-C to stop now)" if steps else None


class Finishing:
    """Passes progress on, and says once that the search has ended and the answer is being finished.

    That is known where the budget is spent or Ctrl-C was pressed and nothing is in flight; a run that ends for another
    reason goes without the line.
    """

    def __init__(
        self, show: Callable[[Progress], None], say: Callable[[str], None], text: str, pressed: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ):  # fmt: skip
        self.show, self.say, self.text, self.pressed, self.clock = show, say, text, pressed, clock
        self.begun, self.said = clock(), False  # `p.seconds` of a resumed run holds its earlier parts as well

    def __call__(self, p: Progress) -> None:
        self.show(p)
        if not self.said and not p.in_flight and p.best_id is not None and (self.spent(p) or self.pressed()):
            self.said = True
            self.say(self.text)

    def spent(self, p: Progress) -> bool:
        b = p.budget
        return (
            p.evaluations >= b.evaluations - 1e-9
            or p.proposals >= b.proposals
            or self.clock() - self.begun >= b.seconds
        )


@contextlib.contextmanager
def shown(title: str, problem: Any, json: bool, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """The right on_progress for where the output goes; None when quiet."""
    unit, last = problem.unit, finishing(problem)
    if quiet:
        yield None
    elif json:
        yield Lines()
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.live import Live

        panel = Panel(title, unit)
        with Live(panel, console=Console(), refresh_per_second=4, transient=True), watched() as pressed:
            yield Finishing(panel, partial(setattr, panel, "hint"), last, pressed) if last else panel
    else:
        print(title, flush=True)
        write = partial(print, flush=True)
        lines = Plain(write, unit)
        with watched() as pressed:
            yield Finishing(lines, write, last, pressed) if last else lines
