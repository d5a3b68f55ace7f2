"""The blocks of a review of the thirteen trials of BCG vaccine, worked out here by the plainest methods, and made-up judgments."""

from __future__ import annotations

from itertools import product
from math import erf, exp, log, pi, sqrt

import numpy as np
from bench_study import block

AT = "A1.death_hospital"
TRIALS = (
    ("Aronson 1948", "random", 44, 4, 123, 11, 139), ("Ferguson & Simes 1949", "random", 55, 6, 306, 29, 303),
    ("Rosenthal 1960", "random", 42, 3, 231, 11, 220), ("Hart & Sutherland 1977", "random", 52, 62, 13598, 248, 12867),
    ("Frimodt-Moller 1973", "alternate", 13, 33, 5069, 47, 5808), ("Stein & Aronson 1953", "alternate", 44, 180, 1541, 372, 1451),
    ("Vandiviere 1973", "random", 19, 8, 2545, 10, 629), ("TPT Madras 1980", "random", 13, 505, 88391, 499, 88391),
    ("Coetzee & Berjak 1968", "random", 27, 29, 7499, 45, 7277), ("Rosenthal 1961", "systematic", 42, 17, 1716, 65, 1665),
    ("Comstock 1974", "systematic", 18, 186, 50634, 141, 27338), ("Comstock & Webster 1969", "systematic", 33, 5, 2498, 3, 2341),
    ("Comstock 1976", "systematic", 33, 27, 16913, 29, 17854),
)  # fmt: skip
NAMES = [trial[0] for trial in TRIALS]
Z = 1.959963984540054
Y = np.array([log(a / n) - log(c / m) for *_, a, n, c, m in TRIALS])
V = np.array([1 / a - 1 / n + 1 / c - 1 / m for *_, a, n, c, m in TRIALS])
MEASURE = "risk ratio"


def pooled(kept):
    """Random effects by moments: estimate, error, tau squared, I squared, Q, weights."""
    y, v = Y[kept], V[kept]
    w = 1 / v
    k, q = len(y), float(np.sum(w * (y - np.sum(w * y) / np.sum(w)) ** 2))
    tau = max(0.0, (q - k + 1) / float(np.sum(w) - np.sum(w**2) / np.sum(w))) if k > 1 else 0.0
    weights = 1 / (v + tau)
    share = max(0.0, 1 - (k - 1) / q) if q else 0.0
    return (
        float(np.sum(weights * y) / weights.sum()),
        float(weights.sum()) ** -0.5,
        tau,
        share,
        q,
        weights / weights.sum(),
    )


def two_sided(z):
    return 1 - erf(abs(z) / sqrt(2))


def ends(middle, error):
    return exp(middle), exp(middle - Z * error), exp(middle + Z * error)


def forest(id_=f"{AT}.study-forest", *, subgroups=True):
    rows = []
    everything = pooled(np.arange(13))
    for design in ("random", "alternate", "systematic") if subgroups else (None,):
        own = [k for k, trial in enumerate(TRIALS) if design in (None, trial[1])]
        for k in own:
            _, _, _, a, n, c, m = TRIALS[k]
            rows.append(
                (
                    NAMES[k],
                    design,
                    "study",
                    MEASURE,
                    a,
                    n,
                    c,
                    m,
                    *ends(Y[k], sqrt(V[k])),
                    float(everything[5][k]),
                    *(None,) * 5,
                )
            )
        if subgroups:
            rows.append(_summary("subtotal", design, own))
    rows.append(_summary("total", None, range(13)))
    low, high = (exp(everything[0] + sign * 2.2 * sqrt(everything[2] + everything[1] ** 2)) for sign in (-1, 1))
    rows.append((None, None, "prediction", MEASURE, *(None,) * 5, low, high, *(None,) * 6))
    if subgroups:
        rows.append((None, None, "difference", MEASURE, *(None,) * 10, 2.38, 2, 0.304))
    return block(id_, rows)  # fmt: skip


def _summary(role, design, own):
    middle, error, tau, share, q, _ = pooled(np.array(list(own)))
    counts = [sum(TRIALS[k][place] for k in own) for place in (3, 4, 5, 6)]
    return (
        None,
        design,
        role,
        MEASURE,
        *counts,
        *ends(middle, error),
        len(list(own)) / 13,
        tau,
        share,
        q,
        len(list(own)) - 1,
        0.0004,
    )


def funnel(id_=f"{AT}.funnel"):
    middle = exp(pooled(np.arange(13))[0])
    rows = [(name, MEASURE, exp(y), sqrt(v), "no", middle) for name, y, v in zip(NAMES, Y, V, strict=True)]
    filled = [("Filled in 1", MEASURE, 1.4, 0.73, "yes", 0.52), ("Filled in 2", MEASURE, 1.1, 0.57, "yes", 0.52)]
    return block(id_, rows + filled)


def series(kind):
    rows = []
    order = sorted(range(13), key=lambda k: NAMES[k][-4:])
    for place, k in enumerate(order):
        kept = np.array(order[: place + 1] if kind == "cumulative" else [j for j in range(13) if j != k])
        middle, error, tau, share, q, _ = pooled(kept)
        rows.append((NAMES[k], MEASURE, len(kept), *ends(middle, error), two_sided(middle / error), tau, share, q))
    return block(f"{AT}.{kind}", rows)


def influence():
    whole = pooled(np.arange(13))
    rows = []
    for k in range(13):
        middle, error, tau, _, q, _ = pooled(np.array([j for j in range(13) if j != k]))
        residual = (Y[k] - middle) / sqrt(V[k] + tau + error**2)
        shift = (middle - whole[0]) ** 2 / error**2
        share = float((Y[k] - whole[0]) ** 2 / (V[k] + whole[2]))
        weight = float(whole[5][k])
        rows.append((NAMES[k], residual, -residual * sqrt(weight), shift, (error / whole[1]) ** 2, tau, q, weight, weight, -residual * sqrt(weight), share, shift, "yes" if k == 3 else "no"))  # fmt: skip
    return block(f"{AT}.influence", rows)


def gosh(study="Hart & Sutherland 1977"):
    rows = []
    for pattern in product((False, True), repeat=13):
        kept = np.flatnonzero(pattern)
        if len(kept) >= 2:
            middle, _, _, share, _, _ = pooled(kept)
            rows.append((MEASURE, len(kept), exp(middle), share, study, "no" if pattern[3] else "yes"))
    return block(f"{AT}.gosh", rows)


def tests():
    return block(f"{AT}.small-study-test", [
        ("Egger's test, random effects", 8, "slope of the standard error", -0.68, 0.84, -0.81, "z", None, 0.42, "ok"),
        ("Egger's test, weighted regression", 8, "slope of the standard error", -1.42, 1.2, -1.4, "t", 11.0, 0.189, "ok"),
        ("Begg's rank correlation", 8, "Kendall's tau", 0.03, None, 0.03, None, None, 0.95, "ok"),
        ("Trim and fill (L0)", 8, "studies filled in", 2.0, None, None, None, None, None, "ok"),
    ])  # fmt: skip


def bubble(moderator="age"):
    x = np.array([trial[2] for trial in TRIALS], float)
    w = pooled(np.arange(13))[5]
    rows = [
        (moderator, "study", NAMES[k], float(x[k]), MEASURE, *ends(Y[k], sqrt(V[k])), float(w[k])) for k in range(13)
    ]
    for at in np.linspace(13, 55, 20):
        rows.append(
            (moderator, "line", None, float(at), MEASURE, *ends(0.25 - 0.029 * at, 0.15 + 0.004 * abs(at - 33)), None)
        )
    return block(f"{AT}.bubble", rows)


def normal(x, middle, sd):
    return exp(-((x - middle) ** 2) / 2 / sd**2) / sd / sqrt(2 * pi)


def posterior(priors=("half-normal (0.5)",)):
    rows = []
    for prior in priors:
        for at in np.linspace(-3, 2, 160):
            rows.append((prior, "effect", MEASURE, float(at), normal(at, -0.71, 0.18), None))
            rows.append((prior, "prediction", MEASURE, float(at), normal(at, -0.71, 0.58), None))
        for at in np.linspace(0.0, 2.5, 120):
            rows.append((prior, "heterogeneity", MEASURE, float(at), normal(at, 0.53, 0.14), 2 * normal(at, 0, 0.5)))
    return block(f"{AT}.posterior", rows)


def summary():
    rows = []
    for prior, main in (("uniform (0 to 4)", "no"), ("half-normal (0.5)", "yes"), ("half-Cauchy (0.5)", "no")):
        rows.append((prior, "effect", MEASURE, exp(-0.71), -0.72, 0.18, exp(-1.08), exp(-0.36), 0.9998, main))
        rows.append((prior, "prediction", MEASURE, exp(-0.71), -0.72, 0.6, exp(-1.92), exp(0.47), 0.89, main))
        rows.append((prior, "heterogeneity", MEASURE, 0.53, 0.55, 0.14, 0.32, 0.88, None, main))
    return block(f"{AT}.posterior-summary", rows)


def sequential():
    order = sorted(range(13), key=lambda k: NAMES[k][-4:])
    rows, so_far = [], 0
    required = 520000.0
    for place, k in enumerate(order):
        so_far += TRIALS[k][4] + TRIALS[k][6]
        middle, error, *_ = pooled(np.array(order[: place + 1]))
        share = so_far / required
        limit = min(Z / sqrt(share), 60.0)
        futile = max(0.0, 3.1 * sqrt(share) - 1.15) if share > 0.14 else None
        rows.append(
            (
                NAMES[k],
                float(so_far),
                share,
                middle / error,
                -limit,
                limit,
                None if futile is None else -futile,
                futile,
                Z,
            )
        )
    rows.append((None, required, 1.0, None, -Z, Z, -Z, Z, Z))
    return block(f"{AT}.sequential", rows)


TREATMENTS = (
    ("Placebo", 8, 2140), ("Metformin", 6, 1330), ("Acarbose", 4, 812), ("Rosiglitazone", 7, 1610), ("Pioglitazone", 4, 640),
    ("Sitagliptin", 2, 402), ("Sulfonylurea alone", 3, 518),
)  # fmt: skip
LINKS = (
    (0, 1, 4),
    (0, 2, 2),
    (0, 3, 6),
    (0, 4, 3),
    (0, 5, 1),
    (1, 2, 1),
    (1, 4, 1),
    (1, 6, 1),
    (2, 6, 1),
    (3, 1, 2),
    (3, 6, 1),
)


def network():
    return block(f"{AT}.network", [(TREATMENTS[i][0], TREATMENTS[j][0], n, 200 * n) for i, j, n in LINKS])


def ranking():
    order = (3, 1, 4, 2, 5, 6, 0)
    return block(
        f"{AT}.network-treatment",
        [(*TREATMENTS[k], float(place), 1.05 - 0.14 * place) for place, k in enumerate(order, 1)],
    )


def league(names=tuple(name for name, *_ in TREATMENTS)):
    rows = []
    for i, first in enumerate(names):
        for j, second in enumerate(names[:i]):
            middle = 0.12 * (i - j)
            rows.append(
                (first, second, "mean difference", "network", middle, middle - 0.3, middle + 0.3, None, None, 0.3, 2)
            )
            if (j, i) in {pair[:2] for pair in LINKS} or len(names) > 9:
                rows.append(
                    (
                        second,
                        first,
                        "mean difference",
                        "direct",
                        -middle,
                        -middle - 0.4,
                        -middle + 0.4,
                        None,
                        None,
                        0.3,
                        2,
                    )
                )
    return block(f"{AT}.league-table", rows)


def splitting():
    return block(f"{AT}.node-splitting", [
        (TREATMENTS[i][0], TREATMENTS[j][0], "odds ratio", n, 0.7, 0.8, 0.78, 0.9, 0.87, 0.5, 1.4, 0.55) for i, j, n in LINKS[:6]
    ])  # fmt: skip


def decomposition():
    return block(f"{AT}.design-decomposition", [
        ("total", None, 96.99, 18.0, 0.00001), ("within designs", None, 74.46, 11.0, 0.00001),
        ("within designs", "Placebo vs Metformin", 42.16, 2.0, 0.00001), ("within designs", "Placebo vs Rosiglitazone", 21.27, 5.0, 0.0007),
        ("between designs", None, 22.53, 7.0, 0.002),
    ])  # fmt: skip


DOMAINS = (
    "Bias arising from the randomization process", "Bias due to deviations from intended interventions", "Bias due to missing outcome data",
    "Bias in measurement of the outcome", "Bias in selection of the reported result",
)  # fmt: skip
LEVELS = ("low", "some", "low", "high", "unclear", "low", "critical", "none")


def bias(tool="rob-2", names=NAMES, outcome="death_hospital", support=None):
    rows = []
    for k, name in enumerate(names):
        for j, domain in enumerate(DOMAINS):
            level = LEVELS[(3 * k + j * (k % 3 + 1)) % len(LEVELS)]
            rows.append((name, outcome, tool, domain, level.capitalize(), level, support))
        rows.append((name, outcome, tool, "overall", "", LEVELS[k % 4], support))
    return block(f"{AT}.risk-of-bias", rows)


def effect_sizes():
    rows = []
    for k, (name, design, _, a, n, c, m) in enumerate(TRIALS):
        note = "0.5 added to each cell" if k == 2 else None
        rows.append((k + 2, name, "death_hospital", design, "counts", MEASURE, "BCG", a, n, "No vaccine", c, m, *ends(Y[k], sqrt(V[k])), Y[k], V[k], note, "yes", None, f"Table 2, p. {100 + k}", "…", "AB"))  # fmt: skip
    rows.append((16, "Levine 1948", "death_hospital", "alternate", "P value", MEASURE, None, None, None, None, None, None, *(None,) * 5, None, "no", "no number of patients is printed", None, None, None))  # fmt: skip
    return block(
        f"{AT}.effect-sizes", [tuple(float(c) if isinstance(c, np.floating) else c for c in row) for row in rows]
    )


def agreement():
    return block(
        f"{AT}.agreement", [("events_1", 13, 12, 92.3, 0.92, 0.76, 1.0), ("design", 13, 13, 100.0, None, None, None)]
    )


def discrepancy():
    return block(f"{AT}.discrepancy", [("Hart & Sutherland 1977", "death_hospital", "events_1", "62", "61", "62"), ("Comstock 1976", None, "arm_2", None, "No vaccine", "No vaccine")])  # fmt: skip


def findings():
    return block(f"{AT}.summary-of-findings", [
        ("death_hospital", MEASURE, 13, 357347, 25.0, 12.2, 8.6, 17.5, 0.49, 0.345, 0.70, "moderate"),
        ("bleeding", MEASURE, 1, 812, 8.1, 12.2, 6.4, 22.9, 1.5, 0.79, 2.83, "very low"),
        ("stay", "mean difference", 2, 640, None, None, None, None, -1.2, -2.9, 0.5, None),
    ])  # fmt: skip


def certainty():
    return block(f"{AT}.certainty", [
        ("death_hospital", "risk of bias", "31% of the weight from studies at high risk", "one level down", "not downgraded", "the result does not change without them"),
        ("death_hospital", "inconsistency", "I² 92%; 95% prediction interval 0.15 to 1.55", "one level down", "one level down", "latitude explains much of it"),
        ("death_hospital", "indirectness", None, None, None, None),
        ("death_hospital", "imprecision", "information 104% of what is required; interval 0.34 to 0.70", "not downgraded", None, None),
        ("death_hospital", "publication bias", "Egger's test P = 0.19; 13 studies", "not downgraded", "not downgraded", None),
    ])  # fmt: skip


def review_blocks():
    return [
        forest(), funnel(), series("leave-one-out"), series("cumulative"), influence(), gosh(), tests(), bubble(), posterior(), summary(),
        sequential(), network(), ranking(), league(), splitting(), decomposition(), bias(), effect_sizes(), agreement(), discrepancy(),
        findings(), certainty(),
    ]  # fmt: skip
