"""``counterpulse schema``."""

from __future__ import annotations

from typing import Annotated

import typer

from counterpulse import study
from counterpulse.cli.console import say_json


def schema(results: Annotated[bool, typer.Option("--results", help="Of results.json instead.")] = False) -> None:
    """Print the JSON Schema of the protocol file, for editors.

    Example: counterpulse schema > protocol.schema.json
    """
    say_json(study.results_schema() if results else study.protocol_schema())
