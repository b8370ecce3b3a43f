"""The door to wrappers: problems around problems, under the names people use."""

from evoloom.evaluate.cached import Cached as cached
from evoloom.evaluate.cascade import Cascade as cascade
from evoloom.evaluate.repeated import Repeated as repeated
from evoloom.evaluate.wrapper import Wrapper

__all__ = ["Wrapper", "cached", "cascade", "repeated"]
