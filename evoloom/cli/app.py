"""The commands, in the order in which a newcomer meets them, and what happens to their errors."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from evoloom.cli import compare, doctor, export, init, judge, listing, resume, run, show, verify
from evoloom.cli.exits import INTERRUPTED, USAGE
from evoloom.core.errors import EvoloomError

app = typer.Typer(
    name="evoloom",
    help="Evolve anything you can measure.",
    epilog="Exit codes: 0 done, 2 usage, 3 nothing valid, 4 evaluator broken, 5 claim does not hold, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Errors on purpose print as one message and exit with 2; unexpected ones keep their traceback."""

    @functools.wraps(command)
    def guard(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except EvoloomError as e:
            print(f"evoloom: {e}", file=sys.stderr)
            raise typer.Exit(USAGE) from None
        except KeyboardInterrupt:
            print("evoloom: stopped", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # the reader of a pipe went away: `evoloom show RUN | head`
            sys.stderr.close()
            raise typer.Exit(0) from None

    return guard


for name, command in {
    "run": run.run,
    "judge": judge.judge,
    "resume": resume.resume,
    "show": show.show,
    "export": export.export,
    "compare": compare.compare,
    "verify": verify.verify,
    "systems": listing.systems,
    "problems": listing.problems,
    "init": init.init,
    "doctor": doctor.doctor,
}.items():
    app.command(name)(guarded(command))


def version(wanted: bool) -> None:
    if wanted:
        from evoloom import __version__

        print(f"evoloom {__version__}")
        raise typer.Exit()


@app.callback()
def top(
    _: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Evolve anything you can measure."""
