"""Exact judgement of a packing: no tolerance anywhere.

Every float64 is a dyadic rational m / 2^s, so all coordinates of a packing are integers on one grid of pitch 2^-s and
the three rules, r >= 0, the circle inside the unit square, (r_i + r_j)^2 <= |c_i - c_j|^2, are compared exactly in
Python's integers. Floating-point searches meet the rules to about 1e-9; `shrink` makes such a packing exactly feasible
by reducing radii, in the same arithmetic, and what is scored is the packing that comes out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np


class Violation(NamedTuple):
    """One broken rule: which circles, and by how much (a length, rounded to float64 for people only)."""

    rule: str
    circles: tuple[int, ...]
    amount: float

    def __str__(self) -> str:
        who = " and ".join(str(i) for i in self.circles)
        return f"circle{'s' if len(self.circles) > 1 else ''} {who}: {self.rule} by {self.amount:.3g}"


def grid(circles: np.ndarray) -> tuple[list[list[int]], int]:
    """Integers [x, y, r] per circle and s, with value = integer / 2^s exactly. circles: (n, 3) finite."""
    ratios = [[float(v).as_integer_ratio() for v in row] for row in circles]
    s = max((q.bit_length() - 1 for row in ratios for _, q in row), default=0)
    return [[p << (s - q.bit_length() + 1) for p, q in row] for row in ratios], s


def violations(circles: np.ndarray) -> Iterator[Violation]:
    """Every broken rule of an (n, 3) packing, exactly decided; nothing for a feasible one."""
    cells, s = grid(circles)
    one = 1 << s

    def length(units: int) -> float:
        return float(Fraction(units, one))

    for i, (x, y, r) in enumerate(cells):
        if r < 0:
            yield Violation("negative radius", (i,), length(-r))
        for wall, out in (("left", r - x), ("right", x + r - one), ("bottom", r - y), ("top", y + r - one)):
            if out > 0:
                yield Violation(f"outside the {wall} wall", (i,), length(out))
    for i, (xi, yi, ri) in enumerate(cells):
        for j in range(i + 1, len(cells)):
            xj, yj, rj = cells[j]
            apart, reach = (xi - xj) ** 2 + (yi - yj) ** 2, ri + rj
            if reach > 0 and apart < reach * reach:
                yield Violation("overlap", (i, j), length(reach - math.isqrt(apart)))


def shrink(circles: np.ndarray) -> np.ndarray:
    """The packing with radii reduced until it is exactly feasible; the same array values where it is already.

    Walls first, then pairs in order, each overlap taken half from either circle (never below 0). Reducing a radius
    cannot break another rule, so one pass is enough; rounding to float64 goes down for the same reason. Centres stay.
    circles: (n, 3), centres in the unit square, radii not negative -> (n, 3).
    """
    cells, s = grid(circles)
    one = 1 << s
    radius = [min(r, x, y, one - x, one - y) for x, y, r in cells]
    for i, (xi, yi, _) in enumerate(cells):
        for j in range(i + 1, len(cells)):
            dx, dy = xi - cells[j][0], yi - cells[j][1]
            reach = radius[i] + radius[j]
            if reach * reach <= dx * dx + dy * dy:
                continue
            excess = reach - math.isqrt(dx * dx + dy * dy)
            from_i = min(radius[i], max((excess + 1) // 2, excess - radius[j]))
            radius[i] -= from_i
            radius[j] -= excess - from_i
    out = np.array(circles, dtype=np.float64)
    for i, (r, before) in enumerate(zip(radius, (c[2] for c in cells))):
        if r != before:
            out[i, 2] = _float_below(r, one)
    return out


def _float_below(units: int, one: int) -> float:
    """The largest float64 that is not above units / one."""
    exact = Fraction(units, one)
    near = float(exact)
    return near if Fraction(near) <= exact else math.nextafter(near, -math.inf)


def exact_sum(circles: np.ndarray) -> Fraction:
    """The sum of the radii as a rational number."""
    return sum((Fraction(float(r)) for r in np.asarray(circles)[:, 2]), Fraction(0))


def certificate(circles: np.ndarray) -> str:
    """A stand-alone Python program that holds the packing and checks it in rational arithmetic; it prints the sum.

    Needs nothing but a Python interpreter. `repr` of a float64 reads back as the same float64.
    """
    lines = ",\n".join(f"    ({float(x)!r}, {float(y)!r}, {float(r)!r})" for x, y, r in circles)
    return CHECKER.replace("@N@", str(len(circles))).replace("@CIRCLES@", lines)


CHECKER = '''"""@N@ circles in the unit square. Run this file: it checks them exactly and prints the radii's sum."""

from fractions import Fraction

CIRCLES = [  # x, y, radius
@CIRCLES@,
]


def pack(n=@N@):
    return CIRCLES


def check(circles):
    exact = [[Fraction(v) for v in circle] for circle in circles]  # a float is a rational number, nothing is rounded
    for i, (x, y, r) in enumerate(exact):
        if not (r >= 0 and r <= x <= 1 - r and r <= y <= 1 - r):
            raise SystemExit(f"circle {i} is not inside the square")
        for j, (u, v, s) in enumerate(exact[:i]):
            if (x - u) ** 2 + (y - v) ** 2 < (r + s) ** 2:
                raise SystemExit(f"circles {j} and {i} overlap")
    return sum(r for _, _, r in exact)


if __name__ == "__main__":
    total = check(pack())
    digits = int(total * 10**15)  # rounded down
    print(f"{len(CIRCLES)} circles, feasible, sum of radii >= {digits // 10**15}.{digits % 10**15:015d}")
'''
