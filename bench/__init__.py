"""Benchmarks, beside their peers where there are any. `make bench` runs all; `python -m bench NAME` runs one.

Each module has `main() -> str`: a Markdown table with date and versions, stored in bench/results/NAME.md.
"""
