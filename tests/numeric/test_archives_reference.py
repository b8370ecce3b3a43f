"""Archives against references that keep candidates in Python lists and dicts, one row at a time."""

import math

import numpy as np
import pytest
from scipy.spatial import KDTree

from evoloom import archives
from evoloom.archives.cases import wins_after_pruning
from evoloom.archives.cvt import kmeans
from evoloom.archives.pareto import crowding
from evoloom.core.contracts import Status, Verdict
from evoloom.testing.archives import Offering, rows, stream

ONE = Offering()


def admissible(e, i, *names):
    values = [e.fitness[i], *(getattr(e, n)[i] for n in names)]
    return e.verdict[i] == Verdict.OK and all(np.isfinite(v).all() for v in values)


def tessellated(cell_of, a, seed, batches=4):
    """Insert a stream in batches; compare members with a dict cell -> (fitness, id), answers with their definition."""
    best = {}
    for ids, e in stream(ONE, seed, batches):
        before = dict(best)
        for i, id_ in enumerate(ids.tolist()):
            if admissible(e, i, "measures"):
                c = cell_of(e.measures[i])
                if c not in best or e.fitness[i] > best[c][0]:
                    best[c] = (e.fitness[i], id_)
        a, added = a.insert(ids, e)
        for i, id_ in enumerate(ids.tolist()):
            if not admissible(e, i, "measures"):
                want = (Status.REFUSED, 0.0, -1)
            else:
                c, f = cell_of(e.measures[i]), e.fitness[i]
                slot = c if best[c][1] == id_ else -1
                if c not in before:
                    want = (Status.NEW, f, slot)
                elif f > before[c][0]:
                    want = (Status.IMPROVED, f - before[c][0], slot)
                else:
                    want = (Status.REJECTED, 0.0, -1)
            assert (added.status[i], added.gain[i], added.slot[i]) == want
    assert {c: (a.fitness[c], a.ids[c]) for c in np.flatnonzero(a.filled)} == best
    assert a.stats()["qd_score"] == pytest.approx(sum(f for f, _ in best.values()))
    assert a.stats()["coverage"] == len(best) / len(a.ids)


def test_grid_equals_a_dict_on_2000_streams():
    edges = [np.linspace(-1, 1, 4 + 1), np.linspace(-1, 1, 5 + 1)]

    def cell(m):
        return sum(w * min(max(sum(x >= e for e in ed[1:-1]), 0), len(ed) - 2) for x, ed, w in zip(m, edges, (5, 1)))

    for seed in range(2000):
        tessellated(cell, archives.grid((4, 5))(ONE), seed, batches=2)


def test_cvt_equals_a_dict_on_2000_streams():
    points = kmeans(12, 2, 240, 0, 20).points

    def cell(m):
        x = (np.clip(m, -1, 1) + 1) / 2
        return int(((points - x) ** 2).sum(axis=1).argmin())

    for seed in range(2000):
        tessellated(cell, archives.cvt(12)(ONE), seed, batches=2)


def test_kmeans_centroids_are_means_of_their_cells_and_seeded():
    a = kmeans(20, 3, 2000, 1, 200).points
    x = a[kmeans(20, 3, 2000, 1, 200).nearest(a)]
    assert np.array_equal(x, a)
    assert not np.array_equal(a, kmeans(20, 3, 2000, 2, 200).points)
    # Lloyd's fixed point: one more round moves nothing
    assert np.allclose(a, kmeans(20, 3, 2000, 1, 201).points, atol=1e-3)
    assert ((a > 0) & (a < 1)).all()


@pytest.mark.parametrize(("size", "oldest"), [(1, False), (5, False), (5, True)])
def test_population_equals_a_list(size, oldest):
    for seed in range(300):
        a, kept = (archives.aging(size) if oldest else archives.population(size))(ONE), []
        for ids, e in stream(ONE, seed, 4):
            for i, id_ in enumerate(ids.tolist()):
                if not admissible(e, i):
                    continue
                kept.append((e.fitness[i], -id_))
                if len(kept) > size:
                    kept.remove(min(kept, key=lambda c: -c[1]) if oldest else min(kept))
            a, _ = a.insert(ids, e)
        assert {-c[1] for c in kept} == set(a.ids[a.filled].tolist())
        if not oldest and kept:
            assert a.top(3).tolist() == [-c[1] for c in sorted(kept, reverse=True)[:3]]


@pytest.mark.parametrize("m", [2, 3, 5])
def test_pareto_equals_brute_force(m):
    problem = Offering(n_objectives=m)
    for seed in range(300):
        a, seen = archives.pareto()(problem), {}
        for ids, e in stream(problem, seed, 4, largest=12):
            inside = a.fitness[a.filled].copy()
            a, added = a.insert(ids, e)
            for i, id_ in enumerate(ids.tolist()):
                if admissible(e, i):
                    seen[id_] = f = e.fitness[i]
                    covered = any((g >= f).all() for g in inside)
                    beats = any((f >= g).all() and (f > g).any() for g in inside)
                    want = Status.REJECTED if covered else Status.IMPROVED if beats else Status.NEW
                    assert added.status[i] == want
                    if len(inside) and not covered:
                        assert added.gain[i] == min(max(f - g) for g in inside) > 0
        front = {
            i for i, f in seen.items()
            if not any((g >= f).all() and ((g > f).any() or j < i) for j, g in seen.items() if j != i)
        }  # fmt: skip
        assert set(a.ids[a.filled].tolist()) == front


def test_crowding_distance_of_a_known_front():
    f = np.array([[0.0, 4.0], [1.0, 3.0], [3.0, 1.0], [4.0, 0.0]])
    assert crowding(f).tolist() == [math.inf, 0.75 + 0.75, 0.75 + 0.75, math.inf]
    assert crowding(np.array([[0.0, 9.0], [1.0, 8.0], [9.0, 0.0]]))[1] == 2.0


def test_pareto_capacity_drops_the_most_crowded():
    f = np.array([[0.0, 1.0], [0.5, 0.5], [0.52, 0.48], [1.0, 0.0]])
    e = rows(Offering(n_objectives=2), np.random.default_rng(0), 4, bad=0.0)._replace(fitness=f)
    a, added = archives.pareto(3)(Offering(n_objectives=2)).insert(np.arange(4), e)
    # distances: row 1 has 0.52 + 0.52, row 2 has 0.5 + 0.5
    assert set(a.ids.tolist()) == {0, 1, 3}
    assert added.slot[2] == -1
    assert added.status[2] == Status.NEW


def test_cases_equal_brute_force_and_wins_equal_the_published_loop():
    for seed in range(300):
        a, seen = archives.cases()(ONE), {}
        for ids, e in stream(ONE, seed, 4):
            a, _ = a.insert(ids, e)
            seen |= {id_: e.cases[i] for i, id_ in enumerate(ids.tolist()) if admissible(e, i, "cases")}
        top = np.max(list(seen.values()), axis=0) if seen else np.zeros(4)
        fronts = [{i for i, c in seen.items() if c[j] == top[j]} for j in range(4)]
        members = np.flatnonzero(a.filled)
        assert set(a.ids[members].tolist()) == set().union(*fronts)
        order = members[np.lexsort((a.column("entered")[members], a.fitness[members]))]
        gone, found = set(), True
        while found:  # drop one that is covered by the rest, least fit first, and start again
            found = False
            for y in a.ids[order].tolist():
                if y not in gone and all(front - gone - {y} for front in fronts if y in front):
                    gone.add(y)
                    found = True
                    break
        want = [0 if y in gone else sum(y in front for front in fronts) for y in a.ids[members].tolist()]
        assert a.column("wins")[members].tolist() == want


def test_wins_by_hand():
    holds = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 1]], bool)
    # the least fit goes first, since others hold both of its cases; then nobody else does, so the second is needed
    assert wins_after_pruning(holds, np.array([1.0, 2.0, 3.0]), np.arange(3)).tolist() == [0, 1, 2]
    # were the second the least fit, it would go, and the first would be needed
    assert wins_after_pruning(holds, np.array([2.0, 1.0, 3.0]), np.arange(3)).tolist() == [2, 0, 2]


def test_clusters_equal_a_dict():
    for seed in range(300):
        a, groups = archives.clusters()(ONE), {}
        for ids, e in stream(ONE, seed, 4):
            a, _ = a.insert(ids, e)
            for i, id_ in enumerate(ids.tolist()):
                if admissible(e, i, "cases"):
                    groups.setdefault(tuple(e.cases[i] + 0.0), []).append((id_, e.signals["size"][i], e.fitness[i]))
        got = {}
        for s in np.flatnonzero(a.filled):
            got.setdefault(int(a.column("cluster")[s]), set()).add(int(a.ids[s]))
        assert {frozenset(g) for g in got.values()} == {frozenset(x[0] for x in g) for g in groups.values()}
        founder = {g[0][0]: g for g in groups.values()}
        for h in a.heads:
            g = founder[int(a.ids[h])]
            assert a.column("cluster_score")[h] == g[0][2]
            assert (a.column("shortest")[h], a.column("longest")[h]) == (min(x[1] for x in g), max(x[1] for x in g))
        assert a.stats()["clusters"] == len(groups)


@pytest.mark.parametrize(("compete", "k", "threshold"), [(True, 1, 0.2), (True, 3, 0.15), (False, 3, 0.2)])
def test_unstructured_equals_a_list(compete, k, threshold):
    make = archives.unstructured if compete else archives.novelty
    for seed in range(150):
        a, kept = make(threshold, k)(ONE), []
        rng, first = np.random.default_rng(seed), 0
        for _ in range(4):
            n = int(rng.integers(0, 9))
            e = rows(ONE, rng, n, step=1e-9)  # no ties of distance
            a, _ = a.insert(np.arange(first, first + n), e)
            for i in range(n):
                if admissible(e, i, "measures"):
                    place(kept, first + i, e.fitness[i], e.measures[i] / 2.0, threshold, k, compete)
            first += n
        assert {c[0] for c in kept} == set(a.ids[a.filled].tolist())
        if len(kept) > 1:
            at = np.flatnonzero(a.filled)
            x = a.column("measures")[at] / 2.0  # the range of a measure is 2
            near = KDTree(x).query(x, k=min(k, len(x) - 1) + 1)[0][:, 1:]
            np.testing.assert_allclose(a.column("novelty")[at], near.mean(axis=1), rtol=1e-9)


def place(kept, id_, f, x, threshold, k, compete):
    d = sorted((np.linalg.norm(x - c[2]), j) for j, c in enumerate(kept))
    if not d or np.mean([q for q, _ in d[:k]]) >= threshold:
        kept.append((id_, f, x))
    elif compete and f > kept[d[0][1]][1]:
        kept[d[0][1]] = (id_, f, x)
