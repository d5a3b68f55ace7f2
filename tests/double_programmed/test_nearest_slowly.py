"""Nearest-neighbor matching and Kolmogorov-Smirnov distances again, one patient after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.propensity import nearest
from counterpulse.propensity.covariate_balance import kolmogorov_smirnov, share_weights
from counterpulse.propensity.nearest import ORDERS, Rules, nearest_controls

ROUNDING = 1e-12  # absolute; the same shares summed in another order


def allowed(rules, i, z):
    same = rules.strata is None or rules.strata[i] == rules.strata[z]
    return bool(
        same
        and (np.abs(rules.near[i] - rules.near[z]) <= rules.limits).all()
        and (rules.apart[i] != rules.apart[z]).all()
    )


def slow(score, treated, rules):
    """Look at every control for every treated unit; a list in order of preference, kept sorted."""
    units = np.flatnonzero(treated)
    ranks = np.argsort(np.lexsort((score, np.zeros(len(score)) if rules.strata is None else rules.strata)))
    turn = ORDERS[rules.order].of_treated(score[units], rules.seed)
    by = ORDERS[rules.order].by_distance
    used, matched = set(), {int(k): [] for k in range(len(units))}

    def best(k):
        i = units[k]
        free = [
            z
            for z in np.flatnonzero(~treated)
            if (rules.replace and z not in matched[k]) or (not rules.replace and z not in used)
        ]
        near = [z for z in free if abs(score[z] - score[i]) <= rules.width and allowed(rules, i, z)]
        return min(near, key=lambda z: (abs(score[z] - score[i]), abs(ranks[z] - ranks[i]), ranks[z]), default=None)

    for turned in range(int(rules.wanted.max(initial=0))):
        ready = [int(k) for k in turn if rules.wanted[k] > turned and len(matched[k]) == turned]
        if by:
            first = [(k, best(k)) for k in ready]
            waiting = [
                (by * abs(score[z] - score[units[k]]), 0, place, k, z)
                for place, (k, z) in enumerate(first)
                if z is not None
            ]
            again = 0
            while waiting:
                waiting.sort()
                _, _, _, k, z = waiting.pop(0)
                if rules.replace or z not in used:
                    matched[k].append(z)
                    used.add(z)
                elif (z := best(k)) is not None:
                    again -= 1
                    waiting.append((by * abs(score[z] - score[units[k]]), again, 0, k, z))
            continue
        for k in ready:
            if (z := best(k)) is not None:
                matched[k].append(z)
                used.add(z)
    return {(int(units[k]), int(z)) for k, found in matched.items() for z in found}


@st.composite
def problems(draw):
    n = draw(st.integers(2, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    score = random.integers(0, draw(st.integers(2, 60)), n) / 8
    treated = random.random(n) < draw(st.floats(0.2, 0.7))
    constraints = draw(st.integers(0, 3))
    wanted = random.integers(1, draw(st.integers(1, 3)) + 1, int(treated.sum()))
    return score, treated, Rules(
        order=draw(st.sampled_from(list(ORDERS))), seed=3, wanted=wanted, width=draw(st.sampled_from([np.inf, 1.0, 0.25])),
        strata=random.integers(0, 2, n) if constraints & 1 else None,
        near=random.integers(0, 5, (n, constraints // 2)).astype(float), limits=np.full(constraints // 2, 2.0),
        apart=random.integers(0, 4, (n, draw(st.integers(0, 1)))), replace=draw(st.booleans()),
    )  # fmt: skip


def pairs_of(score, treated, rules):
    partner = nearest_controls(score, treated, rules)
    who, turn = np.nonzero(partner >= 0)
    return {(int(i), int(z)) for i, z in zip(np.flatnonzero(treated)[who], partner[who, turn], strict=True)}


@settings(max_examples=300, deadline=None)
@given(problems())
def test_every_pair_is_the_one_found_slowly(problem):
    assert pairs_of(*problem) == slow(*problem)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(problems())
def test_the_compiled_loop_makes_the_same_pairs(problem):
    pytest.importorskip("numba")
    with pytest.MonkeyPatch.context() as patch:
        plain = pairs_of(*problem)
        patch.setattr(nearest, "COMPILED_FROM", 0)
        assert pairs_of(*problem) == plain


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 3000), st.integers(1, 400), st.integers(0, 2**32))
def test_the_largest_distance_is_found_among_all_values(n, distinct, seed):
    random = np.random.default_rng(seed)
    values = random.integers(0, distinct, n) / distinct
    treated = np.arange(n) % 2 == 0
    weighing = share_weights(random.random(n) + 0.01, treated)
    slow = max(abs((weighing.treated - weighing.control)[values <= value].sum()) for value in values)
    assert kolmogorov_smirnov(values, [weighing])[0] == pytest.approx(slow, abs=ROUNDING)
