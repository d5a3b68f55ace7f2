"""Whether small studies tell another story: tests of the funnel, and the effect corrected for what may be missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from counterpulse.errors import InputError
from counterpulse.results import Block, Cell, Estimate, EstimateRow, Notice, Status
from counterpulse.study.request import Answer, estimate_id
from counterpulse.study.reviewing.answers.effects import Effects, block, cell, effect_row
from counterpulse.study.reviewing.answers.models import asked, counts_of, sizes_of
from counterpulse.synthesis.small_study.begg import begg
from counterpulse.synthesis.small_study.deeks import deeks
from counterpulse.synthesis.small_study.egger import egger
from counterpulse.synthesis.small_study.excess_significance import excess_significance
from counterpulse.synthesis.small_study.fail_safe_n import fail_safe_n
from counterpulse.synthesis.small_study.harbord import harbord
from counterpulse.synthesis.small_study.limit_meta_analysis import limit_meta_analysis
from counterpulse.synthesis.small_study.macaskill import macaskill
from counterpulse.synthesis.small_study.pet_peese import pet_peese
from counterpulse.synthesis.small_study.peters import peters
from counterpulse.synthesis.small_study.pustejovsky import pustejovsky
from counterpulse.synthesis.small_study.rucker import rucker
from counterpulse.synthesis.small_study.selection_model import selection_model
from counterpulse.synthesis.small_study.thompson_sharp import thompson_sharp
from counterpulse.synthesis.small_study.trim_and_fill import trim_and_fill

Row = dict[str, Cell]
SAME = 1e-12
"""Z values that differ by less are one."""
ENOUGH = 10
"""From so many studies a test of the funnel has some power (Sterne 2011)."""


def small_study_answer(effects: Effects) -> Answer:
    """Every test and correction that the analysis names."""
    names = effects.request.option("small_study_effects")
    if not names:
        return Answer()
    answer, rows = Answer(), list[Row]()
    for name in names:
        try:
            found = (TESTS[name] if name in TESTS else CORRECTIONS[name])(effects)
        except InputError as error:
            answer = answer.joined(Answer(notices=(_not_done(effects, name, error),)))
            continue
        rows += found.tests
        answer = answer.joined(found.answer)
    if rows:
        answer = answer.joined(Answer(blocks=(block(effects, "small-study-test", rows),)))
    return answer.joined(Answer(notices=tuple(_few(effects))))


def _few(effects: Effects) -> Iterator[Notice]:
    if effects.k < ENOUGH:
        text = (
            f"{effects.request.outcome.label}: {effects.k} {'study' if effects.k == 1 else 'studies'}. With fewer than {ENOUGH} no test can tell a small-study effect from "
            "chance; a P value above 0.05 does not mean that there is none."
        )
        yield Notice("W866", effects.request.analysis.id, text)


def _not_done(effects: Effects, name: str, error: InputError) -> Notice:
    seen, _, remedy = str(error).partition("; ")
    return Notice(
        "W867",
        effects.request.analysis.id,
        f"{effects.request.outcome.label}: {name} was not done, because {seen}; {remedy}".rstrip("; ") + ".",
    )


class Found:
    """Rows of the table of tests, and what else a method gives."""

    def __init__(self, tests: list[Row], answer: Answer | None = None) -> None:
        self.tests, self.answer = tests, answer or Answer()


def _line(name: str, found: Any) -> Found:  # noqa: ANN401  (a test of a line or of ranks)
    """A regression test, as a row of the table."""
    return Found(
        [
            {
                "test": name, "k": found.k, "what": "slope", "estimate": cell(found.slope), "std_error": cell(found.slope_std_error),
                "statistic": cell(found.statistic), "statistic_name": found.statistic_name, "df": cell(found.df), "p_value": cell(found.p_value),
                "status": _status(found.status),
            }
        ],
        Answer(citations=found.provenance.citations),
    )  # fmt: skip


def _status(status: Status) -> str | None:
    return None if status is Status.OK else status.code


def _begg(effects: Effects) -> Found:
    found = begg(effects.yi, effects.vi)
    (estimate,) = found.estimates()[:1]
    row: Row = {
        "test": "Begg and Mazumdar", "k": found.k, "what": "Kendall's tau", "estimate": cell(estimate.value), "std_error": None,
        "statistic": cell(estimate.statistic), "statistic_name": estimate.statistic_name, "df": None, "p_value": cell(estimate.p_value),
        "status": _status(estimate.status),
    }  # fmt: skip
    return Found([row], Answer(citations=found.provenance.citations))


def _counted(name: str, test: Callable[..., Any]) -> Callable[[Effects], Found]:
    return lambda effects: _line(name, test(*counts_of(effects, "this test"), level=effects.level))


def _pustejovsky(effects: Effects) -> Found:
    sizes_of(effects)
    _, n_1, _, n_2 = effects.counts()
    return _line("Pustejovsky and Rodgers", pustejovsky(effects.yi, effects.vi, n_1, n_2, level=effects.level))


def _corrected(effects: Effects, name: str, estimate: Estimate) -> EstimateRow:
    """A corrected effect, beside the pooled one."""
    row = effect_row(effects, Estimate(
        term="", measure=effects.measure, value=estimate.value, std_error=estimate.std_error, interval=estimate.interval, scale=effects.scale,
        statistic=estimate.statistic, statistic_name=estimate.statistic_name, df=estimate.df, p_value=estimate.p_value, status=estimate.status,
        notes=estimate.notes,
    ))  # fmt: skip
    return renamed(effects, row, name)


def renamed(effects: Effects, row: EstimateRow, name: str) -> EstimateRow:
    """A row of a model of its own."""
    request = effects.request.named(name)
    return replace(row, model=request.variant, id=estimate_id(request, row.estimate, None), role="covariate")


def _trim_and_fill(effects: Effects) -> Found:
    found = trim_and_fill(effects.yi, effects.vi, model=str(asked(effects)["tau2"]), level=effects.level)
    test: Row = {
        "test": "Trim and fill (L0)", "k": found.k, "what": "studies filled in", "estimate": None if found.k0 is None else float(found.k0),
        "std_error": cell(found.se_k0), "statistic": None, "statistic_name": None, "df": None, "p_value": cell(found.k0_p_value),
        "status": _status(found.status),
    }  # fmt: skip
    if found.status is not Status.OK:
        return Found([test])
    row = _corrected(effects, "trim and fill", found.pooled)
    return Found([test], Answer(rows=(row,), blocks=(_filled(effects, found),), citations=found.provenance.citations))


def _filled(effects: Effects, found: Any) -> Block:  # noqa: ANN401  (the studies given and filled in)
    names = [*effects.names, *(f"filled in {number}" for number in range(1, len(found.yi) - effects.k + 1))]
    rows: list[Row] = [
        {
            "study": name, "measure": effects.measure, "estimate": effects.natural(y), "std_error": float(np.sqrt(v)),
            "imputed": "yes" if filled else "no", "pooled": effects.natural((found.pooled if filled else found.unadjusted).value),
        }
        for name, y, v, filled in zip(names, found.yi, found.vi, found.filled, strict=True)
    ]  # fmt: skip
    return block(effects, "funnel", rows, "trim-and-fill", "funnel")


def _selection(form: str, label: str) -> Callable[[Effects], Found]:
    def done(effects: Effects) -> Found:
        if np.ptp(effects.yi / np.sqrt(effects.vi)) <= SAME:
            raise InputError("all studies have one P value, and none could have been selected for it")
        found = selection_model(effects.yi, effects.vi, form=form, level=effects.level)  # type: ignore[arg-type]
        test: Row = {
            "test": label, "k": found.k, "what": "likelihood ratio against no selection", "estimate": None, "std_error": None,
            "statistic": cell(found.likelihood_ratio), "statistic_name": "chi-squared", "df": cell(found.df), "p_value": cell(found.p_value),
            "status": _status(found.status),
        }  # fmt: skip
        rows = (_corrected(effects, label.lower(), found.adjusted),) if found.status is Status.OK else ()
        return Found([test], Answer(rows=rows, citations=found.provenance.citations))

    return done


def _limit(effects: Effects) -> Found:
    found = limit_meta_analysis(effects.yi, effects.vi, level=effects.level)
    return Found(
        [],
        Answer(
            rows=(_corrected(effects, "limit meta-analysis", found.estimates()[0]),),
            citations=found.provenance.citations,
        ),
    )


def _pet_peese(effects: Effects) -> Found:
    found = pet_peese(effects.yi, effects.vi, level=effects.level)
    return Found(
        [], Answer(rows=(_corrected(effects, "PET-PEESE", found.estimates()[0]),), citations=found.provenance.citations)
    )


def _fail_safe(effects: Effects) -> Found:
    found = fail_safe_n(effects.yi, effects.vi)
    row: Row = {
        "test": "Fail-safe N (Rosenthal)", "k": found.k, "what": "unseen studies without effect", "estimate": float(found.n), "std_error": None,
        "statistic": None, "statistic_name": None, "df": None, "p_value": cell(found.p_value), "status": None,
    }  # fmt: skip
    return Found([row], Answer(citations=found.provenance.citations))


def _excess(effects: Effects) -> Found:
    found = excess_significance(effects.yi, effects.vi)
    row: Row = {
        "test": "Excess of significant studies", "k": effects.k, "what": "significant studies less expected", "estimate": cell(found.observed - found.expected),
        "std_error": None, "statistic": None, "statistic_name": None, "df": None, "p_value": cell(found.p_value), "status": None,
    }  # fmt: skip
    return Found([row], Answer(citations=found.provenance.citations))


TESTS: Mapping[str, Callable[[Effects], Found]] = {
    "egger": lambda effects: _line("Egger", egger(effects.yi, effects.vi, level=effects.level)),
    "egger-random": lambda effects: _line("Egger, with variance between studies", egger(effects.yi, effects.vi, model="random", tau2=_estimator(effects), level=effects.level)),
    "thompson-sharp": lambda effects: _line("Thompson and Sharp", thompson_sharp(effects.yi, effects.vi, tau2=_estimator(effects), level=effects.level)),
    "begg": _begg,
    "harbord": _counted("Harbord", harbord),
    "peters": _counted("Peters", peters),
    "deeks": _counted("Deeks", deeks),
    "rucker": _counted("Rücker", rucker),
    "macaskill": lambda effects: _line("Macaskill", macaskill(effects.yi, effects.vi, sizes_of(effects), level=effects.level)),
    "pustejovsky": _pustejovsky,
}  # fmt: skip
CORRECTIONS: Mapping[str, Callable[[Effects], Found]] = {
    "trim-and-fill": _trim_and_fill,
    "selection-step": _selection("step", "Selection model (step function)"),
    "selection-beta": _selection("beta", "Selection model (beta weights)"),
    "limit": _limit,
    "pet-peese": _pet_peese,
    "fail-safe": _fail_safe,
    "excess-significance": _excess,
}


def _estimator(effects: Effects) -> str:
    return "REML" if effects.request.option("model") == "common" else str(effects.request.option("tau2"))
