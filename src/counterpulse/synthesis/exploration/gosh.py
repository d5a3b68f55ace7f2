"""Every subset of the studies pooled (graphical display of study heterogeneity): clusters of subsets betray outliers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.synthesis.engine.between_variance import between_variance, estimator_named
from counterpulse.synthesis.engine.heterogeneity import heterogeneity
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.pooling.asked import choice
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ALL_UP_TO = 15
"""Studies up to which every subset is pooled: 2^15 is 32,768."""

SAMPLED = 10_000
CHUNK = 4096
"""Subsets a batch: their arrays stay in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gosh:
    """Pooled subsets of two studies or more; every array has a row a subset.

    Attributes
    ----------
    effect, tau2, i2, q : pooled effect, variance between studies, I2 (a fraction) and Cochran's Q
    size : studies in the subset
    membership : which studies are in it, packed eight to a byte, shape (B, ceil(k / 8)); see `members`
    k : studies
    complete : every subset is here; else a sample
    """

    effect: Floats
    tau2: Floats
    i2: Floats
    q: Floats
    size: NDArray[np.int64]
    membership: NDArray[np.uint8]
    k: int
    complete: bool
    provenance: Provenance

    def members(self, study: int | None = None) -> Flags:
        """Whether the studies are in each subset, shape (B, k); of one study (counted from 1), shape (B,)."""
        flags = np.unpackbits(self.membership, axis=1, count=self.k).astype(bool)
        if study is None:
            return flags
        if not 1 <= study <= self.k:
            raise InputError(f"study {study} is not among the {self.k}; they count from 1")
        one: Flags = flags[:, study - 1]
        return one

    def tidy(self) -> pl.DataFrame:
        """One row a subset."""
        return pl.DataFrame({"k": self.size, "estimate": self.effect, "tau2": self.tau2, "i2": self.i2, "q": self.q})


def gosh(yi: ArrayLike, vi: ArrayLike, *, tau2: str = "REML", subsets: int | None = None, seed: int = 1) -> Gosh:
    """Pool all ``2^k - 1 - k`` subsets of two studies or more, or a random sample of them.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    tau2 : estimator of the variance between studies of every subset
    subsets : how many to draw, each with the same chance, with replacement; by default all of them up to 15 studies and
        10,000 beyond
    seed : of the draws

    Raises
    ------
    InputError : of effects or variances that cannot be pooled, fewer than 2 studies, or no subsets asked for

    References
    ----------
    Olkin, Dahabreh and Trikalinos 2012, doi:10.1002/jrsm.1053.
    """
    y, v = read_studies(yi, vi)
    if len(y) < 2:
        raise InputError("subsets need 2 studies or more; report the one study")
    if subsets is not None and subsets < 1:
        raise InputError(f"subsets is {subsets}; ask for 1 or more")
    estimator = estimator_named(tau2)
    complete = subsets is None and len(y) <= ALL_UP_TO
    flags = _all_subsets(len(y)) if complete else _drawn_subsets(len(y), subsets or SAMPLED, seed)
    effect, between, i2, q = (np.concatenate(parts) for parts in zip(*_pooled(y, v, flags, estimator), strict=True))
    drawn = (
        ()
        if complete
        else (Choice("subsets", len(flags), "default" if subsets is None else "given"), Choice("seed", seed, "given"))
    )
    return Gosh(
        effect=effect, tau2=between, i2=i2, q=q, size=flags.sum(axis=1), membership=np.packbits(flags, axis=1), k=len(y),
        complete=complete, provenance=Provenance("GOSH", (choice("tau2", estimator, "REML"), *drawn), ("olkin-2012",)),
    )  # fmt: skip


def _all_subsets(k: int) -> Flags:
    """Every subset of two or more in the order of binary counting, the first study the lowest bit."""
    numbers = np.arange(1, 2**k)
    flags = (numbers[:, None] >> np.arange(k)) & 1 == 1
    out: Flags = flags[flags.sum(axis=1) >= 2]
    return out


def _drawn_subsets(k: int, count: int, seed: int) -> Flags:
    random = stream(seed, "gosh")
    kept = np.empty((0, k), dtype=bool)
    while len(kept) < count:
        flags = random.random((count, k)) < 0.5
        kept = np.concatenate([kept, flags[flags.sum(axis=1) >= 2]])
    return kept[:count]


def _pooled(y: Floats, v: Floats, flags: Flags, estimator: str) -> Iterator[tuple[Floats, Floats, Floats, Floats]]:
    for start in range(0, len(flags), CHUNK):
        rows = np.where(flags[start : start + CHUNK], y, np.nan)
        between = between_variance(rows, v, estimator=estimator).tau2
        spread = heterogeneity(rows, v, tau2=between, estimator=estimator)
        yield weighted_fit(rows, v, tau2=between).coefficients[:, 0], between, spread.i2, spread.q
