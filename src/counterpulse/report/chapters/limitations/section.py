"""Limitations of the study, from its design and from its data, and the warnings of the run."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.limitations.adjustment_limitations import adjustment_limitations
from counterpulse.report.chapters.limitations.data_limitations import data_limitations
from counterpulse.report.chapters.limitations.design_limitations import Limitation, design_limitations
from counterpulse.report.chapters.wording import without_folder
from counterpulse.report.document import Block, Listing, Paragraph, Run, Section, text


def limitations(context: Context) -> list[Limitation]:
    """Those that apply, those of the design first."""
    return list(chain(design_limitations(context), adjustment_limitations(context), data_limitations(context)))


def limitations_section(context: Context, found: Iterable[Limitation] | None = None) -> Section:
    """Every limitation that applies, or those that were `found`, then the warnings of plan, data and analyses."""
    items = tuple(
        Paragraph((Run(f"{item.subject}. ", "strong"), Run(item.words, cites=context.cite(*item.works))))
        for item in (limitations(context) if found is None else found)
    )
    blocks: list[Block] = [Listing(items)] if items else []
    warnings = Section(id="warnings", title="Warnings of the run", blocks=(_warnings(context),))
    return Section(id="limitations", title="Limitations", blocks=tuple(blocks), sections=(warnings,))


def _warnings(context: Context) -> Block:
    """Each warning once, with every place it concerns."""
    places: dict[tuple[str, str], list[str]] = {}
    for notice in context.result.warnings:
        places.setdefault((notice.code, notice.text), []).append(without_folder(notice.where))
    if not places:
        return text("The run gave no warnings.")
    return Listing(
        tuple(
            Paragraph((Run(f"{words} "), Run(f"[{code}, {', '.join(dict.fromkeys(where))}]", "code")))
            for (code, words), where in places.items()
        )
    )
