"""Judge: where a candidate's worth is computed, and what surrounds the computing.

Three parts that know nothing of each other:

- a *box* runs source code that nobody checked and returns plain data (`sandbox`, `session`, `launch`, `wire`; behind
  the wall are `zygote`, `candidate`, `kernel`, `landlock`, `seccomp`, `surroundings`, of the standard library alone);
- *workers* run trusted tools, here or in threads or processes, and post what came out as values (`workers`);
- *wrappers* are problems around problems: cheap stages first, answers remembered, noisy judgements repeated.

They compose by nesting: workers call a tool, the tool hands a job with a box to a problem, the problem may be wrapped.
The loop sees only `contracts.Workers` and `contracts.Problem`.
"""
