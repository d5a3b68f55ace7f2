"""What a protocol says of the conduct of a trial, printed as it is written: randomization, sample size, interim analyses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from counterpulse.protocol.nodes import Randomization, Trial
from counterpulse.protocol.plan import Plan
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Definitions, Section, text


def trial_sections(plan: Plan) -> Iterator[Section]:
    """The sections on the conduct of a trial; none where the protocol has no `trial`."""
    trial = plan.protocol.trial
    if trial is not None:
        if trial.randomization is not None or trial.allocation is not None or trial.blinding:
            yield _randomization(plan, trial)
        if trial.sample_size is not None:
            yield _as_written("sample-size", "Sample size", trial.sample_size)
        if trial.interim is not None:
            yield _as_written("interim", "Interim analyses and stopping", trial.interim)
    if plan.protocol.intercurrent_events:
        yield _intercurrent_events(plan)


def _randomization(plan: Plan, trial: Trial) -> Section:
    entries = [("Layout", trial.layout), ("Allocation", trial.allocation), *_how(plan, trial.randomization)]
    blinded = [name.replace("_", " ") for name, is_blind in trial.blinding.items() if is_blind]
    if trial.blinding:
        entries.append(("Blinding", ", ".join(blinded) or "nobody is blinded"))
    known = tuple((term, text(words)) for term, words in entries if words)
    return Section(id="randomization", title="Randomization and blinding", blocks=(Definitions(known),))


def _how(plan: Plan, planned: Randomization | None) -> Iterator[tuple[str, str | None]]:
    if planned is None:
        return
    labels = [plan.variables[name].label if name in plan.variables else name for name in planned.stratified_by]
    yield "Method", planned.method
    yield "Block sizes", ", ".join(map(str, planned.blocks)) or None
    yield "Stratified by", ", ".join(labels) or None
    yield "Concealment", planned.concealment


def _as_written(id_: str, title: str, keys: Mapping[str, object]) -> Section:
    """Keys and values of the protocol; this version does not compute with them."""
    entries = tuple((sentence(name.replace("_", " ")), text(_value(value))) for name, value in keys.items())
    return Section(id=id_, title=title, blocks=(text("As the protocol states it:"), Definitions(entries)))


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{str(name).replace('_', ' ')}: {_value(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _intercurrent_events(plan: Plan) -> Section:
    entries = tuple(
        (sentence(item.event), text(f"{sentence(item.strategy.replace('-', ' '))} strategy."))
        for item in plan.protocol.intercurrent_events
    )
    return Section(id="adherence", title="Adherence and intercurrent events", blocks=(Definitions(entries),))
