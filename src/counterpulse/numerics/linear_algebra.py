"""Products, ranks, inverses and cluster sums of tall matrices, with no temporary of the size of the matrix."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Floats = NDArray[np.float64]

BLOCK_ROWS = 8192
"""Rows a block: 20 columns of it stay in the second-level cache."""

PRODUCT_ROWS = 2048
"""Rows a block of a product of two matrices: beyond, OpenBLAS starts a second thread, and waits for it."""

RUN_ROWS = 64

ONE_THREAD = 2**18
"""Multiplications up to which OpenBLAS keeps a product in one thread; a second one stalls on a busy machine."""

DEPENDENT = 1e-10
"""A column is dependent when the others explain all but this part of its sum of squares (a VIF above 1e10)."""


def row_blocks(n: int, size: int = BLOCK_ROWS) -> Iterator[slice]:
    """Consecutive slices that cover `n` rows."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def spread_rows(n: int, step: int) -> NDArray[np.intp]:
    """Indices of about every `step`-th of `n` rows, in short runs that lie together in memory."""
    runs = np.arange(0, n - RUN_ROWS + 1, RUN_ROWS * step)
    rows: NDArray[np.intp] = (runs[:, None] + np.arange(RUN_ROWS)).ravel()
    return rows


def weighted_gram(X: Floats, weights: Floats | None = None) -> Floats:
    """``X' diag(weights) X`` of shape (p, p), accumulated in row blocks."""
    n, p = X.shape
    total = np.zeros((p, p))
    buffer = np.empty((min(n, PRODUCT_ROWS), p), order="F")
    for rows in row_blocks(n, PRODUCT_ROWS):
        block = X[rows]
        if weights is None:
            total += block.T @ block
        else:
            total += np.multiply(block, weights[rows, None], out=buffer[: block.shape[0]]).T @ block
    symmetric: Floats = (total + total.T) / 2
    return symmetric


def quadratic_forms(X: Floats, matrix: Floats) -> Floats:
    """``x_i' matrix x_i`` of the rows of a column-major matrix, shape (n,)."""
    n, p = X.shape
    out = np.empty(n)
    for rows in row_blocks(n, max(1, ONE_THREAD // p**2)):
        turned = X[rows].T
        out[rows] = np.multiply(matrix @ turned, turned).sum(axis=0)
    return out


def center_and_scale(X: Floats) -> tuple[Floats, Floats]:
    """Center the columns and divide them by their root mean square deviation, in place.

    Returns
    -------
    center : shape (p,), what was subtracted; not finite where the column is not, which is then left as it is
    scale : shape (p,), what was divided by; 0 marks a column of one value, which is left at 0
    """
    n, p = X.shape
    center, scale = np.zeros(p), np.zeros(p)
    for j in range(p):
        column = X[:, j]
        low, high = float(column.min()), float(column.max())
        if low == high or not np.isfinite(high - low):
            center[j] = low if low == high else np.nan
            column -= center[j] if np.isfinite(center[j]) else 0.0
            continue
        center[j] = column.mean()
        column -= center[j]
        scale[j] = float(linalg.blas.dnrm2(column)) / np.sqrt(n)
        column /= scale[j]
    return center, scale


def independent_columns(gram: Floats, tolerance: float = DEPENDENT) -> NDArray[np.bool_]:
    """Which columns are no linear combination of columns before them, from their Gram matrix; shape (p,).

    Of dependent columns the later ones are left out, as R does. The test is on the scale of each column's own sum of
    squares, so units do not matter.
    """
    p = gram.shape[0]
    size = np.sqrt(np.diag(gram))
    unit = np.divide(1.0, size, out=np.zeros(p), where=size > 0)
    left = gram * unit[:, None] * unit[None, :]
    independent = np.zeros(p, dtype=bool)
    for j in range(p):
        if left[j, j] > tolerance:
            independent[j] = True
            sweep = left[:, j] / left[j, j]
            left = left - np.outer(sweep, left[j])
    return independent


def solve_symmetric(matrix: Floats, right: Floats) -> Floats:
    """Solve ``matrix @ x = right`` for a positive definite matrix, equilibrated first.

    Raises
    ------
    numpy.linalg.LinAlgError : the matrix is not positive definite
    """
    unit = _equilibration(matrix)
    factor = linalg.cho_factor(matrix * np.outer(unit, unit), lower=True)
    scaled = right * (unit if right.ndim == 1 else unit[:, None])
    solution: Floats = linalg.cho_solve(factor, scaled) * (unit if right.ndim == 1 else unit[:, None])
    return solution


def inverse_symmetric(matrix: Floats) -> Floats:
    """Invert a positive definite matrix; the result is exactly symmetric.

    Raises
    ------
    numpy.linalg.LinAlgError : the matrix is not positive definite
    """
    inverse = solve_symmetric(matrix, np.eye(matrix.shape[0]))
    return (inverse + inverse.T) / 2


def _equilibration(matrix: Floats) -> Floats:
    diagonal = np.diag(matrix)
    if not (np.isfinite(matrix).all() and (diagonal > 0).all()):
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    return 1 / np.sqrt(diagonal)


def cluster_sums(X: Floats, codes: NDArray[np.intp], count: int, factor: Floats | None = None) -> Floats:
    """Sum the rows of X (times `factor`, shape (n,)) by cluster; shape (count, p)."""
    total = np.empty((count, X.shape[1]), order="F")
    for j in range(X.shape[1]):
        values = X[:, j] if factor is None else X[:, j] * factor
        total[:, j] = np.bincount(codes, weights=values, minlength=count)
    return total


def meat(X: Floats, factor: Floats, codes: NDArray[np.intp] | None = None, count: int = 0) -> Floats:
    """``sum_g s_g s_g'`` with ``s_g`` the sum over cluster g of ``x_i * factor_i``; every row its own cluster if None."""
    if codes is None or count == len(codes):
        return weighted_gram(X, factor * factor)
    return weighted_gram(cluster_sums(X, codes, count, factor))
