"""A dispatch rule for one machine: whenever it is free, the waiting job with the smallest urgency runs next."""


def urgency(length: float, due: float, now: float) -> float:
    """length: hours of work; due: when it should be finished; now: the clock."""
    return due
