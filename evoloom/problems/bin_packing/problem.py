"""The problem `bin-packing`: find the priority function that wastes the fewest bins."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evoloom.core import registry
from evoloom.core.contracts import (
    Axis,
    Box,
    Columns,
    Evaluation,
    Failed,
    Job,
    Json,
    Limits,
    Notes,
    Problem,
    Scope,
    Session,
    Verdict,
    failed,
)
from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng, root
from evoloom.problems._program import needed, program_size
from evoloom.problems.bin_packing import heuristics
from evoloom.problems.bin_packing.candidate import DRIVER, ENTRY, Asker, Probe, probe_of
from evoloom.problems.bin_packing.instances import (
    FAMILIES,
    MAX_LEVELS,
    Grid,
    Instance,
    generate,
    round_up,
    split,
)
from evoloom.problems.bin_packing.item_file import read_items
from evoloom.problems.bin_packing.packing import Packed, pack_as_foreseen, pack_exactly
from evoloom.problems.bin_packing.tables import Rule, Suite, known, pack
from evoloom.problems.judging import Row, judge_each

LARGE = 100_000  # items of the large held-out instance


@registry.problem("bin-packing")
class BinPacking(Problem):
    """Online bin packing: evolve the rule that puts each arriving item into a bin; fewest bins beyond the bound.

    A candidate is a program with `priority(item: float, bins: np.ndarray) -> np.ndarray`: one number per residual
    capacity in which the item fits. The highest wins, the first of equals. Fitness is the mean excess over the L1
    lower bound on the number of bins, in per cent.

    Args:
        dataset: "weibull" (capacity 100, 5 instances of 5,000 items) or "or" (uniform sizes 20..100, capacity 150,
            20 instances of 500 items).
        n_items, n_instances: of the training instances and the held-out ones; None takes the data set's own.
        bins: "residuals" offers the distinct residuals, ascending (a fresh bin last); "all" is FunSearch's form: as
            many bins as there are items, in a fixed order, fresh ones included.
        items: file with your own sizes, one per line or a column of a CSV; the last third of them is held out.
        column: name or number (from 1) of the column in `items`.
        capacity: of a bin; None takes the data set's own. `items` needs it.
        levels: round training sizes up to so many steps of the capacity (0: not), so that sizes with many digits can
            be packed from a table. Held-out judgement always has the true sizes.
        data_seed: of the generated instances; it is part of the problem, not of a run.
    """

    name = "bin-packing"
    minimize = True
    unit = "% excess"
    untrusted = True
    modules = ("numpy",)
    limits = Limits(seconds=20.0)
    default_system = "map-elites-islands"  # chosen in trials of a few seeds on other instances (data_seed=7)
    default_settings = {"n_start": 200}

    def __init__(
        self,
        *,
        dataset: Literal["weibull", "or"] = "weibull",
        n_items: int | None = None,
        n_instances: int | None = None,
        bins: Literal["residuals", "all"] = "residuals",
        items: str = "",
        column: str = "",
        capacity: float | None = None,
        levels: int = 0,
        data_seed: int = 0,
    ):
        if bins not in ("residuals", "all"):
            raise UsageError(f"bins must be 'residuals' or 'all', got {bins!r}")
        if not 0 <= levels <= MAX_LEVELS or levels == 1:
            raise UsageError(f"levels must be 0 (sizes as they are) or 2 to {MAX_LEVELS}, got {levels}")
        self.form, self.dataset = bins, dataset
        self.options = {"dataset": dataset, "bins": bins, "items": items, "column": column, "levels": levels,
                        "data_seed": data_seed}  # fmt: skip
        if items:
            train, held, self._large = self._own(items, column, capacity, n_instances, n_items)
        elif column:
            raise UsageError(f"column={column} is of a file of your own: give items=FILE too.")
        else:
            train, held, self._large = self._generated(dataset, n_items, n_instances, capacity, data_seed)
        if levels:
            grid = Grid(levels, train[0].capacity, levels)
            self.train = Suite([round_up(i, grid) for i in train], grid)
        else:
            self.train = Suite.of(train)
        self.held = Suite.of(held)
        self.columns = Columns(
            measures=(Axis("size", 0.0, 120.0), Axis("full_bins", 0.0, 1.0)),
            cases=tuple(i.name for i in train),
            signals=("size",),
        )

    @staticmethod
    def _own(
        items: str, column: str, capacity: float | None, n_instances: int | None, n_items: int | None
    ) -> tuple[list[Instance], list[Instance], None]:
        if capacity is None or not capacity > 0:
            raise UsageError(f"items={items} needs the capacity of a bin as well: capacity=NUMBER, got {capacity}.")
        if n_items is not None:
            raise UsageError("n_items is of generated instances; with items=FILE the file says how many there are.")
        train, held = split(read_items(Path(items), capacity, column), capacity, n_instances or 5)
        return train, held, None

    @staticmethod
    def _generated(
        dataset: str, n_items: int | None, n_instances: int | None, capacity: float | None, data_seed: int
    ) -> tuple[list[Instance], list[Instance], Instance]:
        family = FAMILIES.get(dataset, FAMILIES["weibull"])  # `generate` refuses an unknown name
        n, k = n_items or family.n_items, n_instances or family.n_instances
        room = family.capacity if capacity is None else capacity
        if n < 1 or k < 1 or not room >= 1:
            raise UsageError(f"n_items, n_instances and capacity must be at least 1, got {n}, {k} and {room}")
        rng = root(data_seed)
        train = generate(dataset, "train", k, n, room, rng)
        held = generate(dataset, "held-out", k, n, room, rng)
        return train, held, generate(dataset, "large", 1, LARGE, room, rng)[0]

    @cached_property
    def space(self) -> Any:
        from evoloom.problems.bin_packing.space import program_space

        return program_space(self.train.instances[0].capacity)

    @cached_property
    def probe(self) -> Probe | None:
        return self._probe(self.train)

    def _probe(self, suite: Suite) -> Probe | None:
        """The calls that fill and test a table; None where sizes have no grid or a table would be too large."""
        if suite.grid is None:
            return None
        sizes = np.concatenate([suite.sizes(c) for c in range(suite.n)])
        return probe_of(sizes, suite.grid, self.form, root(0).fold("probe"))

    @property
    def arms(self) -> dict[str, str]:
        """Known rules by name, as candidates of this form."""
        return heuristics.arms(self.dataset, self.form)

    def start(self, rng: Rng) -> Sequence[str]:
        return [self.space.start]

    def price(self, scope: Scope) -> float:
        return 1.0 if scope is None else len(scope) / self.train.n

    def settings(self) -> Json:
        digest = hashlib.blake2b(digest_size=8)
        for instance in (*self.train.instances, *self.held.instances):
            digest.update(instance.items.tobytes())
        return {**self.options, "capacity": self.held.instances[0].capacity, "data": digest.hexdigest()}

    # judging

    def evaluate(self, job: Job) -> Evaluation:
        box = needed(job.box, self.name)
        cases = list(range(self.train.n)) if job.scope is None else list(job.scope)
        columns = self.columns._replace(cases=tuple(self.columns.cases[c] for c in cases))

        def judge(source: str) -> Row:
            size = program_size(source, "priority")
            packed, tabulated = self._pack(source, cases, box)
            excess = [self.train.instances[c].excess(p.used) for c, p in zip(cases, packed)]
            full = sum(p.full for p in packed) / sum(p.used for p in packed)
            notes = None if tabulated else Notes("not elementwise: every item was asked for")
            return Row(float(np.mean(excess)), Verdict.OK, (size, full), excess, {"size": size}, notes)

        return judge_each(job.genomes, judge, columns)

    def _pack(self, source: str, cases: Sequence[int], box: Box) -> tuple[list[Packed], bool]:
        """The training instances packed, and whether from a table."""
        table = self._table(source, self.probe, box)
        if self.probe is not None and table is not None:
            return pack(self.train, cases, self.form, self.probe.row_of, table), True
        return [self._exactly(source, self.train, c, box) for c in cases], False

    def _table(self, source: str, probe: Probe | None, box: Box) -> np.ndarray | None:
        """The candidate's table, in a process of its own; None where there is none to be had."""
        if probe is None:
            return None
        with box.open(source + DRIVER, ENTRY, self.limits) as session:
            return probe.table(session)

    def _exactly(self, source: str, suite: Suite, case: int, box: Box) -> Packed:
        """One instance, the candidate asked for every item, in a process of its own."""
        with self._session(source, suite, case, box) as session:
            asker = Asker(session, suite.grid)
            return pack_exactly(suite.sizes(case), suite.capacity, self.form, asker.one)

    def _foreseen(self, source: str, suite: Suite, case: int, box: Box, choice: Rule | None) -> Packed:
        """As `_exactly`, in few calls where the candidate chooses as its table does."""
        if choice is not None:
            try:
                with self._session(source, suite, case, box) as session:
                    asker = Asker(session, suite.grid)
                    packed = pack_as_foreseen(suite.sizes(case), suite.capacity, self.form, choice, asker.many)
            except Failed:  # perhaps at residuals that never occur: asking one by one decides
                packed = None
            if packed is not None:
                return packed
        return self._exactly(source, suite, case, box)

    def _session(self, source: str, suite: Suite, case: int, box: Box) -> Session:
        seconds = self.limits.seconds * max(1.0, len(suite.instances[case].items) / 5000)
        return box.open(source + DRIVER, ENTRY, self.limits._replace(seconds=seconds))

    def held_out(self, genome: Any, box: Box | None = None) -> Evaluation:
        """Excess on held-out instances, every item asked for, with the known rules on the same instances as signals.

        Signals beside "size": "first_fit", "best_fit", "reference" and, where there is a large instance (of 100,000
        items; not in the form "all", whose calls grow with it), each of them and "large" itself under `..._large`.
        """
        box = needed(box, self.name)
        suites = {"": self.held}
        if self._large is not None and self.form == "residuals":
            suites["_large"] = Suite.of([self._large])
        signals: dict[str, float] = {}
        cases: list[float] = []
        try:
            signals["size"] = program_size(genome, "priority")
            for tail, suite in suites.items():
                probe = self._probe(suite)
                table = self._table(genome, probe, box)
                choice = None if probe is None or table is None else probe.choice(table)
                excess = suite.excess([self._foreseen(genome, suite, c, box, choice) for c in range(suite.n)])
                if tail:
                    signals["large"] = float(np.mean(excess))
                cases = cases or excess
                signals |= {rule + tail: value for rule, value in known(suite, self.dataset).items()}
        except Failed as why:
            return failed(1, why.verdict, self.columns, n_cases=self.held.n, notes=[Notes(why.why)])
        columns = {k: np.array([float(v)]) for k, v in signals.items()}
        return Evaluation(np.array([np.mean(cases)]), np.zeros(1, np.int8), None, np.array([cases]), columns)
