"""Contract suites for authors of parts: one call per kind, run on ours and on a plug-in's alike.

A check is a plain function that raises `ContractError` with the part, the rule and what was seen, so it works under any
test runner: `check_archive(my_factory)`.
"""
