"""What moves a pooled effect: each study left out, studies added one by one, influence, all subsets, permutation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from counterpulse.results import Block, Cell, Notice
from counterpulse.study.request import Answer
from counterpulse.study.reviewing.answers.effects import SINGLE_ARM, Effects, beside, block, cell
from counterpulse.study.reviewing.answers.models import asked
from counterpulse.study.reviewing.order import order_of, without_order
from counterpulse.synthesis.exploration.baujat import baujat
from counterpulse.synthesis.exploration.cumulative import cumulative
from counterpulse.synthesis.exploration.gosh import gosh
from counterpulse.synthesis.exploration.influence import influence
from counterpulse.synthesis.exploration.leave_one_out import leave_one_out
from counterpulse.synthesis.pooling.permutation_test import permutation_test

if TYPE_CHECKING:
    from counterpulse.synthesis.exploration.refits import Refits

INVERSE_VARIANCE = ("random", "common")
FEWEST = 3
FOR_EACH_STUDY = ("leave_one_out", "influence", "gosh")


def exploration(effects: Effects) -> Answer:
    """Everything the analysis asks of its studies one by one."""
    option = effects.request.option
    wanted = [name for name in FOR_EACH_STUDY if option(name)]
    wanted += ["cumulative"] if option("cumulative") else []
    wanted += ["permutation"] if option("permutation") == "yes" and effects.measure not in SINGLE_ARM else []
    if not wanted:
        return Answer()
    if option("model") not in INVERSE_VARIANCE:
        text = f"{', '.join(wanted)}: done for inverse-variance models only, and not for model: {option('model')}."
        return Answer(notices=(Notice("W865", effects.request.analysis.id, text),))
    if effects.k < FEWEST:
        text = f"{effects.request.outcome.label}: {effects.k} {'study is' if effects.k == 1 else 'studies are'} too few for {', '.join(wanted)}."
        return Answer(notices=(Notice("W865", effects.request.analysis.id, text),))
    told = tuple(without_order(effects, "cumulative")) if "cumulative" in wanted else ()
    answer = Answer(blocks=tuple(_blocks(effects, wanted)), notices=told)
    return answer.joined(_permuted(effects)) if "permutation" in wanted else answer


def _blocks(effects: Effects, wanted: Sequence[str]) -> Iterator[Block]:
    estimator = asked(effects)["tau2"]
    if "leave_one_out" in wanted:
        found = leave_one_out(effects.yi, effects.vi, level=effects.level, labels=effects.names, **asked(effects))
        yield block(effects, "leave-one-out", _refits(effects, found.labels, found.without))
    if "cumulative" in wanted:
        order = order_of(effects, "cumulative")
        added = cumulative(
            effects.yi, effects.vi, by=order, level=effects.level, labels=effects.names, **asked(effects)
        )
        yield block(effects, "cumulative", _refits(effects, added.labels, added.fits))
    if "influence" in wanted:
        yield block(effects, "influence", list(_influence(effects, estimator)))
    if "gosh" in wanted:
        yield _gosh(effects, estimator)


def _refits(effects: Effects, labels: Sequence[str], found: Refits) -> list[dict[str, Cell]]:
    return [
        {
            "study": label, "measure": effects.measure, "k": int(found.k[row]), "estimate": effects.natural(found.effect[row]),
            "conf_low": effects.natural(found.low[row]), "conf_high": effects.natural(found.high[row]), "p_value": cell(found.p_value[row]),
            "tau_squared": cell(found.tau2[row]), "i_squared": cell(found.i2[row]), "q": cell(found.q[row]),
        }
        for row, label in enumerate(labels)
    ]  # fmt: skip


def _influence(effects: Effects, estimator: str) -> Iterator[dict[str, Cell]]:
    found, plot = influence(effects.yi, effects.vi, tau2=estimator), baujat(effects.yi, effects.vi)
    for row, name in enumerate(effects.names):
        yield {
            "study": name, "residual": cell(found.rstudent[row]), "dffits": cell(found.dffits[row]),
            "cook_distance": cell(found.cook_distance[row]), "covariance_ratio": cell(found.covariance_ratio[row]),
            "tau_squared": cell(found.tau2_deleted[row]), "q": cell(found.q_deleted[row]), "hat": cell(found.hat[row]),
            "weight": cell(found.weight[row]), "dfbetas": cell(found.dfbetas[row, 0]), "q_share": cell(plot.contribution[row]),
            "shift": cell(plot.influence[row]), "influential": "yes" if found.influential[row] else "no",
        }  # fmt: skip


def _gosh(effects: Effects, estimator: str) -> Block:
    """Every subset, marked by the study whose presence moves the pooled effect most."""
    found = gosh(effects.yi, effects.vi, tau2=estimator, seed=effects.request.seed_used)
    members = found.members()
    shift = [
        abs(found.effect[members[:, study]].mean() - found.effect[~members[:, study]].mean())
        if members[:, study].any() and not members[:, study].all() else 0.0
        for study in range(effects.k)
    ]  # fmt: skip
    marked = int(np.argmax(shift))
    rows = [
        {
            "measure": effects.measure, "k": int(size), "estimate": effects.natural(effect), "i_squared": cell(i2),
            "study": effects.names[marked], "without": "no" if member else "yes",
        }
        for size, effect, i2, member in zip(found.size, found.effect, found.i2, members[:, marked], strict=True)
    ]  # fmt: skip
    return block(effects, "gosh", rows)


def _permuted(effects: Effects) -> Answer:
    """The P value of the pooled effect from the signs of the effects."""
    found = permutation_test(effects.yi, effects.vi, tau2=str(asked(effects)["tau2"]), seed=effects.request.seed_used)
    row = beside(
        effects, "permutation", effects.measure, float(found.coefficients[0]), scale=effects.scale, p_value=cell(found.p_value),
        statistic=cell(float(found.statistics[0])), statistic_name="permutation",
    )  # fmt: skip
    name = effects.request.name
    details: dict[str, Cell] = {f"{name}.permutations": found.permutations, f"{name}.permutation_exact": found.exact}
    return Answer(rows=(row,), details=details, citations=found.provenance.citations)
