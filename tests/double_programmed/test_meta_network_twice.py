"""Networks again by dense matrices: all contrasts against one arm, their full covariance, and a likelihood by grid and bisection."""

import json
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
from scipy import linalg, optimize

from counterpulse.synthesis.networks.contributions import contributions
from counterpulse.synthesis.networks.network_meta_analysis import network
from counterpulse.synthesis.networks.node_splitting import split_nodes
from counterpulse.synthesis.networks.ranking import rankogram

STORED = json.loads((Path(__file__).parents[1] / "against_r/reference/meta_network.json").read_text())["sets"]

CLOSED_FORM = 1e-9
MAXIMUM = 1e-6  # the slow maximizer stops at 1e-10 of a flat top, about 1e-7 of tau2
ROUNDING = 1e-12  # of numbers of size 1 that may be zero
SUMS = 1e-8  # differences of sums of squares of size 100, and inverses of them
NETMETA = 1e-5  # netmeta stops where the likelihood is flat
NETMETA_ZERO = 1e-8
DRAWN = 0.01  # 40,000 draws leave a standard error of at most 0.0025


def stored(name):
    given = STORED[name]["contrasts"]
    kept = [row for row, value in enumerate(given["effect"]) if value is not None]
    column = {key: [values[row] for row in kept] for key, values in given.items()}
    variances = [error**2 for error in column["std_error"]]
    return column["effect"], variances, column["treatment_1"], column["treatment_2"], column["study"]


def drawn(seed, treatments=6, studies=14):
    """A connected network with studies of two to four arms."""
    random = np.random.default_rng(seed)
    names = [f"t{i}" for i in range(treatments)]
    truth = dict(zip(names, random.normal(0, 0.5, treatments), strict=True))
    rows = []
    for study in range(studies):
        fixed = [names[study % treatments], names[(study + 1) % treatments]]
        others = [name for name in names if name not in fixed]
        arms = fixed + list(random.choice(others, random.integers(0, 3), replace=False))
        variance = {arm: random.uniform(0.01, 0.2) for arm in arms}
        value = {arm: truth[arm] + random.normal(0, np.sqrt(variance[arm] + 0.05)) for arm in arms}
        for first, second in combinations(random.permutation(arms), 2):
            rows.append(
                (value[first] - value[second], variance[first] + variance[second], str(first), str(second), f"s{study}")
            )
    return tuple(map(list, zip(*rows, strict=True)))


class Dense:
    """Contrasts of every study against its arm number `base` (from a sorted list), with covariances built pair by pair."""

    def __init__(self, data, base=0, sampling_covariance=True):
        effects, variances, first, second, study = data
        self.treatments = sorted({*first, *second})
        y, rows, within, between, self.design_of = [], [], [], [], []
        for label in dict.fromkeys(study):
            at = [row for row, other in enumerate(study) if other == label]
            arms = sorted({first[row] for row in at} | {second[row] for row in at})
            effect = {(first[row], second[row]): effects[row] for row in at}
            effect |= {(b, a): -value for (a, b), value in effect.items()}
            variance = {frozenset((first[row], second[row])): variances[row] for row in at}
            against = base(arms, at, first, second) if callable(base) else arms[base]
            others = [arm for arm in arms if arm != against]
            y += [effect[arm, against] for arm in others]
            rows += [[(name == arm) - (name == against) for name in self.treatments] for arm in others]
            self.design_of += [tuple(arms)] * len(others)
            block = np.zeros((len(others), len(others)))
            for i, a in enumerate(others):
                for j, b in enumerate(others):
                    own, other = variance[frozenset((a, against))], variance[frozenset((b, against))]
                    if i == j:
                        block[i, j] = own
                    elif sampling_covariance:
                        block[i, j] = (own + other - variance[frozenset((a, b))]) / 2
            within.append(block)
            between.append((np.eye(len(others)) + 1) / 2)
        self.y, self.x = np.array(y), np.array(rows, dtype=float)[:, 1:]
        self.within, self.between = linalg.block_diag(*within), linalg.block_diag(*between)

    def fit(self, tau2, x=None):
        x = self.x if x is None else x
        inverse = np.linalg.inv(self.within + tau2 * self.between)
        bread = np.linalg.pinv(x.T @ inverse @ x)
        b = bread @ x.T @ inverse @ self.y
        r = self.y - x @ b
        return b, bread, r @ inverse @ r

    def moment(self):
        inverse = np.linalg.inv(self.within)
        bread = np.linalg.inv(self.x.T @ inverse @ self.x)
        p = inverse - inverse @ self.x @ bread @ self.x.T @ inverse
        return max(0.0, (self.y @ p @ self.y - len(self.y) + self.x.shape[1]) / np.trace(p @ self.between))

    def minus_log_likelihood(self, tau2, restricted):
        _, bread, q = self.fit(tau2)
        value = np.linalg.slogdet(self.within + tau2 * self.between)[1] + q
        return (value - np.linalg.slogdet(bread)[1] if restricted else value) / 2

    def maximum(self, restricted):
        grid = np.concatenate(([0.0], np.geomspace(1e-6, 20, 400)))
        values = [self.minus_log_likelihood(tau2, restricted) for tau2 in grid]
        best = int(np.argmin(values))
        if best == 0:
            return 0.0
        ends = (grid[best - 1], grid[min(best + 1, len(grid) - 1)])
        found = optimize.minimize_scalar(
            lambda tau2: self.minus_log_likelihood(tau2, restricted),
            bounds=ends,
            method="bounded",
            options={"xatol": 1e-12},
        )
        return found.x


NETWORKS = [stored(name) for name in sorted(STORED)] + [drawn(seed) for seed in (1, 2, 3, 4)]


@pytest.mark.parametrize("data", NETWORKS)
@pytest.mark.parametrize("base", [0, -1])
def test_effects_and_q_by_dense_least_squares(data, base):
    slow = Dense(data, base)
    made = network(*data, tau2="DL")
    assert made.tau2 == pytest.approx(slow.moment(), rel=CLOSED_FORM, abs=ROUNDING)
    assert made.q == pytest.approx(slow.fit(0.0)[2], rel=CLOSED_FORM)
    for model in (made.common, made.random):
        b, bread, _ = slow.fit(model.tau2)
        np.testing.assert_allclose(model.fit.potentials[1:], b, rtol=CLOSED_FORM, atol=ROUNDING)
        np.testing.assert_allclose(model.fit.covariance[1:, 1:], bread, rtol=CLOSED_FORM, atol=ROUNDING)


@pytest.mark.parametrize("data", NETWORKS)
@pytest.mark.parametrize(("estimator", "restricted"), [("REML", True), ("ML", False)])
def test_likelihood_estimators_by_dense_matrices(data, estimator, restricted):
    assert network(*data, tau2=estimator).tau2 == pytest.approx(
        Dense(data).maximum(restricted), rel=MAXIMUM, abs=MAXIMUM**2
    )


def middle_in_order(arms, at, first, second):
    """The second of the arms in the order in which the rows name them."""
    return list(dict.fromkeys(name for row in at for name in (first[row], second[row])))[1]


def first_in_order(arms, at, first, second):
    return first[at[0]]


@pytest.mark.parametrize(
    ("name", "base"),
    [("senn2013", middle_in_order), ("hasselblad1998", middle_in_order), ("dogliotti2014", first_in_order)],
)
@pytest.mark.parametrize(("estimator", "restricted"), [("REML", True), ("ML", False)])
def test_why_netmeta_differs(name, base, estimator, restricted):
    """Its tau2 is the maximum when sampling errors of contrasts of a study against one arm are taken as independent."""
    slow = Dense(stored(name), base, sampling_covariance=False)
    assert slow.maximum(restricted) == pytest.approx(STORED[name][estimator]["tau2"], rel=NETMETA, abs=NETMETA_ZERO)


@pytest.mark.parametrize("data", NETWORKS)
def test_designs_by_dense_interactions(data):
    slow, made = Dense(data), network(*data, tau2="DL").decomposition
    designs = sorted(set(slow.design_of))

    def own(design):
        return slow.x * np.array([each == design for each in slow.design_of])[:, None]

    full = np.hstack([own(design) for design in designs])
    within = slow.fit(0.0, full)[2]
    assert made.within.statistic == pytest.approx(within, rel=CLOSED_FORM, abs=SUMS)
    assert made.between.df == np.linalg.matrix_rank(full) - slow.x.shape[1]
    if made.within.df:
        left = slow.fit(made.tau2_within)[2] - slow.fit(made.tau2_within, full)[2]
        assert made.between_random.statistic == pytest.approx(left, rel=SUMS, abs=SUMS)
    else:
        assert np.isnan([made.tau2_within, made.between_random.p_value]).all()
    detached = {each.design: each.test for each in made.detached}
    for design in designs:
        x = np.hstack([slow.x, own(design)])
        df = np.linalg.matrix_rank(full) - np.linalg.matrix_rank(x)
        assert (design in detached) == (df < made.between.df)
        if design in detached:
            assert detached[design].df == df
            expected = slow.fit(0.0, x)[2] - within
            assert detached[design].statistic == pytest.approx(expected, rel=SUMS, abs=SUMS)


@pytest.mark.parametrize("data", [drawn(seed, treatments=5) for seed in (7, 8, 9)])
def test_contributions_by_walking_every_path(data):
    made = contributions(network(*data))
    names = sorted({*data[2], *data[3]})
    for row, (start, end) in enumerate(made.comparisons):
        flow = {}
        for value, (a, b) in zip(made.hat[row], made.evidence, strict=True):
            flow[(a, b) if value > 0 else (b, a)] = abs(value)
        leaving = {name: sum(value for (a, _), value in flow.items() if a == name) for name in names}
        share, total = dict.fromkeys(made.evidence, 0.0), 0.0
        inner = [name for name in names if name not in (start, end)]
        for size in range(len(inner) + 1):
            for between in permutations(inner, size):
                steps = list(zip((start, *between), (*between, end), strict=True))
                if not all(step in flow for step in steps):
                    continue
                chance = np.prod([flow[step] / leaving[step[0]] for step in steps])
                total += chance
                for a, b in steps:
                    share[(a, b) if (a, b) in share else (b, a)] += chance / len(steps)
        assert total == pytest.approx(1, abs=SUMS)
        np.testing.assert_allclose(made.share[row], list(share.values()), atol=SUMS)


@pytest.mark.parametrize("data", NETWORKS)
def test_hat_matrix_of_pairs_gives_the_network_effects(data):
    """Direct effects of aggregated pairs, weighted by the hat matrix, are the network's effects where no study has three arms."""
    made = network(*data)
    found = contributions(made)
    np.testing.assert_allclose(found.share.sum(axis=1), 1, atol=SUMS)
    if any(len(study.arms) > 2 for study in made.contrasts.studies):
        return
    direct = made.random.evidence.direct
    effects = np.array([direct.estimate[direct.at(a, b)] for a, b in found.evidence])
    expected = [made.random.effects.estimate[direct.at(a, b)] for a, b in found.comparisons]
    np.testing.assert_allclose(found.hat @ effects, expected, atol=SUMS)


@pytest.mark.parametrize("data", [*NETWORKS[:3], drawn(5, treatments=4, studies=30)])
def test_a_split_node_has_the_network_without_the_direct_studies(data):
    """Without studies of more than two arms the indirect effect is the network's when the direct studies are left out."""
    two_armed = [row for row in range(len(data[0])) if data[4].count(data[4][row]) == 1]
    kept = tuple([column[row] for row in two_armed] for column in data)
    made = network(*kept, tau2=0.05)
    for split in split_nodes(made).splits:
        if not np.isfinite(split.indirect.value):
            continue
        pair = {split.treatment, split.against}
        rest = [row for row in range(len(kept[0])) if {kept[2][row], kept[3][row]} != pair]
        without = network(*([column[row] for row in rest] for column in kept), tau2=0.05)
        expected = without.effect(split.treatment, split.against)
        assert split.indirect.value == pytest.approx(expected.value, abs=SUMS)
        assert split.indirect.std_error == pytest.approx(expected.std_error, rel=SUMS)


def test_ranks_by_simulation_agree_with_p_scores():
    """The P-score is the expected SUCRA (Rücker and Schwarzer 2015)."""
    made = network(*NETWORKS[0])
    drawn_ranks = rankogram(made.treatments, made.random.fit, small_values="good", seed=1, draws=40_000)
    np.testing.assert_allclose(drawn_ranks.sucra, made.random.p_scores, atol=DRAWN)
    np.testing.assert_allclose(drawn_ranks.probabilities.sum(axis=0), 1)
    again = rankogram(made.treatments, made.random.fit, small_values="good", seed=1, draws=40_000)
    np.testing.assert_array_equal(again.probabilities, drawn_ranks.probabilities)
