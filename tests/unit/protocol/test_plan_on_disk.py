from __future__ import annotations

import json
from dataclasses import replace

import pytest

from counterpulse.data.terms import Categorical, Interaction, Numeric
from counterpulse.protocol.plan import (
    Plan,
    PlannedAnalysis,
    PlannedCriterion,
    PlannedGroup,
    PlannedOutcome,
    PlannedPopulation,
    PlannedSubgroup,
    PlannedSubgroups,
    PlannedTableOne,
    PlannedVariable,
)
from counterpulse.protocol.plan_on_disk import plan_digest, plan_from_json, plan_to_json
from counterpulse.protocol.words import Duration
from counterpulse.results import Choice, Notice


@pytest.fixture
def plan(registry, read):
    protocol = read(registry)
    analysis = PlannedAnalysis(
        id="A1", role="primary", label="Primary", method="logistic-regression", outcomes=("death_hospital",),
        population="eligible", measures=("odds ratio", "risk difference"), target="all", adjusted=True, level=0.95,
        terms=("sex", Numeric("age", 10.0, True), Categorical("mode", "VA"), Interaction("sex", Numeric("age"))),
        maker="landmark", landmarks=(Duration(24.0, "hours"), Duration(2.5, "days")), composition=("landmark", "logistic"),
        options={"penalty": "none", "times": (Duration(30.0, "days"), Duration(60.0, "days")), "caliper": 0.2, "ties": None},
        choices=(Choice("interval", "wald", "default", "wald-1943"), Choice("clusters", None, "given")),
        citations=("cox-1972",), clusters="center_id",
    )  # fmt: skip
    return Plan(
        protocol=protocol.nodes, protocol_digest=protocol.digest, dictionary_digest="sha256:0",
        group_variable="pump_after", group_label="Balloon pump",
        groups=(PlannedGroup("pump", "Balloon pump", False), PlannedGroup("none", "None", True)), time_zero="ecmo_start",
        variables={"sex": PlannedVariable(name="sex", label="Sex", kind="category", levels={"F": "Female", "M": "Male"})},
        criteria=(PlannedCriterion(id="va", kind="include", text="VA", rule="mode = 'VA'", english="…", if_unknown=None),),
        populations={"adults": PlannedPopulation(name="adults", label="Adults", rule=None, english="everybody")},
        outcomes={"death": PlannedOutcome(name="death", label="Death", kind="binary", definition="died", horizon=30.0)},
        table_one=PlannedTableOne(
            variables=("age", "sex"), rule="auto", p_values=False, smd=True, overall=True, smd_denominator="pooled",
            quartiles="7", summaries={"age": "median"},
        ),
        analyses=(analysis, PlannedAnalysis(
            id="A2", role="secondary", label="", method="cox", outcomes=("death",), population="eligible",
            measures=("hazard ratio",), target="all", adjusted=False, level=0.95, terms=(), of="A1",
        )),
        subgroups=PlannedSubgroups(of="A1", by=(PlannedSubgroup(variable="age", label="Age", cuts=(65.0,), levels=(("a", "b"), ("c",))),), refit=False),
        choices=(Choice("alpha", 0.05, "given"),), warnings=(Notice("W262", "study.yaml:3", "…"),),
    )  # fmt: skip


def test_a_plan_comes_back_as_it_was(plan):
    assert plan_from_json(json.loads(json.dumps(plan_to_json(plan)))) == plan


def test_a_plan_without_optional_parts_comes_back(plan):
    bare = replace(plan, table_one=None, subgroups=None, group_variable=None, analyses=(), warnings=())
    assert plan_from_json(json.loads(json.dumps(plan_to_json(bare)))) == bare


def test_another_format_is_refused(plan):
    with pytest.raises(ValueError, match="counterpulse/plan/1"):
        plan_from_json({**plan_to_json(plan), "format": "counterpulse/plan/9"})


def test_the_digest_is_of_the_decisions(plan):
    other_path = plan.protocol.model_copy(update={"data": plan.protocol.data.model_copy(update={"table": "other.csv"})})
    assert plan_digest(replace(plan, protocol=other_path)) == plan_digest(plan)
    assert plan_digest(replace(plan, time_zero="admission")) != plan_digest(plan)
    assert plan_digest(plan).startswith("sha256:")
