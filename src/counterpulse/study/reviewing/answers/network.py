"""Many treatments compared at once: effects, the league table, ranks, and where direct and indirect evidence disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypedDict

import numpy as np
import polars as pl

from counterpulse.data.design import level_text
from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.protocol.plan import Plan
from counterpulse.results import Block, Cell, Estimate, EstimateRow, Notice, Status
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.request import Answer, Request, place
from counterpulse.study.reviewing.answers.effects import Effects, beside, block, cell, effects_in
from counterpulse.study.reviewing.answers.pooled import nothing_to_pool, refused
from counterpulse.study.reviewing.columns import COUNTED, PATIENTS, ROW, STUDY, numbers
from counterpulse.study.reviewing.formats import BINARY
from counterpulse.synthesis.networks.components import components
from counterpulse.synthesis.networks.from_arms import network_from_arms
from counterpulse.synthesis.networks.geometry import geometry
from counterpulse.synthesis.networks.league_table import league_table
from counterpulse.synthesis.networks.network_meta_analysis import Network, network
from counterpulse.synthesis.networks.node_splitting import split_nodes
from counterpulse.synthesis.networks.ranking import SmallValues

ARMS = ("treated", "control")
Row = dict[str, Cell]


def refuse_network(
    desk: Desk, draft: Draft, options: Mapping[str, object], terms: tuple[Term, ...], outcomes: tuple[str, ...]
) -> None:
    """A network needs the names of both treatments of a row."""
    lacking = [name for name in ARMS if name not in desk.variables]
    if lacking:
        desk.refuse(draft.where("method"), "E811", f"analysis {draft.node.id}: a network needs the treatments of each row, and the dictionary has no {' or '.join(lacking)}",
                    "the variables treated and control", "add them to the table and the dictionary")  # fmt: skip


def network_answer(request: Request) -> Answer:
    """Every treatment against the reference, and what else the network tells."""
    effects = effects_in(request)
    if effects.k == 0:
        return nothing_to_pool(effects)
    first, second = _arms(request.plan, effects.frame)
    for notice in disconnected(request.plan, request.analysis.id, request.outcome.label, effects.frame):
        return refused(effects, notice.code, notice.text)
    try:
        fit = _fit(effects, first, second)
    except InputError as error:
        return refused(effects, "W875", f"{request.outcome.label}: {error}")
    model = "common" if request.option("model") == "common" else "random"
    return Answer(
        rows=tuple(_rows(effects, fit, model)), blocks=tuple(_blocks(effects, fit, first, second, model)), details=_details(effects, fit),
        notices=tuple(Notice("W863", request.analysis.id, f"{request.outcome.label}: {note}") for note in fit.notes),
        citations=fit.provenance.citations,
    )  # fmt: skip


def disconnected(plan: Plan, analysis: str, outcome: str, frame: pl.DataFrame) -> Iterator[Notice]:
    """Rows without their treatments, and parts of a network that no study joins."""
    first, second = _arms(plan, frame)
    for row, *arms in zip(frame[ROW].to_list(), first, second, strict=True):
        if "" in arms or arms[0] == arms[1]:
            seen = "does not name both treatments" if "" in arms else "compares a treatment with itself"
            yield Notice("W875", analysis, f"{outcome}: a row {seen} (row {row}).")
            return
    parts = components(first, second)
    if len(parts) > 1:
        listed = "; ".join(", ".join(part) for part in parts)
        where = ", ".join(f"row {frame[ROW][position]}" for position, name in enumerate(first) if name not in parts[0])
        text = (
            f"{outcome}: the network falls into {len(parts)} parts that no study joins ({listed}); outside the largest: {where}. "
            "Compare the treatments of one part with `keep`."
        )
        yield Notice("W874", analysis, text)


def _arms(plan: Plan, frame: pl.DataFrame) -> tuple[list[str], list[str]]:
    """The treatments of each row, by their labels."""

    def labels(name: str) -> list[str]:
        known = plan.variables[name].levels
        return [known.get(text or "", text or "").strip() for text in level_text(frame[name]).to_list()]

    return labels(ARMS[0]), labels(ARMS[1])


class _Asked(TypedDict):
    tau2: str
    reference: str
    level: float
    small_values: SmallValues


def _fit(effects: Effects, first: list[str], second: list[str]) -> Network:
    """The network from the counts of all arms, where every row has them, else from the effects."""
    option, outcome = effects.request.option, effects.request.outcome
    common = option("model") == "common"
    reference = str(option("reference") or Counter(second).most_common(1)[0][0])
    asked: _Asked = {
        "tau2": "common" if common else str(option("tau2")), "reference": reference, "level": effects.level,
        "small_values": "bad" if outcome.better == "higher" else "good",
    }  # fmt: skip
    measure = next((one for one in BINARY if one == effects.measure), None)
    studies = effects.frame[STUDY].to_list()
    if bool(effects.frame[COUNTED].all()) and measure is not None:
        arms = _counted_arms(effects, first, second, studies)
        return network_from_arms(
            arms["events"].to_list(),
            arms["n"].to_list(),
            arms["arm"].to_list(),
            arms["study"].to_list(),
            measure=measure,
            **asked,
        )
    return network(
        effects.yi, effects.vi, first, second, studies, measure=effects.measure, scale=effects.scale, **asked
    )


def _counted_arms(effects: Effects, first: list[str], second: list[str], studies: list[str]) -> pl.DataFrame:
    """Each arm of each study once.

    Raises
    ------
    InputError : an arm of a study stands twice with other counts
    """
    events_1, n_1, events_2, n_2 = effects.counts()
    frame = pl.DataFrame(
        {
            "study": [*studies, *studies], "arm": [*first, *second], "events": np.concatenate([events_1, events_2]),
            "n": np.concatenate([n_1, n_2]),
        }
    ).unique(maintain_order=True)  # fmt: skip
    twice = frame.filter(frame.select("study", "arm").is_duplicated())
    if twice.height:
        listed = ", ".join(
            f"{arm} of {study}" for study, arm in twice.select("study", "arm").unique(maintain_order=True).iter_rows()
        )
        raise InputError(f"an arm stands with different counts ({listed}); correct the table")
    return frame


def _rows(effects: Effects, fit: Network, model: str) -> Iterator[EstimateRow]:
    for estimate in fit.estimates(model):  # type: ignore[arg-type]
        shown = Estimate(
            term=estimate.term, reference=estimate.reference, measure=effects.measure, value=estimate.value, std_error=estimate.std_error,
            interval=estimate.interval, scale=effects.scale, statistic=estimate.statistic, statistic_name=estimate.statistic_name,
            p_value=estimate.p_value, status=estimate.status, notes=estimate.notes,
        )  # fmt: skip
        yield place(effects.request, shown)
    if np.isfinite(fit.tau2):
        yield beside(effects, "tau2", "variance between studies", fit.tau2, interval=fit.tau2_interval)
    yield beside(
        effects, "i2", "I-squared", fit.i2, interval=fit.i2_interval if np.isfinite(fit.i2_interval.low) else None, statistic=cell(fit.q),
        statistic_name="Q", df=cell(fit.q_df), p_value=cell(fit.q_p_value), status=Status.OK if np.isfinite(fit.i2) else Status.UNDEFINED,
    )  # fmt: skip
    between = fit.decomposition.between
    yield beside(
        effects, "inconsistency", "inconsistency between designs", cell(between.statistic) or 0.0, statistic=cell(between.statistic), statistic_name="Q",
        df=cell(between.df), p_value=cell(between.p_value),
    )  # fmt: skip


def _details(effects: Effects, fit: Network) -> dict[str, Cell]:
    values = {
        "studies": fit.k, "treatments": len(fit.treatments), "designs": len(fit.decomposition.within_design), "tau_squared": cell(fit.tau2),
        "i_squared": cell(fit.i2), "reference": fit.reference,
    }  # fmt: skip
    return {f"{effects.request.name}.{key}": value for key, value in values.items() if value is not None}


def _blocks(effects: Effects, fit: Network, first: list[str], second: list[str], model: str) -> Iterator[Block]:
    patients = _patients(effects, first, second)
    found = geometry(fit.contrasts)
    edges: list[Row] = [
        {
            "treatment_1": edge.treatment_1, "treatment_2": edge.treatment_2, "studies": edge.studies,
            "patients": patients.get((edge.treatment_1, edge.treatment_2)),
        }
        for edge in found.edges
    ]  # fmt: skip
    yield block(effects, "network", edges)
    scores = fit.model(model).p_scores  # type: ignore[arg-type]
    ranks = np.argsort(np.argsort(-scores, kind="stable"), kind="stable") + 1
    nodes: list[Row] = [
        {
            "treatment": node.treatment, "studies": node.studies, "patients": _of_arm(effects, first, second, node.treatment),
            "rank": float(ranks[fit.treatments.index(node.treatment)]), "p_score": cell(float(scores[fit.treatments.index(node.treatment)])),
        }
        for node in found.nodes
    ]  # fmt: skip
    yield block(effects, "network-treatment", nodes)
    table = league_table(fit, model=model)  # type: ignore[arg-type]
    if not effects.request.option("direct"):
        table = table.filter(pl.col("evidence") == "network")
    yield block(effects, "league-table", table.to_dicts())
    if effects.request.option("node_splitting"):
        yield block(effects, "node-splitting", list(_splits(effects, fit, model)))
    yield block(effects, "design-decomposition", list(_designs(fit)))


def _patients(effects: Effects, first: list[str], second: list[str]) -> dict[tuple[str, str], int]:
    """Patients of each comparison; none where a study of it does not print them."""
    n = sum(np.nan_to_num(numbers(effects.frame, name), nan=np.nan) for name in PATIENTS)
    found: dict[tuple[str, str], float] = {}
    for a, b, size in zip(first, second, np.atleast_1d(n), strict=True):
        for pair in ((a, b), (b, a)):
            found[pair] = found.get(pair, 0.0) + float(size)
    return {pair: round(total) for pair, total in found.items() if np.isfinite(total)}


def _of_arm(effects: Effects, first: list[str], second: list[str], treatment: str) -> int | None:
    """Patients given a treatment, each arm of a study once."""
    _, n_1, _, n_2 = effects.counts()
    arms = {
        (study, float(size))
        for names, sizes in ((first, n_1), (second, n_2))
        for study, name, size in zip(effects.frame[STUDY].to_list(), names, sizes, strict=True)
        if name == treatment
    }
    total = sum(size for _, size in arms)
    return round(total) if np.isfinite(total) else None


def _splits(effects: Effects, fit: Network, model: str) -> Iterator[Row]:
    for split in split_nodes(fit, model=model).splits:  # type: ignore[arg-type]
        low, high = effects.ends(split.difference.interval)
        yield {
            "treatment_1": split.treatment, "treatment_2": split.against, "measure": effects.measure, "studies": split.studies,
            "direct_share": cell(split.direct_share), "network": effects.natural(split.network.value), "direct": effects.natural(split.direct.value),
            "indirect": effects.natural(split.indirect.value), "difference": effects.natural(split.difference.value), "conf_low": low,
            "conf_high": high, "p_value": cell(split.difference.p_value),
        }  # fmt: skip


def _designs(fit: Network) -> Iterator[Row]:
    parts = fit.decomposition
    for source, test in (("total", parts.total), ("within designs", parts.within), ("between designs", parts.between)):
        yield {
            "source": source,
            "design": None,
            "q": cell(test.statistic),
            "df": cell(test.df),
            "p_value": cell(test.p_value),
        }
    for source, tests in (("within design", parts.within_design), ("between designs, detached", parts.detached)):
        for item in tests:
            yield {
                "source": source, "design": ", ".join(item.design), "q": cell(item.test.statistic), "df": cell(item.test.df),
                "p_value": cell(item.test.p_value),
            }  # fmt: skip
