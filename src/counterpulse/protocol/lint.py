"""Everything about a protocol that can be known with its dictionary and without data."""

from __future__ import annotations

from counterpulse.data.dictionary import Dictionary
from counterpulse.protocol.desk import Desk
from counterpulse.protocol.lint_analyses import lint_analyses
from counterpulse.protocol.lint_design import lint_design
from counterpulse.protocol.lint_names import lint_names
from counterpulse.protocol.lint_rehearsal import lint_rehearsal
from counterpulse.protocol.lint_review import lint_review
from counterpulse.protocol.lint_rules import lint_rules
from counterpulse.protocol.place import in_order
from counterpulse.protocol.read import Protocol
from counterpulse.protocol.scope import study_scope
from counterpulse.source import Finding


def lint(protocol: Protocol, dictionary: Dictionary) -> tuple[Finding, ...]:
    """Check a protocol against its dictionary.

    Parameters
    ----------
    protocol : what `read_protocol` returned
    dictionary : of the patients (of the effects, in a review)

    Returns
    -------
    tuple of Finding
        Errors and warnings, in the order of the file.
    """
    desk = Desk(protocol, dictionary, study_scope(protocol.nodes, dictionary))
    for check in (lint_rules, lint_names, lint_design, lint_review, lint_analyses, lint_rehearsal):
        check(desk)
    return in_order(desk.findings)
