"""Reports: from stored runs and samples to numbers, tables, curves and pages.

Three layers, each a pure function of the one before. *Numbers*: `statistics` compares samples of seeds, `curves` puts
best-so-far steps on a common axis. *Rows*: `comparison` turns trials into one row per system, `story` reads one run
out of its ledger. *Pages*: `tables` (text and Markdown), `pictures` (matplotlib, an extra), `html` (one file, no
extra), `readme` (the generated part of the README). Nothing here runs a search.
"""
