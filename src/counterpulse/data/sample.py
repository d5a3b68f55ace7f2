"""The one currency between sample makers, estimators and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Kind = Literal["observed", "imputed", "bootstrap", "reconstructed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The rows an estimator works on.

    Attributes
    ----------
    frame : the rows
    row_of_origin : index of each row in the patient table, shape (n,); several rows may come from one patient
    weights : one weight a row, or None
    cluster : one cluster label a row, or None (matched pairs, centers, clones of a patient)
    start, stop : interval at risk of a row from time zero, or None
    stage : what has been done so far, in order ("eligible", "landmark 24 hours", "split at exposure")
    """

    frame: pl.DataFrame
    row_of_origin: NDArray[np.intp]
    weights: NDArray[np.float64] | None = None
    cluster: NDArray[np.intp] | None = None
    start: NDArray[np.float64] | None = None
    stop: NDArray[np.float64] | None = None
    stage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableSet:
    """Several versions of one table. Only `imputed` versions may be pooled by Rubin's rules."""

    kind: Kind
    samples: Sequence[Sample]
