"""Small charts as inline SVG, coloured by the page's CSS variables so that they follow light and dark."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np

from evoloom.report.curves import Curve
from evoloom.report.markup import Markup, join, tag
from evoloom.report.tables import number

WIDTH, HEIGHT = 720, 340
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 14, 40


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """About n round numbers inside [low, high]: steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def shown_range(curve: Curve) -> tuple[float, float]:
    """The y-range that lets the late progress be seen: from the value after 2 % of the axis to the end, padded."""
    start = float(curve.y[max(0, int(np.searchsorted(curve.x, curve.x[-1] * 0.02, "right")) - 1)])
    low, high = sorted((start, float(curve.y[-1])))
    pad = 0.07 * (high - low) or abs(high) * 0.1 or 1.0
    return low - pad, high + pad


def best_so_far(curve: Curve, x_label: str, y_label: str) -> Markup:
    """The staircase of one run; points beyond the shown range are clipped, hovering reads them off (page.js)."""
    if not len(curve.x):
        return tag("p", "Nothing valid was found, so there is no curve.", class_="dim")
    x0, x1 = 0.0, float(curve.x[-1]) or 1.0
    y0, y1 = shown_range(curve)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def px(x: float) -> float:
        return LEFT + (x - x0) / (x1 - x0) * (right - LEFT)

    def py(y: float) -> float:
        return bottom - (y - y0) / (y1 - y0) * (bottom - TOP)

    # Steps as corners; far-away values are cut so that no renderer meets huge coordinates.
    path = []
    for i, (x, y) in enumerate(zip(curve.x.tolist(), curve.y.tolist())):
        v = min(max(py(y), -1e4), 1e4)
        path.append(f"M{px(x):.1f} {v:.1f}" if not i else f"H{px(x):.1f}V{v:.1f}")
    parts = [grid_lines(x0, x1, y0, y1, px, py, right, bottom)]
    parts.append(tag("clipPath", tag("rect", x=LEFT, y=TOP, width=right - LEFT, height=bottom - TOP), id="plot"))
    parts.append(tag("path", d="".join(path), class_="line", clip_path="url(#plot)"))
    parts.append(tag("text", x_label, x=(LEFT + right) / 2, y=HEIGHT - 6, class_="label", text_anchor="middle"))
    middle = (TOP + bottom) / 2
    parts.append(
        tag("text", y_label, x=14, y=middle, class_="label", text_anchor="middle", transform=f"rotate(-90 14 {middle})")
    )
    points = [
        [round(px(x), 1), round(py(y), 1), number(x), number(y, 6)] for x, y in zip(curve.x.tolist(), curve.y.tolist())
    ]
    return tag(
        "svg", *parts, tag("g", class_="cursor"), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", class_="chart",
        aria_label=f"{y_label} of the best candidate over {x_label}",
        data_points=json.dumps(points, ensure_ascii=False),
    )  # fmt: skip


def grid_lines(x0: float, x1: float, y0: float, y1: float, px, py, right: float, bottom: float) -> Markup:
    """Axis numbers with light lines."""
    parts = []
    for y in ticks(y0, y1):
        parts.append(tag("line", x1=LEFT, x2=right, y1=f"{py(y):.1f}", y2=f"{py(y):.1f}", class_="grid"))
        parts.append(tag("text", number(y), x=LEFT - 8, y=f"{py(y) + 4:.1f}", class_="tick", text_anchor="end"))
    for x in ticks(x0, x1, 6):
        parts.append(tag("text", number(x), x=f"{px(x):.1f}", y=bottom + 18, class_="tick", text_anchor="middle"))
    parts.append(tag("line", x1=LEFT, x2=right, y1=bottom, y2=bottom, class_="axis"))
    return join(parts)


def bar(share: float) -> Markup:
    """A share in [0, 1] as a bar for a table cell."""
    filled = tag("rect", width=f"{100 * min(1.0, max(0.0, share)):.2f}", height=8, rx=1.5, class_="bar")
    empty = tag("rect", width=100, height=8, rx=1.5, class_="track")
    return tag("svg", empty, filled, viewBox="0 0 100 8", class_="bars", preserveAspectRatio="none", aria_hidden="true")


def heat_map(points: Sequence[tuple[float, float, float]], axes: Sequence, minimize: bool, bins: int = 24) -> Markup:
    """Best native fitness per cell of two measures; opacity is the rank among the filled cells."""
    best: dict[tuple[int, int], float] = {}
    a, b = axes[0], axes[1]
    for x, y, f in points:
        i = min(bins - 1, max(0, int((x - a.low) / (a.high - a.low) * bins)))
        j = min(bins - 1, max(0, int((y - b.low) / (b.high - b.low) * bins)))
        old = best.get((i, j))
        if old is None or (f < old if minimize else f > old):
            best[i, j] = f
    order = sorted(best.values(), reverse=minimize)
    rank = {f: (k + 1) / len(order) for k, f in enumerate(order)}
    size, left = 11, 30
    cells = [
        tag(
            "rect", tag("title", f"{a.name}, {b.name} cell {i}, {j}: {number(f, 5)}"), x=left + i * size,
            y=(bins - 1 - j) * size, width=size - 1, height=size - 1, class_="cell",
            fill_opacity=f"{0.12 + 0.88 * rank[f]:.2f}",
        )
        for (i, j), f in sorted(best.items())
    ]  # fmt: skip
    side = bins * size
    frame = tag("rect", x=left - 1, y=-1, width=side + 1, height=side + 1, class_="frame")
    names = [
        tag("text", a.name, x=left + side / 2, y=side + 22, class_="label", text_anchor="middle"),
        tag(
            "text",
            b.name,
            x=12,
            y=side / 2,
            class_="label",
            text_anchor="middle",
            transform=f"rotate(-90 12 {side / 2})",
        ),
    ]
    return tag(
        "svg", frame, *cells, *names, viewBox=f"0 -2 {left + side + 4} {side + 32}", class_="map", role="img",
        aria_label=f"best fitness per cell of {a.name} and {b.name}",
    )  # fmt: skip
