"""What a researcher reads after a slip of the pen: the whole text, kept in `findings.txt`.

`COUNTERPULSE_SNAPSHOTS=write pytest tests/unit/protocol/test_findings.py` writes the file anew; read its difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from written_review import REVIEW, REVIEW_SLIPS, review_findings

from counterpulse.errors import ProtocolError

SNAPSHOT = Path(__file__).with_name("findings.txt")

SLIPS = {
    # the language
    "a misspelled word": ("better: lower", "better: lowr"),
    "a misspelled key": ("  title: Balloon", "  tittle: Balloon"),
    "a key that belongs elsewhere": ("exposure: {given: pump,", "exposure: {given: pump, grace: 24 hours,"),
    "a missing key": ("rule: age >= 18, if_unknown", "if_unknown"),
    "a number as a word": ("alpha: 0.05", "alpha: five"),
    "a number out of range": ("alpha: 0.05", "alpha: 95"),
    "a time without its unit": ("at: 24 hours", "at: 24"),
    "not yes and not no": ("data_seen_before_plan: yes", "data_seen_before_plan: perhaps"),
    "two references": ("reference: {none: No balloon pump}", "reference: {none: No balloon pump, other: Other}"),
    "a name with a blank": ("variable: pump_after", "variable: pump after"),
    "a derived variable of two kinds": ("rule: bmi >= 28}", "rule: bmi >= 28, value: bmi}"),
    "an empty line": ("alpha: 0.05", "alpha:"),
    "a rule cut at a comma": ('rule: mode = "VA" and shock = yes', "rule: mode in (VA, VV)"),
    "a text cut at a comma": ("text: Veno-arterial ECMO for", "text: Veno-arterial ECMO, for"),
    "a misspelled key in a term": ("{variable: bmi, per: 5}", "{varable: bmi, per: 5}"),
    # expressions
    "a misspelled column": ("rule: age >= 18, if", "rule: agee >= 18, if"),
    "a misspelled level": ('mode = "VA"', 'mode = "VE"'),
    "an unfinished rule": ("rule: bmi >= 28}", "rule: bmi >= }"),
    "a population in a criterion": ("rule: pregnant = yes", "rule: adults and pregnant = yes"),
    "a rule in quotes": ("rule: age >= 18, if", 'rule: "agee >= 18", if'),
    # names
    "an unknown outcome": ("outcome: death_hospital", "outcome: death_hosptal"),
    "an unknown adjustment set": ("adjust: baseline", "adjust: basline"),
    "an unknown confounder": ("[age, sex, {", "[age, sexx, {"),
    "an unknown analysis": ("of: A1, missing_data", "of: A9, missing_data"),
    "an unknown amended analysis": ("touches: [A1, adult]", "touches: [A1, adlt]"),
    "the same id twice": ("{id: A2, role", "{id: A1, role"),
    "a group that is no level": ("treated: {pump: Balloon", "treated: {pmp: Balloon"),
    "a circle": ("obese: {label: Obese, rule: bmi >= 28}", "obese: {rule: heavy = yes}\n  heavy: {rule: obese = yes}"),
    "a shadow": ("  obese: {", "  bmi: {"),
    "a number without a cut": ("by: [{variable: age, cut: [65]}", "by: [age"),
    # design
    "no time zero": ("time_zero: ecmo_start\n", ""),
    "a time zero without time": ("time_zero: ecmo_start", "time_zero: age"),
    "no plan for immortal time": ("immortal_time: {plan: landmark, at: 24 hours}\n", ""),
    "a landmark without its time": ("{plan: landmark, at: 24 hours}", "{plan: landmark}"),
    "a landmark finer than the data": (
        "exposure: {given: pump, starts: pump_time}\nimmortal_time: {plan: landmark, at: 24 hours}",
        "exposure: {given: pump, starts: pump_date}\nimmortal_time: {plan: landmark, at: 6 hours}",
    ),
    "an outcome without its event": ("type: binary, event: died = yes,", "type: binary,"),
    "an outcome with a foreign key": ("value: icu_days", "value: icu_days, horizon: 30 days"),
    "no direction": ("value: icu_days, better: lower", "value: icu_days"),
    "no end of follow-up": (", discharge: discharge_time, after_discharge: alive}", "}"),
    # honesty
    "no primary analysis": ("role: primary", "role: secondary"),
    "two primary analyses": ("{id: A2, role: secondary", "{id: A2, role: primary"),
    "another estimand": ("of: A1, missing_data: complete-case", "of: A1, population: adults"),
    "a P value a stratum": ("subgroups: {of: A1,", "subgroups: {of: A1, p_values: yes,"),
    "registered without registration": ("registration: none", "registration: none\n  planned: registered"),
    "a level that is alpha": ("method: kaplan-meier,", "method: kaplan-meier, level: 0.05,"),
    "selected covariates": ("adjust: baseline", "adjust: {select: stepwise, from: baseline}"),
}


def _findings(text, linted):
    try:
        return linted(text)
    except ProtocolError as error:
        return error.findings


def test_the_registry_protocol_has_no_findings(registry, linted):
    assert [finding.text() for finding in linted(registry)] == []


def test_every_slip_is_told_as_it_is_kept(changed, linted, read):
    told = {name: _findings(changed(*slip), linted) for name, slip in SLIPS.items()}
    told |= {
        f"a review: {name}": review_findings(read, REVIEW.replace(old, new, 1))
        for name, (old, new, _) in REVIEW_SLIPS.items()
    }
    text = "".join(
        f"=== {name}\n" + "".join(f"{finding.text()}\n" for finding in findings) + "\n"
        for name, findings in told.items()
    )
    if os.environ.get("COUNTERPULSE_SNAPSHOTS") == "write":
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SLIPS)
def test_every_slip_has_a_place_and_a_remedy(name, changed, linted):
    findings = _findings(changed(*SLIPS[name]), linted)
    assert findings
    for finding in findings:
        assert finding.where.line is not None
        assert finding.where.column is not None
        assert finding.remedy


def test_all_at_once(registry, linted):
    text = registry.replace("better: lower", "better: lowr").replace("alpha: 0.05", "alpha: five")
    assert [finding.code for finding in _findings(text, linted)] == ["E223"] * 4 + ["E224"]
