"""What a person is asked so that a protocol can be written; where nobody answers, the guess stands and is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from counterpulse.data.dictionary import Variable
from counterpulse.data.draft import Draft, missing_in
from counterpulse.protocol.words import HOURS
from counterpulse.study.interview.question import NONE, Question
from counterpulse.study.interview.role_guess import EVENTS_PER_PARAMETER, MOMENTS, NUMBERS, Roles, others
from counterpulse.study.interview.wording_of_answers import level_label, words

Ask = Callable[[Question], str]
"""Gives the answer to a question, as `Question.read` keeps it."""

COUNTED = "counted"
UNITS = {"days": "", "hours": "", "weeks": "", "months": "", "years": ""}
PLANS = {
    "landmark": "only patients alive at a fixed time; groups as they are then",
    "time-varying": "untreated until the treatment starts (Cox model only)",
    "ignore-and-report": "nothing is done, and the report says so",
}
LANDMARKS = (1, 2, 3, 7, 14, 30, 60, 90)
"""Days from which the first is guessed that half of the treated have reached."""
ROUND_TIMES = (7, 14, 30, 60, 90, 180, 365, 730, 1095, 1826, 3652)
STILL_WATCHED = 0.2
GOOD = re.compile(r"wean|recover|surviv|success|alive|home|free")

KEYS = (
    "sheet", "missing", "date_order", "keep", "id", "center", "day_0", "day_0_words", "group", "treated", "reference",
    "treated_label", "reference_label", "assigned_by", "treatment_time", "treatment_unit", "immortal_time", "landmark",
    "outcome", "event", "outcome_label", "better", "time", "time_unit", "risk_at", "death", "discharge", "last_seen",
    "after_discharge", "horizon", "covariates", "title",
)  # fmt: skip
"""Every question, in order; a related table NAME adds NAME.id and NAME.time."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers by key; a question that was not asked has none."""

    given: Mapping[str, str]

    def one(self, key: str) -> str | None:
        """An answer, or None where there is none."""
        found = self.given.get(key, NONE)
        return None if found == NONE else found

    def many(self, key: str) -> tuple[str, ...]:
        """The parts of an answer."""
        found = self.one(key)
        return () if found is None else tuple(part.strip() for part in found.split(","))


@dataclass(slots=True)
class Talk:
    """The interview as it goes: what was read, who answers, and the answers so far."""

    roles: Roles
    ask: Ask
    given: dict[str, str] = field(default_factory=dict)

    @property
    def draft(self) -> Draft:
        """The guessed dictionary."""
        return self.roles.draft

    def taken(self) -> set[str]:
        """The columns that have a role already."""
        return {part.strip() for answer in self.given.values() for part in answer.split(",")}

    def put(self, question: Question) -> str | None:
        """Ask; None for none."""
        self.given[question.key] = answer = self.ask(question)
        return None if answer == NONE else answer

    def column(self, key: str, text: str, guess: str | None, *, types: Collection[str], reason: str = "", help: str = "",
               extra: Mapping[str, str] | None = None, names: Collection[str] | None = None, optional: bool = True) -> str | None:  # fmt: skip
        """Ask for a column of one of some types."""
        allowed = self.roles.names(*types) if names is None else names
        choices = {**(extra or {}), **{name: self.draft.dictionary[name].label for name in allowed}}
        question = Question(
            key=key, text=text, guess=guess or NONE, reason=reason, help=help, kind="column", choices=choices,
            others=others(self.draft, choices, _unsuitable), optional=optional,
        )  # fmt: skip
        return self.put(question)


def _unsuitable(variable: Variable) -> str:
    return f"is a variable of type {variable.type}, which does not serve here"


def ask_about_reading(draft: Draft, ask: Ask) -> dict[str, str]:
    """What must be known before the columns can be read rightly: missing words, the order of day and month, names kept."""
    given: dict[str, str] = {}

    def put(question: Question) -> None:
        given[question.key] = ask(question)

    found = missing_in(draft)
    put(Question(
        key="missing", text="Which words or codes mean that a value is missing (besides blanks and NA)?", guess=", ".join(found) or NONE,
        reason="found in the file" if found else "none found", optional=True,
        help="They are read as blank. A number counts only where it stands far from all others, such as 999 for an age.",
    ))  # fmt: skip
    if draft.ambiguous:
        put(Question(
            key="date_order", text=f"{', '.join(draft.ambiguous)}: dates such as 01/02/2020. What stands first?", kind="word", guess=NONE,
            choices={"day-first": "1 February", "month-first": "January 2"}, optional=True, reason="nothing in the file tells",
            help="Without an answer these dates cannot be read, and `check` says so.",
        ))  # fmt: skip
    if draft.identifiers:
        listed = ", ".join(f"{header} ({reason})" for header, reason in draft.identifiers.items())
        put(Question(
            key="keep", text=f"Left out, because they may name a person: {listed}. Is any of them needed?", guess=NONE, kind="columns",
            choices=dict.fromkeys(draft.identifiers, ""), optional=True, reason="a study needs no names",
            help="Better: make a study number and an age, and delete these columns from the file you analyze.",
        ))  # fmt: skip
    return given


def hold_interview(draft: Draft, ask: Ask, *, with_labels: bool) -> Answers:
    """Ask everything that a protocol needs, in the order in which a study is thought.

    Parameters
    ----------
    draft : the guessed dictionary
    ask : answers a question
    with_labels : guesses read the labels of the file too; without, every file format gives the same guesses
    """
    talk = Talk(Roles(draft, with_labels), ask)
    _who(talk)
    if (group := _groups(talk)) is not None:
        _start_of_treatment(talk, group)
    outcome = _outcome(talk)
    _times(talk, outcome)
    _covariates(talk, outcome)
    _title(talk)
    return Answers(talk.given)


def _who(talk: Talk) -> None:
    roles = talk.roles
    guess = roles.id()
    talk.column("id", "Which column is the study number of the patient?", guess.name, reason=guess.reason,
                types=("id", "integer", "text", "category"), help="Each patient has one of his own. Never a hospital number.")  # fmt: skip
    guess = roles.center(talk.taken())
    talk.column("center", "Which column is the center or hospital?", guess.name, reason=guess.reason,
                types=("category", "integer", "id"), names=[n for n in roles.names("category", "integer", "id") if n not in talk.taken()],
                help="Patients of one center resemble each other; an analysis can take that into account.")  # fmt: skip
    dates = roles.names(*MOMENTS)
    guess = roles.first("day_0", dates)
    name = guess.name or (dates[0] if dates else COUNTED)
    reason = guess.reason or ("the first date of the table" if dates else "the table has no dates")
    day_0 = talk.column("day_0", "Which date is day 0, from which you count who is in, who is treated, who dies?", name,
                        reason=reason, types=MOMENTS, extra={COUNTED: "no date; the table holds durations"}, optional=False,
                        help="Write counted where the table already holds times such as days to death.")  # fmt: skip
    if day_0 == COUNTED:
        talk.put(Question(key="day_0_words", text="What is day 0, in words?", guess="Start of follow-up",
                          reason="printed in the report", help="Such as: ICU admission."))  # fmt: skip


def _groups(talk: Talk) -> str | None:
    roles = talk.roles
    guess = roles.group(talk.taken())
    names = [name for name in roles.names("yesno", "category") if roles.has_levels(name)]
    group = talk.column("group", "Which column says who is compared with whom (treated or not, arm)?", guess.name,
                        reason=guess.reason or "nothing sounds like a treatment", types=("yesno", "category"), names=names,
                        help="A yes/no column or a category. - describes all patients as one group.")  # fmt: skip
    if group is None:
        return None
    levels = roles.levels(group)
    treated = talk.put(Question(key="treated", text=f"Which level of {group} is the treatment?", kind="levels", choices=levels,
                                guess=roles.treated_level(group), reason="the others are controls", help="Several with commas."))  # fmt: skip
    rest = {code: label for code, label in levels.items() if code not in (treated or "").split(", ")}
    reference = talk.put(Question(key="reference", text=f"Which level of {group} is the reference?", kind="level", choices=rest,
                                  guess=next(iter(rest)), reason="effects compare with it", help="A ratio below 1: less often in the treated than here."))  # fmt: skip
    if treated is not None and "," not in treated:
        for key, code in (("treated_label", treated), ("reference_label", reference or "")):
            talk.put(Question(key=key, text=f"What is {group} = {code} called in the report?", reason="printed",
                              guess=_level_label(talk, group, code), help="Such as: Balloon pump."))  # fmt: skip
    randomized = re.search(r"random|alloc", group) is not None
    talk.put(Question(key="assigned_by", text="Who decided which group a patient is in?", kind="word",
                      choices={"clinician": "a cohort", "randomization": "a randomized trial"},
                      guess="randomization" if randomized else "clinician", reason="most tables are cohorts",
                      help="In a randomized trial nobody is removed, and Table 1 has no P values."))  # fmt: skip
    return group


def _level_label(talk: Talk, group: str, code: str) -> str:
    """The label at the terminal is that of the file; else it is made of name and code, which every file has."""
    label = talk.roles.levels(group).get(code, code)
    told = talk.roles.with_labels and label != code and code not in ("yes", "no")
    return label if told else level_label(group, code)


def _start_of_treatment(talk: Talk, group: str) -> None:
    """When treatment starts, and what is done about the time that the treated had to survive to be treated."""
    roles, given = talk.roles, talk.given
    if given["assigned_by"] != "clinician" or "," in given["treated"]:
        return
    counted = given["day_0"] == COUNTED
    types = NUMBERS if counted else MOMENTS
    guess = roles.treatment_time(roles.names(*types, taken=talk.taken()), group)
    start = talk.column("treatment_time", f"Which column holds when the treatment ({group}) started?", guess.name, types=types,
                        reason=guess.reason or "nothing sounds like it",
                        help="Needed where treatment can start after day 0: who is treated late has lived until then.")  # fmt: skip
    if start is None:
        return
    if counted:
        _unit(talk, "treatment_unit", start)
    late, days = _lateness(talk, start)
    plan = talk.put(Question(
        key="immortal_time", text="A patient treated on day 3 has lived to day 3. How is that advantage of the treated removed?",
        kind="word", choices=PLANS, optional=True, guess="landmark" if late else NONE,
        reason="treatment starts after day 0 in the table" if late else "treatment starts on day 0 in the table",
        help="; ".join(f"{plan}: {what}" for plan, what in PLANS.items()) + ". - where treatment starts on day 0.",
    ))  # fmt: skip
    if plan in ("landmark", "time-varying"):
        mark = next((day for day in LANDMARKS if day >= days), LANDMARKS[-1])
        talk.put(Question(key="landmark", text="From when on are groups fixed (the landmark)?", kind="length",
                          guess=f"{mark} day{'s' * (mark > 1)}", reason="half of the treated have started by then",
                          help="Patients who die or leave before it are not compared. In hours only where times of day are known."))  # fmt: skip


def _lateness(talk: Talk, start: str) -> tuple[bool, float]:
    """Whether some start after day 0, and the days until half of those have started."""
    if talk.given["day_0"] == COUNTED:
        factor = HOURS[talk.given["treatment_unit"][:-1]]
        numbers = talk.draft.facts[start].numbers
        hours = None if numbers is None else numbers.drop_nulls() * factor
    else:
        hours = talk.roles.hours_between(talk.given["day_0"], start)
    after = None if hours is None else hours.filter(hours > 0)
    middle = after.median() if after is not None and len(after) else None
    return (True, middle / 24) if isinstance(middle, float) else (False, 1.0)


def _unit(talk: Talk, key: str, name: str) -> None:
    variable = talk.draft.dictionary[name]
    known = f"{name} {variable.unit or ''} {variable.label}" if talk.roles.with_labels else name
    found = [unit for unit in UNITS if re.search(rf"(^|[^a-z]){unit[:-1]}|{unit}", known.lower())]
    talk.put(Question(key=key, text=f"In which unit is {name}?", kind="word", choices=UNITS, guess=found[0] if found else "days",
                      reason="named so" if found else "most tables count days", help="It is written into the dictionary."))  # fmt: skip


def _outcome(talk: Talk) -> str | None:
    roles, taken = talk.roles, talk.taken()
    two = [name for name in roles.names("yesno", "category", taken=taken) if roles.has_levels(name)]
    guess = roles.first("outcome", two)
    names = [*two, *roles.names(*NUMBERS, taken=taken)]
    outcome = talk.column("outcome", "Which column is the primary outcome?", guess.name, types=(), names=names,
                          reason=guess.reason or "nothing sounds like one",
                          help="Yes/no (died in hospital), a level (status), or a number (days of support).")  # fmt: skip
    if outcome is None:
        return None
    if outcome in two:
        event = talk.put(Question(key="event", text=f"Which level of {outcome} is the event?", kind="level", choices=roles.levels(outcome),
                                  guess=roles.level_of_event(outcome), reason="what is counted", help="Such as yes, or dead."))  # fmt: skip
    label = talk.draft.dictionary[outcome].label
    told = talk.roles.with_labels and label.casefold() != words(outcome).casefold()
    talk.put(Question(key="outcome_label", text="What is the outcome called in the report?",
                      guess=label if told else words(outcome), reason="printed", help="Such as: Death in hospital."))  # fmt: skip
    good = outcome in two and GOOD.search(outcome) and event == "yes"
    talk.put(Question(key="better", text="Is lower (less often) better for the patient, or higher?", kind="word",
                      choices={"lower": "", "higher": ""}, guess="higher" if good else "lower", reason="it reads so",
                      help="It decides which side of a figure favors treatment."))  # fmt: skip
    return outcome


def _times(talk: Talk, outcome: str | None) -> None:
    """How long patients were watched: durations of the table, or dates."""
    roles = talk.roles
    if "event" in talk.given:
        free = roles.names(*NUMBERS, taken=talk.taken())
        guess = roles.first("time", free)
        time = talk.column("time", f"Which column is the time from day 0 to {outcome} or to the last contact?", guess.name, types=NUMBERS,
                           names=free, reason=guess.reason or "nothing sounds like it",
                           help="For outcomes with follow-up of different length. - where everybody was watched to the end.")  # fmt: skip
        if time is not None:
            _unit(talk, "time_unit", time)
            talk.put(Question(key="risk_at", text="At which time shall risks be compared (besides the whole curves)?", kind="length",
                              guess=_compared_at(talk, time), reason="a fifth of the patients are watched that long", optional=True,
                              help="Such as 30 days or 1 year."))  # fmt: skip
    if talk.given["day_0"] == COUNTED:
        return
    for key, what in (("death", "died"), ("discharge", "left the hospital"), ("last_seen", "was last seen alive")):
        free = roles.names(*MOMENTS, taken=talk.taken())
        guess = roles.first(key, free)
        if free:
            talk.column(key, f"Which date is when the patient {what}?", guess.name, types=MOMENTS, names=free,
                        reason=guess.reason or "nothing sounds like it", help="It gives survival curves from the dates.")  # fmt: skip
    answers = Answers(talk.given)
    if answers.one("discharge") and not answers.one("last_seen"):
        talk.put(Question(key="after_discharge", text="What is known of a patient after discharge?", kind="word",
                          choices={"alive": "known to be alive", "censored": "nothing", "competing": "discharge ends the risk"},
                          guess="censored", reason="nothing in the table says more", help="alive needs a horizon."))  # fmt: skip
    if answers.one("death") and (answers.one("discharge") or answers.one("last_seen")):
        talk.put(Question(key="horizon", text="Until when do events count?", kind="length", guess="30 days", reason="usual in shock",
                          help="Everybody's follow-up ends there. - counts to each patient's own end.", optional=answers.one("after_discharge") != "alive"))  # fmt: skip


def _compared_at(talk: Talk, time: str) -> str:
    """A round time that a fifth of the patients are watched for."""
    numbers, hours = talk.draft.facts[time].numbers, HOURS[talk.given["time_unit"][:-1]]
    assert numbers is not None
    reached = numbers.drop_nulls().quantile(1 - STILL_WATCHED, "lower") or 0.0
    days = [day for day in ROUND_TIMES if day * 24 <= reached * hours]
    return f"{days[-1]} days" if days else NONE


def _covariates(talk: Talk, outcome: str | None) -> None:
    taken = talk.taken()
    chosen, later = talk.roles.covariates(taken, _events(talk, outcome) // EVENTS_PER_PARAMETER)
    names = [name for name in talk.roles.names(*NUMBERS, "yesno", "category") if name not in taken]
    warned = f"; left out as they look measured after day 0: {', '.join(later)}" if later else ""
    talk.put(Question(
        key="covariates", text="Which columns were known before day 0 and cause both treatment and outcome (the adjustment set)?",
        kind="columns", choices={name: talk.draft.dictionary[name].label for name in names}, guess=", ".join(chosen) or NONE, optional=True,
        reason=f"as many as the events bear ({EVENTS_PER_PARAMETER} a coefficient), in the order of the table{warned}",
        others=others(talk.draft, names, _not_a_covariate),
        help="Never what happened after day 0 (complications, days in hospital): adjusting for it hides the effect.",
    ))  # fmt: skip


def _not_a_covariate(variable: Variable) -> str:
    return f"is a variable of type {variable.type}, or has another role already"


def _events(talk: Talk, outcome: str | None) -> int:
    """Events, or patients without one where they are fewer."""
    if outcome is None or "event" not in talk.given:
        return talk.draft.rows
    facts = talk.draft.facts[outcome]
    events = facts.held.get(talk.given["event"], 0)
    return events if Answers(talk.given).one("time") else min(events, facts.known - events)


def _title(talk: Talk) -> None:
    given = talk.given
    compared = given.get("treated_label") or (words(given["group"]) if given["group"] != NONE else "")
    outcome = given.get("outcome_label", "")
    guess = f"{compared} and {outcome.lower()}" if compared and outcome else compared or outcome or "A study"
    talk.put(Question(key="title", text="What is the title of the study?", guess=guess, reason="printed on the report",
                      help="Say what is compared in whom."))  # fmt: skip


def ask_about_table(name: str, draft: Draft, ask: Ask, patients_id: str | None) -> Answers:
    """Which column of a table with several rows a patient says whose row it is, and when."""
    talk = Talk(Roles(draft), ask)
    ids = talk.roles.names("id", "integer", "text", "category")
    guess = patients_id if patients_id in ids else talk.roles.id().name
    talk.column(f"{name}.id", f"Table {name}: which column is the study number of the patient?", guess, types=(), names=ids,
                reason="as in the table of patients", optional=False, help="It links the rows to the patients.")  # fmt: skip
    times = talk.roles.names(*MOMENTS, *NUMBERS, taken=talk.taken())
    dates = [name for name in times if draft.dictionary[name].type in MOMENTS]
    talk.column(f"{name}.time", f"Table {name}: which column is the time of the measurement?", dates[0] if dates else None, types=(),
                names=times, reason="the first date" if dates else "no date", help="For values such as the last lactate before day 0.")  # fmt: skip
    return Answers(talk.given)
