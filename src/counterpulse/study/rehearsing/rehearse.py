"""Bias, coverage and power of every planned analysis before the outcome is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite, nan

import numpy as np
import polars as pl

from counterpulse.data.digest import content_digest
from counterpulse.data.patient_table import PatientTable
from counterpulse.errors import DataError, ProtocolError
from counterpulse.numerics.workers import Jobs, Workers, workers_of
from counterpulse.protocol.nodes import Rehearsal
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.results import Block, Cell, EstimateRow
from counterpulse.results.block import KINDS
from counterpulse.results.estimate import to_natural
from counterpulse.results.rehearsed_study import KIND, NO_EFFECT, LeftOut, RehearsedStudy
from counterpulse.source import Finding, Location
from counterpulse.study.patients.cohort import Cohort
from counterpulse.study.patients.derive import columns_read
from counterpulse.study.rehearsing.assumptions import assumed_outcome, assumption_lines, rehearsal_of
from counterpulse.study.rehearsing.characteristics import Answered, Characteristics, characteristics
from counterpulse.study.rehearsing.rehearsed_plan import BOOTSTRAP, MAKERS, begins_at, for_truth, planned_for, rehearsed
from counterpulse.study.rehearsing.simulated_patients import (
    Patients,
    Rows,
    assumed_patients,
    compared_patients,
    simulated_study,
    twins,
)
from counterpulse.study.rehearsing.unseen import unseen_patients
from counterpulse.study.rehearsing.verdicts import biased_estimates
from counterpulse.study.run import identity_of, run

TEST_OF_CURVES = "test of curves"
DEFAULT_SEED = 1
BATCH = 20
"""Replicates between two words of progress."""

Progress = Callable[[str], None]
Key = tuple[str, str]
"""An analysis and the id of one of its estimates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """One outcome with what is run in each replicate."""

    patients: Patients
    plan: Plan
    table: PatientTable
    seed: int
    n: int


def rehearse_analyses(
    plan: Plan, table: PatientTable, *, replicates: int | None = None, seed: int | None = None, jobs: Jobs = 1,
    progress: Progress | None = None,
) -> RehearsedStudy:  # fmt: skip
    """Try the planned analyses on simulated outcomes.

    Patients are drawn from the table with their covariates, their missing values and their exposure as they stand; outcomes are
    simulated from the `rehearsal:` of the protocol. Whoever is simulated to have a fatal event before the treatment begins was
    never treated, and treatment depends on the covariates as it does in the data: immortal time and confounding by indication
    are there to be removed. Every column that an outcome is made of is blanked first.

    Parameters
    ----------
    plan : from `make_plan`
    table : from `read_table`; its outcomes may be blank
    replicates, seed : instead of the protocol's
    jobs : replicates side by side (None: one a core), or the workers that take them; the result does not depend on it
    progress : called with a word for every batch of replicates

    Raises
    ------
    ProtocolError : the protocol assumes nothing of any analyzed outcome, or its groups are made of an outcome
    DataError : as `run`, but for outcomes
    """
    rehearsal = rehearsal_of(plan)
    replicates = replicates or rehearsal.replicates
    seed = seed if seed is not None else plan.protocol.seed if plan.protocol.seed is not None else DEFAULT_SEED
    unseen = unseen_patients(plan, table)
    compared = compared_patients(unseen.cohort, plan)
    _refuse(plan, rehearsal, compared, unseen.hidden, table.file)
    blank = replace(table, frame=table.frame.drop(sorted(unseen.hidden & set(table.frame.columns))))
    stages, left = _stages(plan, rehearsal, compared, unseen.hidden, blank, seed)
    found: dict[str, list[dict[str, Cell]]] = {analysis.id: [] for analysis in plan.analyses}
    workers, tell = workers_of(jobs), progress or (lambda step: None)
    for stage in stages:
        silent = _outcome(stage, replicates, workers, tell, found)
        left += [
            LeftOut(name, stage.patients.assumed.name, "it estimates no effect of the exposure") for name in silent
        ]
    blocks = tuple(_block(name, lines) for name, lines in found.items() if lines)
    patients = {stage.patients.assumed.name: stage.patients for stage in stages}
    lines = (line for item in patients.values() for line in assumption_lines(item.assumed))
    return RehearsedStudy(
        identity=identity_of(plan, replace(blank, digest=content_digest(blank.frame)), seed), data_kind=table.data_kind,
        replicates=replicates, patients=rehearsal.patients or compared.frame.height, alpha=plan.protocol.alpha,
        labels={item.id: item.label for item in plan.analyses} | {name: item.label for name, item in plan.outcomes.items()},
        assumptions=tuple(dict.fromkeys(lines)), blocks=blocks, left_out=tuple(left),
        biased=tuple(biased_estimates(blocks, {item.id: item for item in plan.analyses}, patients)),
        notes=tuple(_notes(plan, rehearsal, stages, unseen.criteria)), hidden=tuple(sorted(unseen.hidden)),
    )  # fmt: skip


def _stages(
    plan: Plan, rehearsal: Rehearsal, compared: Cohort, hidden: frozenset[str], table: PatientTable, seed: int
) -> tuple[list[_Stage], list[LeftOut]]:
    stages, left, tried = list[_Stage](), list[LeftOut](), dict[str, tuple[PlannedAnalysis, ...]]()
    for name in dict.fromkeys(name for analysis in plan.analyses for name in analysis.outcomes):
        if name in rehearsal.outcomes:
            tried[name], more = planned_for(plan, name, hidden)
            left += more
        else:
            left += [LeftOut(item.id, name, _unassumed(plan, name)) for item in plan.analyses if name in item.outcomes]
    every = tuple(dict.fromkeys(item.id for analyses in tried.values() for item in analyses))
    whole = tuple(item for item in plan.analyses if item.id in every)
    for name, analyses in tried.items():
        if analyses:
            assumed = assumed_outcome(plan, rehearsal, name, whole, compared.frame)
            patients = assumed_patients(plan, compared, assumed)
            n = rehearsal.patients or compared.frame.height
            only = rehearsed(plan, rehearsal, name, analyses)
            stages.append(_Stage(patients=patients, plan=only, table=table, seed=seed, n=n))
    if not stages:
        finding = Finding(
            code="E655", where=Location("rehearsal"), seen="nothing that was assumed belongs to an analysis of compared groups",
            allowed="assumptions about " + ", ".join(dict.fromkeys(n for item in plan.analyses for n in item.outcomes)),
            remedy="name an outcome of an analysis under rehearsal.outcomes",
        )  # fmt: skip
        raise ProtocolError([finding])
    return stages, left


def _refuse(plan: Plan, rehearsal: Rehearsal, compared: Cohort, hidden: frozenset[str], file: str) -> None:
    """Strengths of what must not be seen, and groups without anybody."""
    strengths = rehearsal.prognosis if isinstance(rehearsal.prognosis, Mapping) else {}
    read = sorted(name for name in strengths if columns_read(plan.protocol, [name]) & hidden)
    if read:
        finding = Finding(
            code="E657", where=Location("rehearsal"), seen=f"a strength of {', '.join(read)}, which an outcome is made of",
            allowed="covariates that are known without the outcome", remedy="take it out of `prognosis`",
        )  # fmt: skip
        raise ProtocolError([finding])
    present = set(compared.frame[str(plan.group_variable)].cast(pl.String).unique())
    empty = [group.label for group in plan.groups if group.level not in present]
    if empty:
        finding = Finding(
            code="E531", where=Location(file), seen=f"no eligible patient in the group {', '.join(empty)}",
            allowed="patients in every group", remedy="look at the criteria with `counterpulse check`",
        )  # fmt: skip
        raise DataError([finding])


def _unassumed(plan: Plan, name: str) -> str:
    outcome = plan.outcomes[name]
    return "the exposure itself is its outcome" if outcome.of_group is not None else "nothing is assumed of its outcome"


def _outcome(
    stage: _Stage, replicates: int, workers: Workers, tell: Progress, found: dict[str, list[dict[str, Cell]]]
) -> list[str]:
    """Add the lines of every analysis of one outcome; the analyses that estimate no effect of the exposure."""
    assumed = stage.patients.assumed
    pilot = _effects(stage, 0, assumed.effects[0])
    spoken = {analysis for analysis, _ in pilot}
    silent = [item.id for item in stage.plan.analyses if item.id not in spoken]
    stage = replace(
        stage, plan=replace(stage.plan, analyses=tuple(item for item in stage.plan.analyses if item.id in spoken))
    )
    for effect in assumed.effects:
        scenario = NO_EFFECT if effect == assumed.effects[0] else f"{assumed.measure} {effect:g}"
        answers = list[dict[Key, Answered]]()
        for first in range(0, replicates, BATCH):
            tell(f"{assumed.label}: {scenario}")
            batch = range(first, min(first + BATCH, replicates))
            answers += workers.map(partial(_replicate, stage, effect=effect), batch)
        truths = _truths(stage, effect, pilot)
        for key, row in pilot.items():
            given = [answer.get(key, Answered()) for answer in answers]
            truth = truths.get(key)
            alpha = stage.plan.protocol.alpha
            line = characteristics(given, truth=truth, alpha=alpha)
            found[key[0]].append(_line(scenario, row, truth, line))
    return silent


def _replicate(stage: _Stage, number: int, *, effect: float) -> dict[Key, Answered]:
    return {key: _answered(row) for key, row in _effects(stage, number, effect).items()}


def _effects(stage: _Stage, number: int, effect: float) -> dict[Key, EstimateRow]:
    """The estimates of the effect of the exposure in one replicate."""
    cohort = simulated_study(stage.patients, effect=effect, n=stage.n, seed=stage.seed, replicate=number)
    return _estimated(stage.plan, stage.table, cohort, stage.seed + number)


def _estimated(plan: Plan, table: PatientTable, cohort: Cohort, seed: int) -> dict[Key, EstimateRow]:
    """What `run` says of the exposure; of an analysis that cannot use the values, nothing."""
    try:
        rows = run(plan, table, seed=seed, cohort=cohort).estimates
    except DataError:
        if len(plan.analyses) == 1:
            return {}
        alone = (_estimated(replace(plan, analyses=(item,)), table, cohort, seed) for item in plan.analyses)
        return {key: row for part in alone for key, row in part.items()}
    return {(row.analysis, row.id): row for row in rows if _of_the_exposure(row, str(plan.group_variable))}


def _of_the_exposure(row: EstimateRow, group: str) -> bool:
    estimate = row.estimate
    contrast = estimate.variable == group and estimate.reference is not None
    return row.role != "covariate" and row.subgroup is None and (contrast or estimate.measure == TEST_OF_CURVES)


def _answered(row: EstimateRow) -> Answered:
    """An estimate is there where its value is; a test of curves, which has none, where its P value is."""
    estimate, interval = row.estimate, row.estimate.interval
    p_value = _number(estimate.p_value)
    if not isfinite(p_value if estimate.measure == TEST_OF_CURVES else estimate.value):
        return Answered()
    return Answered(
        value=estimate.value, std_error=_number(estimate.std_error), p_value=p_value, failed=False,
        low=nan if interval is None else interval.low, high=nan if interval is None else interval.high,
    )  # fmt: skip


def _number(value: float | None) -> float:
    return nan if value is None else float(value)


def _truths(stage: _Stage, effect: float, pilot: dict[Key, EstimateRow]) -> dict[Key, float]:
    """The truth behind each estimate, where it can be given, on its scale of estimation."""
    null = effect == stage.patients.assumed.effects[0]
    found: dict[Key, float] = {}
    for analysis in stage.plan.analyses:
        people = _people(stage.patients, analysis.target, null=null)
        if analysis.maker not in MAKERS and null:
            found |= {key: 0.0 for key, row in pilot.items() if key[0] == analysis.id and _is_zero_without_effect(row)}
        elif analysis.maker in MAKERS and people is not None:
            found |= _truth(stage, analysis, people, effect)
    return {key: value for key, value in found.items() if null or _is_of_the_planned(pilot.get(key), stage.plan)}


def _is_of_the_planned(row: EstimateRow | None, plan: Plan) -> bool:
    """Whether an estimate is about the people it was planned for: a caliper or trimming leaves some out."""
    if row is None or row.estimand is None:
        return row is not None
    return any(item.id == row.analysis and item.target == row.estimand.target for item in plan.analyses)


def _truth(stage: _Stage, analysis: PlannedAnalysis, people: Rows, effect: float) -> dict[Key, float]:
    """What an analysis says of people who differ in nothing but their treatment."""
    found: dict[Key, float] = {}
    starts = begins_at(analysis)
    for at in starts:
        same = twins(
            stage.patients, people=people, effect=effect, starts=at.within(stage.patients.assumed.unit), seed=stage.seed
        )
        rows = _estimated(for_truth(stage.plan, analysis), stage.table, same, stage.seed)
        found |= {
            key: row.estimate.value
            for key, row in rows.items()
            if isfinite(row.estimate.value) and (len(starts) == 1 or str(row.model).startswith(f"landmark {at}"))
        }
    return found


def _is_zero_without_effect(row: EstimateRow) -> bool:
    """Ratios are estimated as logarithms."""
    return row.estimate.scale == "log" or row.estimate.measure.endswith("difference")


def _people(patients: Patients, target: str, *, null: bool) -> Rows | None:
    """Whom an effect is about; without an effect it is nobody's, whoever they are."""
    if target == "treated":
        return np.flatnonzero(patients.treated)
    if target == "untreated":
        return np.flatnonzero(~patients.treated)
    return np.arange(patients.frame.height) if target == "all" or null else None


def _line(scenario: str, row: EstimateRow, truth: float | None, found: Characteristics) -> dict[str, Cell]:
    scale = row.estimate.scale
    natural = {
        name: None if value is None else to_natural(value, scale)
        for name, value in (("truth", truth), ("mean", found.mean))
    }
    return {
        "scenario": scenario, "of": row.id, "outcome": row.outcome, "measure": row.estimate.measure,
        **natural, "replicates": found.replicates, "failed": found.failed, "bias": found.bias, "bias_error": found.bias_error,
        "empirical_error": found.empirical_error, "mean_std_error": found.mean_std_error, "coverage": found.coverage,
        "coverage_error": found.coverage_error, "power": found.power, "power_error": found.power_error,
    }  # fmt: skip


def _block(analysis: str, lines: list[dict[str, Cell]]) -> Block:
    columns: Mapping[str, tuple[Cell, ...]] = {name: tuple(line[name] for line in lines) for name in KINDS[KIND]}
    return Block(id=f"{analysis}.{KIND}", analysis=analysis, kind=KIND, columns=columns)


def _notes(plan: Plan, rehearsal: Rehearsal, stages: list[_Stage], criteria: tuple[str, ...]) -> Iterator[str]:
    yield from (f"The criterion '{text}' reads an outcome and was not applied." for text in criteria)
    tried: list[PlannedAnalysis] = [item for stage in stages for item in stage.plan.analyses]
    known = {item.id: item for item in plan.analyses}
    unkept = [item.id for item in tried if item.keep is None and known[item.id].keep is not None]
    if unkept:
        yield f"The rule by which {_listed(unkept)} keeps patients reads an outcome and was not applied."
    imputed = [item.id for item in tried if known[item.id].imputation is not None]
    if imputed and rehearsal.datasets is None:
        yield (
            f"Incomplete rows were left out of {_listed(imputed)}, which the plan imputes: the rehearsal imputes where it says "
            "`datasets: 5`, say."
        )
    elif imputed:
        yield f"{rehearsal.datasets} imputed tables in each replicate of {_listed(imputed)}."
    if any(item.clusters is not None for item in tried):
        yield "Patients of one center do not resemble each other in the simulated outcomes."
    if any(known[item.id].options.get(BOOTSTRAP) != item.options.get(BOOTSTRAP) for item in tried):
        yield (
            f"Bootstrap samples in each replicate: {rehearsal.bootstrap}. With 0 an estimate has the interval of its model, or none and "
            "then no coverage; say `bootstrap: 100`, for example, to have those of the plan."
        )
    unsaid = [item.id for item in tried if known[item.id].missing is None]
    if unsaid:
        yield f"The protocol does not say what happens to incomplete rows; they were left out of {_listed(unsaid)}."
    if any(known[item.id].multiplicity != "none" for item in tried):
        yield "P values are not adjusted for multiplicity here: each outcome is simulated by itself."
    if all(len(stage.patients.assumed.effects) == 1 for stage in stages):
        yield "No effect is assumed besides none: power is the type I error. Add `effects:` to the outcomes of `rehearsal`."


def _listed(ids: list[str]) -> str:
    return ", ".join(dict.fromkeys(ids))
