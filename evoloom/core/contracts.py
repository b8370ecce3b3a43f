"""The contracts: what keep, vary and judge say to each other. Read this file first.

A run is a conversation of four parties. The *strategy* (keep + vary) proposes batches and is told what became of them;
the *problem* judges; *workers* say where making and judging happen; the *loop* (`core.loop`) passes the messages, owns
the ledger and the budget, and knows nothing else. Messages are NamedTuples, structs of arrays with leading axis n (one
row per child of a batch). Strategies are configuration; their state is everything that changes, and its ownership
passes: `state, added = strategy.tell(state, ...)`, after which the old state must not be used.

Symbols in shapes: n rows of a batch, m objectives, k measures, c cases.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np

from evoloom.core.budget import Cost
from evoloom.core.rng import Rng

Array = Any
Json = Any  # None, bool, int, float, str, list, dict: what the ledger stores as text
Scope = Json  # which part of a judgement: None = the whole; else e.g. [3, 8, 11] (cases), {"stage": 1}, {"repeat": 4}
G = TypeVar("G")
S = TypeVar("S")


class Verdict(enum.IntEnum):
    """How a judgement ended. Only OK rows have a fitness; a failure is never a score of 0."""

    OK = 0
    INVALID = 1  # not a genome of the space, or breaks the rules of the problem
    WRONG = 2  # ran, and its answer is wrong
    ERROR = 3  # raised
    TIMEOUT = 4
    MEMORY = 5
    OUTPUT = 6  # returned the wrong type or shape, or more than may be returned or printed
    NONFINITE = 7  # NaN or infinite fitness, objective or measure
    KILLED = 8  # died: exit, signal, forbidden system call
    UNMADE = 9  # the operator refused or failed; there was nothing to judge
    REPEAT = 10  # the same content was judged before, and the strategy wants no repeats


class Notes(NamedTuple):
    """What operators that read may read, and people too. Host only."""

    text: str = ""  # feedback, traceback, why it is not ok
    artifacts: Mapping[str, str] = {}


class Evaluation(NamedTuple):
    """What judging returns. `fitness` is native on the problem's side, higher-is-better behind the door (`admit`)."""

    fitness: Array  # (n,) or (n, m); nan where the verdict is not OK
    verdict: Array  # (n,) int8 of Verdict
    measures: Array | None = None  # (n, k), where the problem declares them
    cases: Array | None = None  # (n, c), higher is better too behind the door
    signals: Mapping[str, Array] = {}  # named (n,) columns: size, return, regret, ...
    cost: Array | None = None  # (n,) budget really used, in the problem's unit; None = the price
    traces: Any = None  # pytree (n, ...), only where the strategy wants them
    notes: Sequence[Notes | None] = ()  # () or one per row

    @property
    def valid(self) -> np.ndarray:
        return np.asarray(self.verdict) == Verdict.OK

    @property
    def n(self) -> int:
        """Rows. Not `len()`: a NamedTuple's length is its number of fields."""
        return len(self.verdict)


class Axis(NamedTuple):
    """One measure: its name and the range that archives cut into cells."""

    name: str
    low: float
    high: float


class Columns(NamedTuple):
    """What every judgement of a problem carries. Strategies that need more are refused before the run."""

    measures: tuple[Axis, ...] = ()
    cases: tuple[str, ...] = ()  # names of the cases of a whole judgement
    signals: tuple[str, ...] = ()
    traces: bool = False

    @property
    def offered(self) -> frozenset[str]:
        """Names for `needs`: the columns that are there, and every signal by name."""
        have = {k for k in ("measures", "cases", "traces") if getattr(self, k)}
        return frozenset(have | set(self.signals) | {"fitness", "id"})


class Draft(NamedTuple):
    """A child still to be made, as data: in the ledger before the work starts, so a killed run makes the same child."""

    operator: str  # key into strategy.operators
    about: Json = None  # small facts chosen at ask: instruction, tried edits, model name
    reads: tuple[int, ...] = ()  # ids that the operator may read besides its parents


class Proposals(NamedTuple):
    """One batch: the unit of making, judging and telling. All rows share scope and given."""

    genomes: Sequence[Any]  # n of: a made genome | a Draft | None where `known` names a candidate
    parents: Sequence[tuple[int, ...]] = ()  # () or n tuples of ids; () for a start
    aux: Mapping[str, Array] = {}  # every leaf (n, ...): island, emitter, pair, subproblem; comes back in tell
    known: Sequence[int | None] | None = None  # judge this candidate (again) instead of a new one
    scope: Scope = None
    given: Any = None  # what else the judgement depends on (a student, an opponent)
    operators: Sequence[str] = ()  # () or n names of what made each row, for reports; drafts name their own

    @property
    def n(self) -> int:
        return len(self.genomes)


class Room(NamedTuple):
    """What may be asked now. The loop raises when a strategy exceeds it; it never cuts a batch."""

    now: int  # rows that may start (window, chunk)
    left: Cost  # budget that nothing in flight has reserved
    price: Callable[[Scope], float] = lambda scope: 1.0
    prices: Mapping[str, Cost] = {}  # most that one call of an operator may cost, where it is not free

    def rows(self, scope: Scope = None) -> int:
        """Rows that may be asked under this scope."""
        p = self.price(scope)
        return int(min(self.now, (self.left.evaluations + 1e-9) // p)) if p > 0 else self.now

    def affords(self, n: int, scope: Scope = None, operator: str | None = None) -> bool:
        """Whether the budget covers n judgements (and makings by `operator`), regardless of `now`."""
        need = self.prices.get(operator or "", Cost()).times(n) + Cost(evaluations=n * self.price(scope))
        return all(a <= b + 1e-9 for a, b in zip(need, self.left))


class Told(NamedTuple):
    """One whole batch, judged. Rows may be invalid, all rows may be."""

    proposals: Proposals
    ids: Array  # (n,) int
    evaluation: Evaluation  # every declared column is there, nan where a row is not OK
    make_cost: Sequence[Cost] = ()
    why: Sequence[str | None] = ()  # why a row was not made


class Status(enum.IntEnum):
    REFUSED = -1  # not valid: never entered
    REJECTED = 0  # valid, not good enough
    IMPROVED = 1
    NEW = 2


class Added(NamedTuple):
    """The archive's answer per child, judged against the archive before the batch."""

    status: Array  # (n,) int8 of Status
    gain: Array  # (n,) how much better than what was to beat; the fitness itself where nothing was; 0 where not kept
    slot: Array  # (n,) where it is stored now, -1 = not

    @classmethod
    def none(cls, n: int) -> Added:
        return cls(np.full(n, Status.REFUSED, np.int8), np.zeros(n), np.full(n, -1))


class Judgement(NamedTuple):
    """One row of an Evaluation, as a record keeps it (higher is better)."""

    scope: Scope
    fitness: float | tuple[float, ...] | None  # None where not OK
    verdict: Verdict
    measures: tuple[float, ...] | None = None
    cases: tuple[float, ...] | None = None
    signals: Mapping[str, float] = {}
    notes: Notes | None = None


class Record(NamedTuple):
    """A candidate as an operator may see it: immutable, as of its ask."""

    id: int
    genome: Any
    parents: tuple[int, ...] = ()
    operator: str | None = None
    judgements: tuple[Judgement, ...] = ()

    def of(self, scope: Scope = None) -> Judgement | None:
        """The latest judgement under a scope."""
        return next((j for j in reversed(self.judgements) if j.scope == scope), None)

    @property
    def fitness(self) -> Any:
        j = self.of()
        return None if j is None else j.fitness


class View(Protocol):
    """Asked and told facts only, as of this call; never a result that came early. Operators get Records instead."""

    def record(self, id: int) -> Record: ...
    def children(self, id: int) -> Sequence[int]: ...


class Made(NamedTuple):
    """What an operator may return instead of a bare genome."""

    genome: Any
    cost: Cost = Cost()
    operator: str | None = None  # which of several made it, where one name stands for many
    used: int | None = None  # how many of the parents it really used, counted from the first; None = all


class NotMade(Exception):
    """An operator refused or failed; what it cost is charged all the same."""

    def __init__(self, why: str, cost: Cost = Cost()):
        super().__init__(why)
        self.why, self.cost = why, cost


class Operator(Protocol):
    """Makes one child. `sources` are the parents' records, then those of `draft.reads`. May raise NotMade."""

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft) -> Any: ...


class Space(Protocol[G]):
    """What a genome is."""

    def sample(self, rng: Rng, n: int) -> Sequence[G]: ...
    def check(self, genome: Any) -> str | None: ...  # reason why it is not one, else None
    def encode(self, genome: G) -> Json: ...
    def decode(self, data: Json) -> G: ...  # decode(encode(g)) equals g
    def key(self, genome: G) -> bytes | None: ...  # equal key = equal content; None: never equal. Not hash(): salted
    def distance(self, a: G, b: G) -> float: ...


class Failed(Exception):
    """A candidate failed; `verdict` says how, `why` is for people."""

    def __init__(self, verdict: Verdict, why: str = ""):
        super().__init__(f"{verdict.name.lower()}: {why}")
        self.verdict, self.why = verdict, why


class Limits(NamedTuple):
    """What one candidate may use."""

    seconds: float = 10.0  # wall time of all calls of one session together
    memory_mb: int = 1024
    output_bytes: int = 1 << 26  # of one returned value
    print_bytes: int = 1 << 16  # of stdout and stderr kept; much more ends the candidate
    files_mb: int = 16


class Session(Protocol):
    """A candidate's own process, alive between calls. A context manager; leaving it ends the process."""

    def call(self, *args: Any) -> Any: ...  # plain data in and out; raises Failed
    @property
    def printed(self) -> str: ...
    def __enter__(self) -> Session: ...
    def __exit__(self, *exc: Any) -> None: ...


class Box(Protocol):
    """Where untrusted code runs. See `evoloom.evaluate.sandbox`."""

    level: str

    def open(self, source: str, entry: str, limits: Limits = Limits()) -> Session: ...
    def close(self) -> None: ...


class Job(NamedTuple):
    """What a problem is asked to judge: a pure function of (genomes, scope, given, rngs)."""

    genomes: Sequence[Any]
    scope: Scope = None
    given: Any = None
    rngs: Sequence[Rng] = ()  # one per genome: the same for the same candidate and batch, whatever worker judges it
    box: Box | None = None  # where the problem runs code that it does not trust


class Problem:
    """What is to be improved. Subclass it, set the attributes, write `evaluate`; the rest has defaults."""

    name: str = "problem"
    space: Any = None
    minimize: bool | tuple[bool, ...] = False  # a tuple, one per objective, where there are several
    n_objectives: int = 1
    columns: Columns = Columns()
    unit: str = ""  # of the native fitness, for people: "% excess"
    untrusted: bool = False  # judging runs candidate code: workers get a Box
    modules: tuple[str, ...] = ()  # what a candidate's process has imported already
    limits: Limits = Limits()
    target: float | None = None  # native fitness at which a run may stop: a proven optimum
    default_system: str = "hill-climb"  # what runs when a user names no system,
    default_settings: Mapping[str, Any] = {}  # and its options then
    reduce_tests: int = 200  # judgements spent on taking out of a winning program what it does not need

    def start(self, rng: Rng) -> Sequence[Any]:
        """Genomes that a run begins with; () = strategies sample the space."""
        return ()

    def price(self, scope: Scope) -> float:
        """Most that one judgement under a scope may cost, in evaluations."""
        return 1.0

    def evaluate(self, job: Job) -> Evaluation:
        """Judge every genome, native fitness. Never raises because of a candidate."""
        raise NotImplementedError(f"{type(self).__name__} must define evaluate(job)")

    def key(self, genome: Any) -> bytes | None:
        """Equal key and equal scope = the same judgement."""
        return self.space.key(genome)

    def held_out(self, genome: Any, box: Box | None = None) -> Evaluation | None:
        """One row on data that the search never saw; opened once, at the end. None: the problem has none."""
        return None

    def show(self, genome: Any) -> str:
        """The genome in readable lines."""
        return genome if isinstance(genome, str) else str(self.space.encode(genome))

    def settings(self) -> Json:
        """What identifies this problem beside its name: option values, data hashes. Compared when a run is resumed."""
        return {}


@runtime_checkable
class Archive(Protocol):
    """Numbers, not genomes. One slot = one row of ids, fitness and whatever else the rule needs.

    A `@value`; subclasses are final. `needs` names the columns of an evaluation that the rule reads.
    """

    needs: frozenset[str]
    ids: Array  # (slots,) int64, -1 = empty

    @property
    def filled(self) -> Array: ...  # (slots,) bool
    def insert(
        self, ids: Array, evaluation: Evaluation, column: Any, aux: Mapping[str, Array]
    ) -> tuple[Any, Added]: ...
    def column(self, name: str) -> Array: ...  # (slots, ...); unknown name: error listing those present
    def stats(self) -> dict[str, Any]: ...  # 0-d numbers under fixed keys


class Select(Protocol):
    """Parent choice. `needs` names the archive columns it reads."""

    @property
    def needs(self) -> frozenset[str]: ...
    def __call__(self, archive: Any, rng: Rng, n: int, arity: int = 1) -> Array: ...  # (n, arity) slots


class Vary(Protocol):
    """A change operator. It is an Operator; `draft` = True: made outside by workers, else inside the ask."""

    name: str
    arity: int
    draft: bool

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft) -> Any: ...


class Proposer(Protocol[S]):
    """Vary with a memory; owns no archive, so several can share one. Options in the object, changes in the state."""

    operators: Mapping[str, Operator]
    needs: frozenset[str]
    wants: frozenset[str]

    def init(self, problem: Problem, archive: Any, rng: Rng) -> S: ...
    def ask(self, state: S, archive: Any, rng: Rng, room: Room, view: View) -> tuple[Proposals | None, S]: ...
    def tell(self, state: S, archive: Any, rng: Rng, told: Told, added: Added, view: View) -> S: ...


class Strategy(Protocol[S]):
    """What the loop knows.

    ask: at most `room.rows(scope)` rows. None = nothing now; the state must then be unchanged (empty asks are not
    recorded). None with nothing in flight ends the run. tell: one whole batch; batches may come in another order than
    asked. adopt: candidates it never asked for (migrants, founders), whole judgements only. best: ids of the answer,
    best first, and the scope their fitness is quoted under.
    """

    operators: Mapping[str, Operator]
    needs: frozenset[str]
    wants: frozenset[str]
    repeats: str  # "refuse": content judged before gets the verdict REPEAT; "reuse": gets its judgement again, for free

    def init(self, problem: Problem, rng: Rng) -> S: ...
    def ask(self, state: S, rng: Rng, room: Room, view: View) -> tuple[Proposals | None, S]: ...
    def tell(self, state: S, rng: Rng, told: Told, view: View) -> tuple[S, Added]: ...
    def adopt(self, state: S, told: Told, view: View) -> S: ...
    def best(self, state: S) -> tuple[Sequence[int], Scope]: ...
    def stats(self, state: S) -> Mapping[str, Any]: ...


class Outcome(NamedTuple):
    """What workers post: a value, or a failure as a value."""

    tag: Any
    value: Any = None
    error: str | None = None  # infrastructure failure: the tool itself raised or its process died
    refused: NotMade | None = None  # the operator said no


class Workers(Protocol):
    """Where making and judging happen: inline, threads, processes. Results are posted to the loop's queue.

    `start(tools, post)`: tools are named callables, taken over by fork or reference, never pickled; `submit(tag, tool,
    *args)` runs one; `post(Outcome)` may be called from any thread.
    """

    n: int

    def start(self, tools: Mapping[str, Callable[..., Any]], post: Callable[[Outcome], None]) -> None: ...
    def submit(self, tag: Any, tool: str, *args: Any) -> None: ...
    def close(self, now: bool = False) -> None: ...


def rows_of(evaluation: Evaluation, rows: Any) -> Evaluation:
    """The evaluation of some rows: an index array, a mask or a slice."""

    def cut(x: Any) -> Any:
        return None if x is None else np.asarray(x)[rows]

    notes = evaluation.notes
    index = np.arange(evaluation.n)[rows]
    return Evaluation(
        cut(evaluation.fitness), cut(evaluation.verdict), cut(evaluation.measures), cut(evaluation.cases),
        {k: cut(v) for k, v in evaluation.signals.items()}, cut(evaluation.cost), None,
        [notes[i] for i in index] if notes else (),
    )  # fmt: skip


def failed(n: int, verdict: Verdict, columns: Columns, n_objectives: int = 1, n_cases: int | None = None,
           notes: Sequence[Notes | None] = ()) -> Evaluation:  # fmt: skip
    """n rows that are not OK, with every declared column present (so that batches can be joined)."""
    c = len(columns.cases) if n_cases is None else n_cases
    return Evaluation(
        fitness=np.full(n if n_objectives == 1 else (n, n_objectives), np.nan),
        verdict=np.full(n, verdict, np.int8),
        measures=np.full((n, len(columns.measures)), np.nan) if columns.measures else None,
        cases=np.full((n, c), np.nan) if columns.cases else None,
        signals={k: np.full(n, np.nan) for k in columns.signals},
        notes=notes,
    )


def stack(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Join evaluations along the rows."""
    if len(evaluations) == 1:
        return evaluations[0]

    def join(xs: Sequence[Any]) -> Any:
        return None if any(x is None for x in xs) else np.concatenate([np.asarray(x) for x in xs])

    first = evaluations[0]
    notes: list[Notes | None] = []
    if any(e.notes for e in evaluations):
        for e in evaluations:
            notes += list(e.notes) or [None] * e.n
    return Evaluation(
        join([e.fitness for e in evaluations]), join([e.verdict for e in evaluations]),
        join([e.measures for e in evaluations]), join([e.cases for e in evaluations]),
        {k: join([e.signals[k] for e in evaluations]) for k in first.signals},
        join([e.cost for e in evaluations]), None, notes,
    )  # fmt: skip
