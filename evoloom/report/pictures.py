"""Pictures for papers and READMEs, by matplotlib (extra `plots`). Figures are made without pyplot: no global state.

Colours are Okabe and Ito's, which stay apart for colour-blind readers and in print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evoloom.core.errors import MissingExtra, UsageError
from evoloom.report.curves import Curve, band

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
SUFFIXES = (".svg", ".png", ".pdf")


def check_suffix(file: Path) -> None:
    """Raises UsageError for a picture format that cannot be written: before the work, not after it."""
    if file.suffix.lower() not in SUFFIXES:
        raise UsageError(f"a picture's name must end in {', '.join(SUFFIXES)}; got '{file}'")


def new_figure(width: float, height: float) -> Any:
    """An empty figure, size in inches."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("matplotlib", "plots", "drawing") from None
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Any, file: Path) -> Path:
    """Write a figure; the same figure gives the same SVG bytes."""
    from matplotlib import rc_context

    check_suffix(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    dated = {".svg": "Date", ".pdf": "CreationDate"}.get(file.suffix.lower())
    with rc_context({"svg.hashsalt": "evoloom"}):
        figure.savefig(file, dpi=150, metadata={dated: None} if dated else None)
    return file


def clean(axes: Any, title: str = "") -> None:
    """Fewer lines: no box, a light grid behind."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, linewidth=0.4, alpha=0.5)
    axes.set_axisbelow(True)
    if title:
        axes.set_title(title, loc="left", fontsize=10)


def draw_curves(axes: Any, series: Mapping[str, Sequence[Curve]], label: str, x_label: str = "evaluations") -> None:
    """Best-so-far per name: a staircase for one seed, median with quartile band for several."""
    for i, (name, made) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        if len(made) == 1:
            axes.step(made[0].x, made[0].y, where="post", color=colour, label=name)
            continue
        b = band(made)
        axes.plot(b.x, b.mid, color=colour, label=f"{name} (median of {len(made)})")
        axes.fill_between(b.x, b.low, b.high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel(x_label)
    axes.set_ylabel(label)
    if len(series) > 1:
        axes.legend(frameon=False, fontsize=8)
    focus(axes, [c for made in series.values() for c in made])


def focus(axes: Any, made: Sequence[Curve]) -> None:
    """Let the first tenth of the steps not flatten the rest: y starts at the value after 2 % of the axis."""
    full = [c for c in made if len(c.x) > 2]
    if not full:
        return
    early = [float(c.y[max(0, np.searchsorted(c.x, c.x[-1] * 0.02, "right") - 1)]) for c in full]
    ends = [float(c.y[-1]) for c in full]
    low, high = min(early + ends), max(early + ends)
    if high > low:
        pad = 0.06 * (high - low)
        axes.set_ylim(low - pad, high + pad)


def curves(series: Mapping[str, Sequence[Curve]], label: str, x_label: str = "evaluations", title: str = "") -> Any:
    """Best-so-far curves as a figure."""
    figure = new_figure(6.4, 3.8)
    axes = figure.add_subplot()
    clean(axes, title)
    draw_curves(axes, series, label, x_label)
    return figure


def draw_bars(axes: Any, counts: Mapping[str, float], title: str) -> None:
    """Horizontal bars, greatest on top, with their counts."""
    items = sorted(((k, v) for k, v in counts.items() if v), key=lambda kv: kv[1])
    axes.barh([k for k, _ in items], [v for _, v in items], color=COLOURS[0], height=0.65)
    for i, (_, v) in enumerate(items):
        axes.annotate(f" {v:,.6g}", (v, i), va="center", fontsize=8)
    clean(axes, title)
    axes.grid(False)
    axes.margins(x=0.15)
    axes.tick_params(axis="y", length=0)


def draw_archive(
    axes: Any, points: Sequence[tuple[float, float, float]], problem: Any, minimize: bool, bins: int = 32
) -> Any:
    """Best fitness per cell of the first two measures: what an archive over them could hold. Returns the image."""
    a, b = problem.columns.measures[:2]
    grid = np.full((bins, bins), np.nan)
    for x, y, f in points:
        i = min(bins - 1, max(0, int((y - b.low) / (b.high - b.low) * bins)))
        j = min(bins - 1, max(0, int((x - a.low) / (a.high - a.low) * bins)))
        if np.isnan(grid[i, j]) or (f < grid[i, j] if minimize else f > grid[i, j]):
            grid[i, j] = f
    image = axes.imshow(
        grid, origin="lower", extent=(a.low, a.high, b.low, b.high), aspect="auto", interpolation="nearest",
        cmap="viridis_r" if minimize else "viridis",
    )  # fmt: skip
    axes.set_xlabel(a.name)
    axes.set_ylabel(b.name)
    axes.set_title(f"best per cell, {int((~np.isnan(grid)).sum())} of {bins * bins} cells", loc="left", fontsize=10)
    return image


def overview(s: Any, points: Sequence[tuple[float, float, float]] = ()) -> Any:
    """A run in one figure: curve, verdicts, what operators made, and the archive map where there are two measures."""
    n = 4 if points else 3
    figure = new_figure(10.5, 6.2)
    axes = figure.subplot_mosaic("AAB\nCCD" if n == 4 else "AAB\nAAC")
    unit = s.problem.unit or "fitness"
    clean(axes["A"], f"{s.info.problem}, {s.info.system}, seed {s.info.seed}: best so far")
    draw_curves(axes["A"], {"best": [s.curve]}, unit, "judgements")
    draw_bars(axes["B"], s.verdicts, "verdicts")
    most = sorted(s.operators, key=lambda o: -o.ok)[:12]
    made = {o.operator or "start": o.ok for o in most}
    draw_bars(axes["D" if n == 4 else "C"], made, "valid children by operator")
    if n == 4:
        image = draw_archive(axes["C"], points, s.problem, bool(s.problem.minimize))
        figure.colorbar(image, ax=axes["C"], label=unit)
    return figure
