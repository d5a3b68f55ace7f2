"""Items that the protocol answers by what it says of the study itself: title, registration, setting, conduct of a trial."""

from __future__ import annotations

import re
from collections.abc import Mapping

from counterpulse.protocol.nodes import Randomization, Registration
from counterpulse.report.checklists.evidence import TITLE_PAGE, Answer, Evidence, Rule, places, stands_in, there

IN_TITLE = {
    "cohort": r"cohort",
    "case-control": r"case[- ]control",
    "single-arm": r"single[- ]arm|case series|cohort",
    "randomized-trial": r"randomi[sz]ed",
    "review": r"systematic review|meta-analysis",
}


def writing(evidence: Evidence) -> Answer:
    """Nothing in a protocol or a result answers it."""
    return Answer("to-write")


def title_names_design(evidence: Evidence) -> Answer:
    """The title says what kind of study it is."""
    study = evidence.protocol.study
    named = re.search(IN_TITLE[study.design], study.title, re.IGNORECASE)
    return Answer("answered", "Title") if named else Answer("to-write")


def objectives(evidence: Evidence) -> Answer:
    """The comparison and its primary outcome are stated; the objective as a sentence is not."""
    compared = evidence.plan.groups and any(item.primary for item in evidence.plan.outcomes.values())
    return there(
        evidence.section("objectives") or evidence.section("exposure", "outcomes") if compared else "", state="partly"
    )


def setting(evidence: Evidence) -> Answer:
    """The setting is printed as the protocol gives it."""
    words = evidence.protocol.study.setting
    return Answer("partly", evidence.saying(words)) if words else Answer("to-write")


def data_source_in_title(evidence: Evidence) -> Answer:
    """The title page names the setting; whether that names the data is the researcher's to see."""
    words = evidence.protocol.study.setting
    return Answer("partly", TITLE_PAGE) if words else Answer("to-write")


def registration(evidence: Evidence) -> Answer:
    """The registration, with what it lacks; a study that has none is said to be unregistered."""
    known = evidence.protocol.study.registration
    if not isinstance(known, Registration):
        return Answer("to-write")
    lacking = [words for words, value in (("its address", known.link), ("its day", known.date)) if not value]
    if lacking:
        return Answer("partly", TITLE_PAGE, f"Add {' and '.join(lacking)}; the key is study.registration")
    return Answer("answered", TITLE_PAGE)


def funding(evidence: Evidence) -> Answer:
    """Who paid."""
    words = evidence.protocol.study.funding
    return Answer("answered", evidence.saying(words)) if words else Answer("to-write")


def ethics(evidence: Evidence) -> Answer:
    """The approval."""
    words = evidence.protocol.study.ethics
    return Answer("answered", evidence.saying(words)) if words else Answer("to-write")


def amendments(evidence: Evidence) -> Answer:
    """What was changed, when and why."""
    if not evidence.protocol.amendments:
        return Answer("to-write")
    return there(evidence.section("amendments") or evidence.labels("amendments") or evidence.section("reviewers"))


def sample_size(evidence: Evidence) -> Answer:
    """A calculation that the protocol gives and the document prints."""
    trial = evidence.protocol.trial
    if trial is None or trial.sample_size is None:
        return Answer("to-write")
    return there(evidence.section("sample-size"))


def interim(evidence: Evidence) -> Answer:
    """The looks that the protocol plans and the document prints."""
    trial = evidence.protocol.trial
    return there(evidence.section("interim") if trial is not None and trial.interim is not None else "")


def stopping(evidence: Evidence) -> Answer:
    """The plan of the looks is printed; whether it adjusts the level and when it stops, the researcher sees."""
    return there(interim(evidence).where, state="partly")


def trial_design(evidence: Evidence) -> Answer:
    """Type, allocation ratio and framework."""
    protocol = evidence.protocol
    whole = protocol.trial is not None and protocol.trial.allocation is not None and protocol.hypothesis is not None
    where = evidence.section("design", "randomization")
    return there(where, state="answered" if whole and evidence.section("randomization", "principles") else "partly")


def framework(evidence: Evidence) -> Answer:
    """Superiority, equivalence or non-inferiority."""
    return there(evidence.section("principles") if evidence.protocol.hypothesis is not None else "")


def _randomization(evidence: Evidence) -> Randomization | None:
    trial = evidence.protocol.trial
    return trial.randomization if trial is not None else None


def sequence(evidence: Evidence) -> Answer:
    """The method is printed; who made the sequence is not known here."""
    plan = _randomization(evidence)
    return there(evidence.section("randomization") if plan is not None and plan.method else "", state="partly")


def restriction(evidence: Evidence) -> Answer:
    """Blocks and strata."""
    if evidence.protocol.study.design != "randomized-trial":
        return Answer("not-applicable", remains="nobody was assigned at random")
    plan = _randomization(evidence)
    known = plan is not None and (plan.method or plan.blocks or plan.stratified_by)
    return there(evidence.section("randomization") if known else "")


def concealment(evidence: Evidence) -> Answer:
    """How the next allocation was hidden."""
    plan = _randomization(evidence)
    return there(evidence.section("randomization") if plan is not None and plan.concealment else "")


def blinding(evidence: Evidence) -> Answer:
    """Who was blinded."""
    trial = evidence.protocol.trial
    return there(evidence.section("randomization") if trial is not None and trial.blinding else "")


def blinded_how(evidence: Evidence) -> Answer:
    """Only where somebody was blinded."""
    trial = evidence.protocol.trial
    if trial is not None and trial.blinding and not any(trial.blinding.values()):
        return Answer("not-applicable", remains="nobody was blinded")
    return Answer("to-write")


def protocol_access(evidence: Evidence) -> Answer:
    """The digest says which protocol it was; where it can be read, the researcher says."""
    link = evidence.protocol.study.registration
    known = isinstance(link, Registration) and link.link
    return there(places(evidence.section("reproducibility"), TITLE_PAGE if known else ""), state="partly")


PROTOCOL_RULES: Mapping[str, Rule] = {
    "writing": writing,
    "title.design": title_names_design,
    "abstract": stands_in("abstract", state="partly"),
    "objectives": objectives,
    "setting": setting,
    "data-source.title": data_source_in_title,
    "data-source.period": data_source_in_title,
    "study.registration": registration,
    "study.funding": funding,
    "study.ethics": ethics,
    "amendments": amendments,
    "linkage": writing,
    "sample-size": sample_size,
    "trial.interim": interim,
    "trial.stopping": stopping,
    "trial.design": trial_design,
    "framework": framework,
    "trial.sequence": sequence,
    "trial.restriction": restriction,
    "trial.concealment": concealment,
    "trial.blinding": blinding,
    "trial.blinded-how": blinded_how,
    "protocol-access": protocol_access,
    "data-sharing": stands_in("data-protection", "reproducibility", state="partly"),
}
