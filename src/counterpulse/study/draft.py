"""A first dictionary and a commented protocol, drafted from a data file for a person to complete."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from counterpulse.data import draft_dictionary
from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.data.dictionary_writer import dictionary_csv
from counterpulse.errors import UsageError

OUTCOME_WORDS = re.compile(r"died|death|dead|mort|deceas|vital|fustat|status|event|expire|exitus", re.IGNORECASE)
GROUP_WORDS = re.compile(r"iabp|impella|ecmo|device|arm|group|treat|therap|transplant|trt|aline|expos", re.IGNORECASE)
START_WORDS = re.compile(r"start|admi|accept|enrol|random|implant|onset|index|begin|baseline|diagnos", re.IGNORECASE)
BINARY_LEVELS = 2


@dataclass(frozen=True, slots=True)
class DraftedStudy:
    """The files written, the protocol among them, and what a person should look at."""

    written: tuple[Path, ...]
    protocol: Path
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """What the columns are likely to be for; None where nothing fits."""

    id: str | None
    group: Variable | None
    outcome: Variable | None
    time_zero: str | None
    covariates: tuple[str, ...]


def draft_study(data: Path, *, sheet: str | None, directory: Path) -> DraftedStudy:
    """Write ``NAME.dictionary.csv`` and ``NAME.protocol.yaml`` beside each other.

    Raises
    ------
    DataError : the data file is missing, empty or damaged
    UsageError : a file of that name is there already, or the place cannot be written
    """
    draft = draft_dictionary(data, sheet=sheet)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", data.stem).strip("-._") or "study"
    dictionary_path = directory / f"{name}.dictionary.csv"
    protocol_path = directory / f"{name}.protocol.yaml"
    guess = guess_roles(draft.dictionary, frozenset(draft.identifiers))
    text = protocol_text(name, data, sheet, dictionary_path.name, guess, protocol_path.parent)
    _write({dictionary_path: dictionary_csv(draft.dictionary), protocol_path: text})
    notes = [
        f"{column} looks like {what}: take it out of the file you analyze" for column, what in draft.identifiers.items()
    ]
    notes += [
        f"{column}: write its levels into the dictionary (some are held by fewer than 5 patients)"
        for column in draft.without_levels
    ]
    missing = [role for role, found in (("compared groups", guess.group), ("outcome", guess.outcome)) if found is None]
    notes += [f"{role}: nothing in the file looked like it; complete the protocol" for role in missing]
    return DraftedStudy((dictionary_path, protocol_path), protocol_path, tuple(notes))


def guess_roles(dictionary: Dictionary, identifiers: frozenset[str]) -> Guess:
    """Which columns are the patient, the groups, the outcome and day 0, by their names and types."""
    variables = [variable for variable in dictionary if variable.name not in identifiers]
    two = [variable for variable in variables if _has_two_levels(variable)]
    outcome = _first(two, OUTCOME_WORDS)
    group = _first([variable for variable in two if variable is not outcome], GROUP_WORDS)
    dates = [variable for variable in variables if variable.type in ("date", "datetime")]
    start = _first(dates, START_WORDS) or next(iter(dates), None)
    taken = {variable.name for variable in (outcome, group, start) if variable is not None}
    covariates = [
        variable.name for variable in variables
        if variable.name not in taken
        and (variable.type in ("number", "integer", "yesno") or (variable.type in ("category", "ordinal") and variable.levels))
    ]  # fmt: skip
    ids = [variable.name for variable in dictionary if variable.type == "id"]
    return Guess(
        next(iter(ids), None), group, outcome, start.name if start is not None else None, tuple(covariates[:12])
    )


def _first(variables: Iterable[Variable], words: re.Pattern[str]) -> Variable | None:
    return next((item for item in variables if words.search(item.name) or words.search(item.label)), None)


def _has_two_levels(variable: Variable) -> bool:
    return variable.type == "yesno" or (variable.type == "category" and len(variable.levels or {}) == BINARY_LEVELS)


def protocol_text(name: str, data: Path, sheet: str | None, dictionary: str, guess: Guess, directory: Path) -> str:
    """The protocol with what was guessed; lines marked TODO are the researcher's."""
    relative = _seen_from(directory, data)
    lines = [
        "# YOUR STUDY, WRITTEN ONCE. Change the words after the colons; keep the indents (spaces, no tabs).",
        f"# After each change:  counterpulse check {name}.protocol.yaml",
        "protocol: 1",
        "study:",
        f"  id: {_quoted(name)}",
        '  title: "TODO: a title that says what is compared in whom"',
        "  design: cohort                       # cohort | randomized-trial | case-control | single-arm",
        "  registration: none",
        "  data_seen_before_plan: yes           # an honest yes is normal in a retrospective study; it is printed",
        "data:",
        f"  table: {_quoted(relative)}",
        *([f"  sheet: {_quoted(sheet)}"] if sheet else []),
        f"  dictionary: {_quoted(dictionary)}",
        "  one_row_per: patient",
        *([f"  id: {guess.id}"] if guess.id else ["  # id: the column with the study number, if there is one"]),
        "",
        "# ---- WHO. Day 0: from here you count who is in, who is treated, who dies.",
        f"time_zero: {guess.time_zero}"
        if guess.time_zero
        else 'time_zero: {text: "TODO: what is day 0", counted: yes}',
        "eligibility: {}                        # include: [{id: adult, text: Aged 18 or older, rule: age >= 18, if_unknown: stop}]",
        *_group_lines(guess.group),
        "",
        "# ---- WHAT",
        *_outcome_lines(guess.outcome),
        "",
        "# ---- HOW",
        *_confounder_lines(guess.covariates),
        "missing_data: {method: complete-case}",
        "analyses:",
        *_analysis_lines(guess),
        "",
    ]
    return "\n".join(lines)


def _seen_from(directory: Path, data: Path) -> str:
    """The path of the data from the protocol's folder; absolute where they lie on different drives."""
    table, folder = data.resolve(), directory.resolve()
    return Path(os.path.relpath(table, folder)).as_posix() if table.drive == folder.drive else table.as_posix()


def _group_lines(group: Variable | None) -> list[str]:
    if group is None:
        return [
            "# groups: {variable: NAME, treated: {yes: Treated}, reference: {no: Not treated}}   # TODO: who is compared with whom"
        ]
    levels = {"yes": f"{group.label}", "no": f"No {group.label}"} if group.type == "yesno" else dict(group.levels or {})
    codes = list(levels)
    treated, reference = (codes[0], codes[1]) if group.type == "yesno" else (codes[1], codes[0])
    return [
        "groups:                                # TODO: check who is treated and who is the reference",
        f"  variable: {group.name}",
        f"  treated: {{{_quoted(treated)}: {_quoted(levels[treated])}}}",
        f"  reference: {{{_quoted(reference)}: {_quoted(levels[reference])}}}",
        "  assigned_by: clinician",
        "# exposure: {given: NAME = yes, starts: DATE}   # when treatment can start after day 0, with immortal_time: {plan: landmark, at: 24 hours}",
    ]


def _outcome_lines(outcome: Variable | None) -> list[str]:
    if outcome is None:
        return [
            "# outcomes: {death: {label: Death, type: binary, event: died = yes, primary: yes, better: lower}}   # TODO"
        ]
    code = "yes" if outcome.type == "yesno" else f'"{list(outcome.levels or {"1": ""})[-1]}"'
    return [
        "outcomes:                              # TODO: check the event",
        f"  {outcome.name}_event: {{label: {_quoted(outcome.label)}, type: binary, event: {outcome.name} = {code}, primary: yes, better: lower}}",
    ]


def _confounder_lines(covariates: Sequence[str]) -> list[str]:
    if not covariates:
        return []
    return [
        "confounders:                           # TODO: keep what was known before day 0 and causes both treatment and outcome",
        f"  baseline: [{', '.join(covariates)}]",
    ]


def _analysis_lines(guess: Guess) -> list[str]:
    if guess.outcome is None or guess.group is None:
        return [
            "  []                                   # TODO: {id: A1, role: primary, outcome: NAME, method: logistic-regression, adjust: baseline}"
        ]
    adjust = "baseline" if guess.covariates else "none"
    name = f"{guess.outcome.name}_event"
    return [
        f"  - {{id: A1, role: primary, outcome: {name}, method: logistic-regression, adjust: {adjust}}}",
        f"  - {{id: A2, role: secondary, outcome: {name}, method: two-proportions}}",
    ]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write(files: dict[Path, str]) -> None:
    present = [str(path) for path in files if path.exists()]
    if present:
        raise UsageError(f"{' and '.join(present)}: there already, and left as it is. Choose another place with --dir.")
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path.parent} cannot be written: {error.strerror}. Choose another place with --dir."
        ) from error
