"""A commented protocol from the answers of an interview, in the order in which a study is thought."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from counterpulse.data.dictionary import Dictionary
from counterpulse.study.interview.interview import COUNTED, Answers
from counterpulse.study.interview.wording_of_answers import level_label

PLACE_OF_COMMENTS = 48
UNSAFE_IN_BRACES = re.compile(r"[,\[\]{}#'\\]|: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where the parts of the study lie, as seen from the protocol: the table, its sheet, dictionaries, related tables."""

    name: str
    table: str
    dictionary: str
    sheet: str | None = None
    related: Mapping[str, tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of a protocol: lines, and the names by kind."""

    lines: tuple[str, ...]
    binary: str | None = None
    timed: str | None = None
    value: str | None = None
    timed_first: bool = False


def protocol_text(answers: Answers, dictionary: Dictionary, files: Files) -> str:
    """The protocol file. Labels of variables are not used: it is the same for every format of the table."""
    outcomes = _outcomes(answers, dictionary)
    lines = [
        *_head(answers, files), "",
        "# ---- WHO. Names without quotes are columns of your table.",
        *_day_0(answers), *_eligibility(dictionary), *_groups(answers), *_exposure(answers, dictionary), *_follow_up(answers), "",
        "# ---- WHAT", *outcomes.lines, "",
        "# ---- HOW", *_confounders(answers), *_analysis_block(answers, outcomes),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Text in double quotes, as YAML reads it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _said(line: str, comment: str) -> str:
    return f"{line.ljust(PLACE_OF_COMMENTS)} # {comment}"


def _head(answers: Answers, files: Files) -> Iterator[str]:
    design = "single-arm" if answers.one("group") is None else "cohort"
    if answers.one("assigned_by") == "randomization":
        design = "randomized-trial"
    yield "# YOUR STUDY, WRITTEN ONCE. Change the words after the colons; keep the indents (spaces, no tabs)."
    yield f"# After each change:  counterpulse check {files.name}.protocol.yaml     It reads; it never changes your data."
    yield _said("protocol: 1", "file format; leave as it is")
    yield "study:"
    yield f"  id: {quoted(files.name)}"
    yield _said(f"  title: {quoted(answers.given['title'])}", "say what is compared in whom")
    yield _said(f"  design: {design}", "cohort | randomized-trial | case-control | single-arm")
    yield _said("  registration: none", 'prints "This study was not registered."')
    yield _said("  data_seen_before_plan: yes", "an honest yes is normal in a retrospective study; it is printed")
    yield "data:"
    yield f"  table: {quoted(files.table)}"
    if files.sheet:
        yield f"  sheet: {quoted(files.sheet)}"
    yield _said(f"  dictionary: {quoted(files.dictionary)}", "correct labels, units and levels there")
    yield "  one_row_per: patient"
    if answers.one("id"):
        yield _said(f"  id: {answers.one('id')}", "a study number, never a hospital number")
    if answers.one("center"):
        yield f"  site: {answers.one('center')}"
    if files.related:
        yield "tables:"
        yield from (_related(answers, name, file, dictionary) for name, (file, dictionary) in files.related.items())


def _related(answers: Answers, name: str, file: str, dictionary: str) -> str:
    time = answers.one(f"{name}.time")
    return (
        f"  {name}: {{file: {quoted(file)}, dictionary: {quoted(dictionary)}, one_row_per: measurement, "
        f"id: {answers.one(f'{name}.id')}{f', time: {time}' if time else ''}}}"
    )


def _day_0(answers: Answers) -> Iterator[str]:
    day_0 = answers.one("day_0")
    if day_0 == COUNTED:
        yield _said(
            f"time_zero: {{text: {quoted(answers.given['day_0_words'])}, counted: yes}}",
            "the table holds durations from day 0",
        )
    else:
        yield _said(f"time_zero: {day_0}", "day 0: from here you count who is in, who is treated, who dies")


def _eligibility(dictionary: Dictionary) -> Iterator[str]:
    if "age" in dictionary and dictionary["age"].type in ("number", "integer"):
        yield _said("eligibility: {}", "everybody in the table; for adults only, write instead:")
        yield "# eligibility: {include: [{id: adult, text: Aged 18 years or older, rule: age >= 18, if_unknown: stop}]}"
    else:
        yield _said("eligibility: {}", "everybody in the table; see include and exclude in the manual")


def _groups(answers: Answers) -> Iterator[str]:
    group = answers.one("group")
    if group is None:
        yield "# groups: {variable: COLUMN, treated: {yes: Treated}, reference: {no: Not treated}}   # with design: cohort"
        return
    treated = answers.many("treated")
    labels = {code: answers.one("treated_label") or level_label(group, code) for code in treated}
    reference = answers.given["reference"]
    yield _said("groups:", "who is compared with whom")
    yield f"  variable: {group}"
    yield _said(f"  treated: {{{', '.join(f'{quoted(code)}: {quoted(label)}' for code, label in labels.items())}}}",
                "a ratio below 1: less often in this group ...")  # fmt: skip
    label = answers.one("reference_label") or level_label(group, reference)
    yield _said(f"  reference: {{{quoted(reference)}: {quoted(label)}}}", "... than in this one")
    yield _said(f"  assigned_by: {answers.given['assigned_by']}", "clinician | randomization")


def _exposure(answers: Answers, dictionary: Dictionary) -> Iterator[str]:
    group, start, plan = answers.one("group"), answers.one("treatment_time"), answers.one("immortal_time")
    if group is None or answers.one("assigned_by") == "randomization":
        return
    if start is None or plan is None:
        what = "treatment starts on day 0; if it can start later" if start else "if treatment can start after day 0"
        yield f"# {what}:  exposure: {{given: RULE, starts: COLUMN}}  and  immortal_time: {{plan: landmark, at: 24 hours}}"
        return
    yield f"exposure: {{given: {_is_level(dictionary, group, answers.given['treated'])}, starts: {start}}}"
    yield _said("immortal_time:", "a treatment on day 3 means the patient lived to day 3")
    yield _said(f"  plan: {plan}", "landmark | time-varying | ignore-and-report")
    if plan == "landmark":
        yield _said(f"  at: {answers.given['landmark']}", "who dies or leaves before it is not compared")


def _is_level(dictionary: Dictionary, name: str, level: str) -> str:
    """The rule that a variable has a level, as it stands between the braces of YAML."""
    rule = f"{name} = {level}" if dictionary[name].type == "yesno" else f"{name} = {quoted(level)}"
    return "'" + rule.replace("'", "''") + "'" if UNSAFE_IN_BRACES.search(rule) else rule


def _follow_up(answers: Answers) -> Iterator[str]:
    parts = [
        f"{key}: {answers.one(key)}"
        for key in ("death", "discharge", "last_seen", "after_discharge")
        if answers.one(key)
    ]
    if parts:
        yield _said(f"follow_up: {{{', '.join(parts)}}}", "dates that say how long each patient was watched")


def _outcomes(answers: Answers, dictionary: Dictionary) -> Outcomes:
    """The outcome asked for, and death by its date where follow-up has dates."""
    name, event = answers.one("outcome"), answers.one("event")
    better, label = answers.one("better"), quoted(answers.given.get("outcome_label", ""))
    lines: list[str] = []
    binary = timed = value = None
    if name is not None and event is None:
        value = _unused(f"{name}_value", dictionary)
        lines.append(
            f"  {value}: {{label: {label}, type: continuous, value: {name}, summary: median, primary: yes, better: {better}}}"
        )
    elif name is not None and answers.one("time"):
        timed = _unused(f"{name}_in_time", dictionary)
        rule = f"time: {answers.one('time')}, time_unit: {answers.one('time_unit')}, event: {_is_level(dictionary, name, event or '')}"
        lines.append(f"  {timed}: {{label: {label}, type: time-to-event, {rule}, primary: yes, better: {better}}}")
    elif name is not None:
        binary = _unused(f"{name}_event", dictionary)
        rule = _is_level(dictionary, name, event or "")
        lines.append(f"  {binary}: {{label: {label}, type: binary, event: {rule}, primary: yes, better: {better}}}")
    first = timed is not None
    dated = answers.one("death") and (answers.one("last_seen") or answers.one("discharge"))
    if dated and timed is None:
        timed, horizon = _unused("death_in_time", dictionary), answers.one("horizon")
        until = f", horizon: {horizon}" if horizon else ""
        primary = ", primary: yes" if name is None else ""
        lines.append(f"  {timed}: {{label: {quoted(_death_label(horizon))}, type: time-to-event, event: death{until}, "
                     f"time_unit: days{primary}, better: lower}}")  # fmt: skip
    if not lines:
        return Outcomes(
            ("# outcomes: {death: {label: Death, type: binary, event: COLUMN = yes, primary: yes, better: lower}}",)
        )
    return Outcomes(("outcomes:", *lines), binary, timed, value, first or (timed is not None and name is None))


def _death_label(horizon: str | None) -> str:
    return f"Death within {horizon}" if horizon else "Death"


def _unused(name: str, dictionary: Dictionary) -> str:
    while name in dictionary:
        name += "_"
    return name


def _confounders(answers: Answers) -> Iterator[str]:
    chosen = answers.many("covariates")
    if chosen:
        yield _said("confounders:", "keep what was known before day 0 and causes both treatment and outcome")
        yield from _wrapped("  baseline: [", chosen)
    yield _said(
        "missing_data: {method: complete-case}", "patients with a blank are left out of that analysis and counted"
    )
    yield "alpha: 0.05"
    yield _said("seed: 1", "makes whatever is drawn at random repeatable")


def _wrapped(start: str, names: Sequence[str]) -> Iterator[str]:
    line = start
    for index, name in enumerate(names):
        piece = name + ("]" if index == len(names) - 1 else ",")
        if len(line) + len(piece) > 110:
            yield line.rstrip()
            line = " " * len(start)
        line += piece + " "
    yield line.rstrip()


def _analysis_block(answers: Answers, outcomes: Outcomes) -> Iterator[str]:
    lines = list(_analyses(answers, outcomes))
    if not lines:
        yield "# analyses: [{id: A1, role: primary, outcome: NAME, method: logistic-regression, adjust: baseline}]"
        return
    yield "analyses:"
    yield from lines
    if answers.one("center"):
        yield f"# patients of one center resemble each other; add to A1:  clusters: {{variable: {answers.one('center')}, as: robust}}"
    yield "# subgroups: {of: A1, by: [COLUMN, {variable: age, cut: [65]}]}   # ONE interaction test a variable"
    yield _said("# privacy: {small_cells: 5}", "hides counts below 5 in everything that may be shared")


def _analyses(answers: Answers, outcomes: Outcomes) -> Iterator[str]:
    adjust = "baseline" if answers.many("covariates") else "none"
    compared = answers.one("group") is not None
    varying = answers.one("immortal_time") == "time-varying"
    own = f", immortal_time: {{plan: landmark, at: {answers.one('landmark')}}}" if varying else ""
    modelled = compared or adjust != "none"
    methods = [
        *_timed(outcomes.timed, adjust, own + _at(answers), first=outcomes.timed_first),
        *([(outcomes.binary, f"method: logistic-regression, adjust: {adjust}{own}", "adjusted odds ratio")] if outcomes.binary else []),
        *([(outcomes.binary, f"method: two-proportions{own}", "risks without adjustment")] if outcomes.binary and compared else []),
        *([(outcomes.value, f"method: linear-regression, adjust: {adjust}{own}", "adjusted difference of means")] if outcomes.value else []),
        *([(outcomes.value, f"method: two-means{own}", "means without adjustment")] if outcomes.value and compared else []),
    ]  # fmt: skip
    if outcomes.timed and not outcomes.timed_first:
        methods = [*methods[2:], *methods[:2]]
    if not modelled:  # a model has something to tell of a group or a covariate
        methods = [entry for entry in methods if "adjust:" not in entry[1]]
    for index, (outcome, method, comment) in enumerate(methods):
        role = "secondary" if index else "primary"
        yield _said(f"  - {{id: A{index + 1}, role: {role}, outcome: {outcome}, {method}}}", comment)


def _at(answers: Answers) -> str:
    when = answers.one("risk_at")
    if when is None:
        return ""
    return f", estimand: {{contrast: risk difference at {when}}}" if answers.one("group") else f", at: {when}"


def _timed(name: str | None, adjust: str, own: str, *, first: bool) -> Iterator[tuple[str, str, str]]:
    if name is None:
        return
    cox = (name, f"method: cox, adjust: {adjust}", "adjusted hazard ratio")
    curves = (name, f"method: kaplan-meier{own}", "curves, risks, log-rank test")
    yield from (cox, curves) if first else (curves, cox)
