"""The command line: one verb a file, grouped as a study goes; errors become sentences and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from counterpulse import errors
from counterpulse.cli import (
    check,
    diff,
    example,
    explain,
    export,
    init,
    mock,
    plan,
    rehearse,
    report,
    run,
    schema,
    verify,
)
from counterpulse.cli.console import complain

INTERRUPTED = 130
USAGE_MISTAKE = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""An unknown option or a missing argument, as the parser under typer calls it."""

START, STUDY = "Start", "Study"

app = typer.Typer(
    name="counterpulse",
    help="A written study protocol and a table of patients become the finished study.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None if os.environ.get("NO_COLOR") else "rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init", rich_help_panel=START)(init.init)
app.command("example", rich_help_panel=START)(example.example)
app.command("mock", rich_help_panel=START)(mock.mock)
app.command("schema", rich_help_panel=START)(schema.schema)
app.command("check", rich_help_panel=STUDY)(check.check)
app.command("plan", rich_help_panel=STUDY)(plan.plan)
app.command("rehearse", rich_help_panel=STUDY)(rehearse.rehearse)
app.command("run", rich_help_panel=STUDY)(run.run)
app.command("report", rich_help_panel=STUDY)(report.report)
app.command("explain", rich_help_panel=STUDY)(explain.explain)
app.command("verify", rich_help_panel=STUDY)(verify.verify)
app.command("diff", rich_help_panel=STUDY)(diff.diff)
app.command("export", rich_help_panel=STUDY)(export.export)


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Print the version and stop.", is_eager=True)) -> None:
    """A written study protocol and a table of patients become the finished study."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"counterpulse {installed('counterpulse')}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    sys.exit(invoke(sys.argv[1:] if arguments is None else list(arguments)))


def invoke(arguments: Sequence[str]) -> int:
    """Run the command; the exit code. No error leaves a traceback, and none shows a patient's value."""
    code = _invoke(arguments)
    if code == INTERRUPTED:
        complain("Stopped. Nothing was changed; a report that was there is still whole.")
    return code


def _invoke(arguments: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        code = app(args=list(arguments), prog_name="counterpulse", standalone_mode=False)
        return code if isinstance(code, int) else errors.DONE
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else errors.DONE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED  # also what the parser under typer makes of Ctrl-C
    except errors.CounterpulseError as error:
        complain(str(error))
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return errors.DONE
    except Exception as error:
        if isinstance(error, USAGE_MISTAKE):
            error.show()  # type: ignore[attr-defined]
            return errors.USAGE
        # a bug: say so, without the values that a traceback would show
        complain(
            f"Internal error ({type(error).__name__} in {_where(error)}). This is a bug in Counterpulse; please report it."
        )
        if os.environ.get("COUNTERPULSE_DEBUG"):
            raise
        return errors.INTERNAL


def _where(error: BaseException) -> str:
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return "unknown" if frame is None else f"{os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}"
