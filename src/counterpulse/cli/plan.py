"""``counterpulse plan``."""

from __future__ import annotations

from counterpulse import study
from counterpulse.cli.console import complain, say, say_json
from counterpulse.cli.options import AsJson, ProtocolPath


def plan(protocol: ProtocolPath, as_json: AsJson = False) -> None:
    """Every choice, resolved or stated as its rule, before any data are read.

    Example: counterpulse plan study.protocol.yaml
    """
    planned, warnings = study.read_plan(protocol)
    for warning in warnings:
        complain(f"{warning.text()}\n")
    if as_json:
        say_json(study.plan_json(planned))
    else:
        say(study.plan_as_text(planned))
