"""Hours of lateness, summed over the jobs, averaged over instances. One-sided: runs in the sandbox with the rule."""

import random


def jobs(seed: int) -> list[tuple[float, float]]:
    """(length, due) of 30 jobs; due dates from tight to loose."""
    draw = random.Random(seed)
    lengths = [draw.uniform(1, 10) for _ in range(30)]
    tight = draw.choice([0.3, 0.5, 0.7])
    return [(length, draw.uniform(0.1, 2 * (1 - tight)) * sum(lengths)) for length in lengths]


def lateness(program, seed: int) -> float:
    waiting, now, late = jobs(seed), 0.0, 0.0
    while waiting:
        job = min(waiting, key=lambda job: program.urgency(*job, now))
        waiting.remove(job)
        now += job[0]
        late += max(0.0, now - job[1])
    return late


def evaluate(program) -> float:
    return sum(lateness(program, seed) for seed in range(24)) / 24


def held_out(program) -> float:
    return sum(lateness(program, seed) for seed in range(1000, 1200)) / 200
