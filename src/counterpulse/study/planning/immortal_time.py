"""How an analysis keeps immortal time out: the sample its plan asks for, and what that sample cannot serve."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.nodes import GroupOutcome
from counterpulse.protocol.words import Duration
from counterpulse.results import Choice
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.catalog import METHODS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.emulation import setting_of

MAKERS = {
    "landmark": ("landmark", "landmark"),
    "time-varying": ("time-varying", "start-stop"),
    "ignore-and-report": ("as observed", "plain"),
    "clone-censor-weight": ("clone-censor-weight", "clone-censor-weight"),
    "sequential-trials": ("sequential-trials", "sequential-trials"),
}
REFERENCES = {
    "landmark": "anderson-1983", "time-varying": "mantel-byar-1974", "clone-censor-weight": "hernan-2018",
    "sequential-trials": "hernan-2008",
}  # fmt: skip


def sample_maker(desk: Desk, draft: Draft, spec: MethodSpec) -> tuple[str, tuple[Duration, ...], tuple[Choice, ...]]:
    """The maker of the sample, its landmarks, and the choices they are."""
    setting, path = setting_of(desk, draft)
    exposure = desk.nodes.exposure
    if setting is None or exposure is None or isinstance(draft.node.outcome, GroupOutcome):
        return "as observed", (), ()
    if exposure.timing == "unknown":
        return "as observed", (), (Choice("immortal time", "not removed: the time of exposure is unknown", "given"),)
    maker, sample = MAKERS[setting.plan]
    _refuse_misfits(desk, draft, spec, path, setting.plan, sample)
    common = desk.nodes.immortal_time
    marks = (setting.at or (common.at if common else ())) if setting.plan == "landmark" else ()
    return maker, marks, tuple(_choices(setting.plan, marks))


def _refuse_misfits(desk: Desk, draft: Draft, spec: MethodSpec, path: YamlPath, plan: str, sample: str) -> None:
    """What the sample of this plan cannot serve: a method, what stands beside it, several treatments."""
    groups = desk.nodes.groups
    if sample != "plain" and groups is not None and len(groups.treated) > 1:
        desk.refuse(
            path, "E623", f"analysis {draft.node.id}: the plan '{plan}' with several treated groups and one exposure",
            "one treated group and the reference", "compare the treated groups in analyses (or studies) of their own",
        )  # fmt: skip
    for method in (spec, *(METHODS[name] for name in draft.node.also if name in METHODS)):
        if sample not in method.accepts:
            able = ", ".join(name for name, other in METHODS.items() if sample in other.accepts)
            desk.refuse(
                path, "E613", f"analysis {draft.node.id}: {method.label} cannot use the plan '{plan}'",
                f"with this plan: {able}",
                "choose another plan for this analysis (immortal_time: {plan: landmark, at: …})",
            )  # fmt: skip
    beside = _beside(draft)
    if sample == "start-stop" and beside:
        desk.refuse(
            path, "E624", f"analysis {draft.node.id}: {', '.join(beside)} with a time-varying exposure",
            "the hazard ratio alone", "ask for risks and curves in an analysis of its own, with a landmark",
        )  # fmt: skip


def _beside(draft: Draft) -> list[str]:
    """Measures and curves asked for beside the first measure."""
    estimand = draft.node.estimand
    measures = [*(estimand.also if estimand else ()), *(item for item in draft.node.also if item not in METHODS)]
    return [*measures, *draft.node.draw]


def _choices(plan: str, marks: tuple[Duration, ...]) -> Iterator[Choice]:
    yield Choice("immortal time", plan, "given", REFERENCES.get(plan))
    if plan == "landmark":
        yield Choice("landmark", ", ".join(map(str, marks)), "given", REFERENCES["landmark"])
        yield Choice("landmark keeps", "patients followed to it (T >= L); time counted from time zero", "default")
