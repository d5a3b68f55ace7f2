"""A review run again: what moved, and which study moved it."""

import json
from math import exp, log

import pytest

from counterpulse.results.on_disk import to_json
from counterpulse.study.reviewing.living import move_lines, review_moves
from counterpulse.synthesis.pooling.pool import pool

SHOWN = 1e-6  # a study's effect and variance are read back from its printed limits, and pooled by REML


@pytest.fixture
def stored(review):
    def run(*rows, **keys):
        return json.loads(json.dumps(to_json(review.result(*rows, **keys))))

    return run


def effects(rows):
    tables = [
        (
            row["events_treated"],
            row["n_treated"] - row["events_treated"],
            row["events_control"],
            row["n_control"] - row["events_control"],
        )
        for row in rows
    ]
    return [log(a * d / (b * c)) for a, b, c, d in tables], [sum(1 / cell for cell in table) for table in tables]


def test_nothing_moved(stored, four):
    assert review_moves(stored(*four), stored(*four)) == ()


def test_an_added_study_moves_the_effect_by_what_it_is_worth(stored, four, counts):
    new = counts(("Ely 2021", 40, 80, 20, 80))
    (move,) = review_moves(stored(*four), stored(*four, *new))
    (mover,) = move.movers
    assert (mover.study, mover.change) == ("Ely 2021", "added")
    assert mover.shift == pytest.approx(pool(*effects([*four, *new])).effect - pool(*effects(four)).effect, rel=SHOWN)
    assert (move.before["studies"], move.after["studies"]) == (4, 5)
    assert exp(mover.shift) == pytest.approx(move.after["estimate"] / move.before["estimate"], rel=SHOWN)
    text = "\n".join(move_lines([move]))
    assert "Ely 2021: added" in text
    assert "studies: 4 -> 5" in text


def test_a_removed_and_a_changed_study_are_told_apart(stored, four):
    later = [four[0] | {"events_treated": 20}, *four[1:3]]
    (move,) = review_moves(stored(*four), stored(*later))
    assert {mover.study: mover.change for mover in move.movers} == {"Ames 2001": "changed", "Dover 2016": "removed"}
    shifts = [abs(mover.shift) for mover in move.movers]
    assert shifts == sorted(shifts, reverse=True)


def test_an_analysis_that_is_new_or_gone(stored, four):
    two = "[{id: M1, role: primary, outcome: death}, {id: M2, role: sensitivity, of: M1, tau2: DL}]"
    assert [(move.analysis, move.before) for move in review_moves(stored(*four), stored(*four, analyses=two))] == [
        ("M2", None)
    ]
    assert [(move.analysis, move.after) for move in review_moves(stored(*four, analyses=two), stored(*four))] == [
        ("M2", None)
    ]


def test_counts_pooled_otherwise_have_movers_without_a_shift(stored, four, counts):
    peto = "[{id: M1, role: primary, outcome: death, model: peto}]"
    (move,) = review_moves(
        stored(*four, analyses=peto), stored(*four, *counts(("Ely 2021", 40, 80, 20, 80)), analyses=peto)
    )
    assert [mover.shift for mover in move.movers] == [None]


def test_a_certainty_that_changed_is_told(stored, four):
    domains = ("risk of bias", "inconsistency", "indirectness", "imprecision")
    rated = ", ".join(f"{name}: {{rating: not serious, reason: r}}" for name in domains)
    keys = [
        f"{{tool: grade, start: high, judged: {{death: {{{rated}, publication bias: {{rating: {word}, reason: r}}}}}}}}"
        for word in ("undetected", "strongly suspected")
    ]
    (move,) = review_moves(*(stored(*four, certainty=key) for key in keys))
    assert (move.before["certainty"], move.after["certainty"]) == ("high", "moderate")
    assert move.movers == ()


def test_other_studies_have_no_moves():
    tree = {"study": {"design": "cohort"}}
    assert review_moves(tree, tree) == ()
