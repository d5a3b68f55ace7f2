"""Arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProtocolPath = Annotated[Path, typer.Argument(metavar="PROTOCOL", help="The protocol file (YAML).", show_default=False)]
BundlePath = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="The directory that `run` wrote.", show_default=False)
]
DataPath = Annotated[
    Path | None,
    typer.Option("--data", metavar="PATH", help="The data file, instead of the protocol's.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
OfProtocol = Annotated[
    Path | None,
    typer.Option(
        "--protocol", metavar="PATH", show_default=False,
        help="The protocol, if it is not beside the bundle, beside the data or in this folder.",
    ),
]  # fmt: skip
