"""Exit codes: what a script may rely on."""

DONE = 0
USAGE = 2
NOTHING_VALID = 3
BROKEN = 4
CLAIM_FAILS = 5
INTERRUPTED = 130
