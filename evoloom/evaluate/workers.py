"""The door to workers: which kinds there are, and the tool that judges."""

from evoloom.evaluate.judge import JudgeTool, judge_tool
from evoloom.evaluate.processes import Processes
from evoloom.evaluate.tasks import Inline, Threads

__all__ = ["Inline", "JudgeTool", "Processes", "Threads", "judge_tool"]
