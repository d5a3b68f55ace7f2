import numpy as np
import pytest

from counterpulse.numerics import linear_algebra as la

SAME = 1e-12  # relative; sums in another order
CANCELED = 1e-9  # sums of 25,000 terms of both signs
CENTERED = 1e-6  # of a standard deviation; 1e9 is known to 1e-7


@pytest.fixture
def tall():
    rng = np.random.default_rng(2)
    return np.asfortranarray(rng.normal(size=(3 * la.BLOCK_ROWS + 17, 4)))


def test_blocks_cover_every_row_once():
    slices = list(la.row_blocks(2 * la.BLOCK_ROWS + 1))
    assert [(s.start, s.stop) for s in slices][-1] == (2 * la.BLOCK_ROWS, 2 * la.BLOCK_ROWS + 1)
    assert sum(s.stop - s.start for s in slices) == 2 * la.BLOCK_ROWS + 1
    assert list(la.row_blocks(0)) == []


def test_gram_with_and_without_weights(tall):
    weights = np.linspace(0, 2, len(tall))
    np.testing.assert_allclose(la.weighted_gram(tall), tall.T @ tall, rtol=SAME, atol=CANCELED)
    np.testing.assert_allclose(
        la.weighted_gram(tall, weights), tall.T @ (tall * weights[:, None]), rtol=SAME, atol=CANCELED
    )


def test_center_and_scale_far_from_zero():
    rng = np.random.default_rng(4)
    x = rng.normal(size=1000)
    X = np.asfortranarray(np.column_stack([x, x * 1e-200, x * 1e200, x + 1e9, np.full(1000, 0.1)]))
    center, scale = la.center_and_scale(X)
    for j in range(3):
        np.testing.assert_allclose(X[:, j], (x - x.mean()) / x.std(), rtol=CANCELED, atol=SAME)
    assert abs(X[:, 3].mean()) < CENTERED
    assert (center[4], scale[4]) == (0.1, 0.0)
    assert not X[:, 4].any()


def test_center_of_what_is_not_finite_is_not_finite():
    X = np.asfortranarray([[1.0, 2.0], [np.inf, 3.0]])
    center, _ = la.center_and_scale(X)
    assert np.isfinite(center).tolist() == [False, True]


def test_later_dependent_columns_are_left_out():
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(2, 50))
    X = np.column_stack([a, b * 1e6, a - 3 * b, a * 0, b + 1e-3 * rng.normal(size=50)])
    assert la.independent_columns(X.T @ X).tolist() == [True, True, False, False, True]


def test_solving_and_inverting_across_units():
    rng = np.random.default_rng(8)
    plain, units = rng.normal(size=(30, 3)), np.array([1e-8, 1.0, 1e8])
    gram = (plain * units).T @ (plain * units)
    expected = np.linalg.inv(plain.T @ plain) / np.outer(units, units)
    np.testing.assert_allclose(la.inverse_symmetric(gram), expected, rtol=CANCELED)
    right = gram @ np.array([1e8, 1.0, 1e-8])
    np.testing.assert_allclose(la.solve_symmetric(gram, right), [1e8, 1.0, 1e-8], rtol=CANCELED)
    with pytest.raises(np.linalg.LinAlgError):
        la.solve_symmetric(np.array([[1.0, 2.0], [2.0, 1.0]]), np.ones(2))
    with pytest.raises(np.linalg.LinAlgError):
        la.inverse_symmetric(np.array([[np.nan]]))


def test_cluster_sums_and_meat(tall):
    rng = np.random.default_rng(9)
    codes, factor = rng.integers(0, 7, len(tall)), rng.normal(size=len(tall))
    scores = tall * factor[:, None]
    sums = np.array([scores[codes == g].sum(axis=0) for g in range(7)])
    np.testing.assert_allclose(la.cluster_sums(tall, codes, 7, factor), sums, rtol=CANCELED, atol=CANCELED)
    np.testing.assert_allclose(la.meat(tall, factor, codes, 7), sums.T @ sums, rtol=CANCELED, atol=CANCELED)
    np.testing.assert_allclose(la.meat(tall, factor), scores.T @ scores, rtol=CANCELED, atol=CANCELED)
    alone = rng.permutation(len(tall))
    np.testing.assert_allclose(la.meat(tall, factor, alone, len(tall)), scores.T @ scores, rtol=CANCELED, atol=CANCELED)


def test_quadratic_forms(tall):
    matrix = np.cov(tall.T)
    expected = [row @ matrix @ row for row in tall[:50]]
    np.testing.assert_allclose(la.quadratic_forms(tall[:50], matrix), expected, rtol=SAME)
