"""Small survival studies, from protocol to results.json, against ../shared/reference/observational (ref_survival.out,
ref_rmst_misc.out) and the stored output of R's survival package."""

import json
import math
from pathlib import Path

import polars as pl
import pytest

import counterpulse as cp
from counterpulse import examples

HERE = Path(__file__).parent
R = HERE.parent / "against_r" / "reference" / "study.json"
ITERATIVE = 1e-6  # relative; R's coxph stops at 1e-9 in the log likelihood, glm at 1e-8 in the deviance
PRINTED = 1e-8  # relative; ten digits are printed of what is a closed form
FIVE_DIGITS = 1e-5  # relative; the tests of proportional hazards and of curves are printed with six digits
EXACT = 1e-10  # relative; a closed form against 17 digits


@pytest.fixture(scope="module")
def reference():
    return json.loads(R.read_text())


@pytest.fixture(scope="module")
def lung(run_study, shared_path):
    return run_study(HERE / "lung" / "lung.protocol.yaml", shared_path("data/lung.csv"))


@pytest.fixture(scope="module")
def veteran(run_study, shared_path):
    return run_study(HERE / "veteran" / "veteran.protocol.yaml", shared_path("data/veteran.csv"))


@pytest.fixture(scope="module")
def whas500(run_study, shared_path):
    return run_study(HERE / "whas500" / "whas500.protocol.yaml", shared_path("data/whas500.csv"))


@pytest.fixture(scope="module")
def heart_failure(run_study, shared_path):
    data = shared_path("data/heart_failure_clinical_records.csv")
    return run_study(HERE / "heart_failure" / "heart-failure.protocol.yaml", data)


@pytest.fixture(scope="module")
def stanford(run_study, tmp_path_factory):
    return run_study(examples.copy("stanford-heart", tmp_path_factory.mktemp("example")))


def assert_effects(bundle, prefix, expected, tolerance=ITERATIVE):
    for name, (coefficient, std_error) in expected.items():
        row = bundle.estimates[f"{prefix}.{name}"]
        assert math.log(row["estimate"]) == pytest.approx(coefficient, rel=tolerance), name
        assert row["std_error"] == pytest.approx(std_error, rel=tolerance), name


# -- lung: age + sex + ph.ecog, sex as the compared groups -----------------------------------------------------------


def test_lung_cox(lung):
    expected = {
        "2.hazard-ratio": (-0.55261239570, 0.167739053787),
        "age.hazard-ratio": (0.01106676456, 0.009267411014),
        "ph_ecog.hazard-ratio": (0.46372847537, 0.113577266162),
    }
    assert_effects(lung, "cox.death", expected)
    row = lung.estimates["cox.death.2.hazard-ratio"]
    assert (row["n"], row["events"], row["n_missing"]) == (227, 164, 1)
    assert row["statistic"] == pytest.approx(-3.294476648, rel=ITERATIVE)
    assert row["p_value"] == pytest.approx(9.860513721e-04, rel=ITERATIVE)


def test_lung_breslow(lung):
    for name, value in {"2": -0.55188956979, "age": 0.01104113635, "ph_ecog": 0.46294704059}.items():
        row = lung.estimates[f"breslow.death.{name}.hazard-ratio"]
        assert math.log(row["estimate"]) == pytest.approx(value, rel=ITERATIVE)


def test_lung_robust_to_clusters(lung):
    expected = {
        "2.hazard-ratio": (-0.55659341398, 0.112286679925),
        "age.hazard-ratio": (0.01123216421, 0.006888727059),
        "ph_ecog.hazard-ratio": (0.46921639708, 0.117615953255),
    }
    assert_effects(lung, "clustered.death", expected)
    row = lung.estimates["clustered.death.2.hazard-ratio"]
    assert (row["n"], row["clusters"]) == (226, 18)
    assert row["p_value"] == pytest.approx(7.162822861e-07, rel=FIVE_DIGITS)


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        (
            "lung",
            {
                "sex": (2.305437, 1, 0.12892),
                "age": (0.187988, 1, 0.66460),
                "ph_ecog": (2.054249, 1, 0.15178),
                "GLOBAL": (4.463658, 3, 0.21555),
            },
        ),
        (
            "veteran",
            {
                "trt": (0.2643888, 1, 0.60712087),
                "celltype": (15.2273639, 3, 0.00163231),
                "karno": (12.9351978, 1, 0.00032246),
                "diagtime": (0.0128894, 1, 0.90960930),
                "age": (1.8288266, 1, 0.17626620),
                "prior": (2.1655663, 1, 0.14113262),
                "GLOBAL": (34.5524911, 8, 3.2252e-05),
            },
        ),
    ],
)
def test_proportional_hazards(request, study, expected):
    block = request.getfixturevalue(study).blocks["cox.death.zph"]
    rows = {row[0]: row[1:] for row in zip(*block.values(), strict=True)}
    assert rows.keys() == expected.keys()
    for name, (chi_squared, df, p_value) in expected.items():
        assert rows[name][0] == pytest.approx(chi_squared, rel=FIVE_DIGITS), name
        assert rows[name][1] == df
        assert rows[name][2] == pytest.approx(p_value, rel=FIVE_DIGITS * 5), name


RISKS = {  # 1 - S(t), and the ends of its interval as 1 - upper, 1 - lower
    ("curves", "1", 180): (0.64446500154, 0.56928418987, 0.7295743420),
    ("curves", "1", 365): (0.33608783464, 0.26090050379, 0.4329429455),
    ("curves", "1", 730): (0.07812409127, 0.03904373550, 0.1563214574),
    ("curves", "2", 180): (0.84240170559, 0.76989980961, 0.9217311457),
    ("curves", "2", 365): (0.52646303019, 0.42148634083, 0.6575855379),
    ("curves", "2", 730): (0.18723249791, 0.09777018188, 0.3585552118),
    ("loglog", "1", 365): (0.33608783464, 0.25272914333, 0.4213021682),
    ("loglog", "2", 730): (0.18723249791, 0.08465965323, 0.3208326769),
    ("plain", "1", 365): (0.33608783464, 0.25097916443, 0.4211965048),
    ("plain", "2", 730): (0.18723249791, 0.06558164486, 0.3088833509),
    ("logit", "1", 365): (0.33608783464, 0.25688860690, 0.4257160855),
    ("logit", "2", 730): (0.18723249791, 0.09385057759, 0.3387907740),
    ("arcsine", "1", 365): (0.33608783464, 0.25409221681, 0.4233900994),
    ("arcsine", "2", 730): (0.18723249791, 0.08262903784, 0.3220064214),
}


@pytest.mark.parametrize(("analysis", "group", "days"), RISKS)
def test_lung_risks_at_times(lung, analysis, group, days):
    row = lung.estimates[f"{analysis}.death.{group}.risk.{days}-days"]
    survival, lower, upper = RISKS[analysis, group, days]
    assert row["at"] == {"time": days, "unit": "days"}
    assert row["estimate"] == pytest.approx(1 - survival, rel=PRINTED)
    assert 1 - row["conf_high"] == pytest.approx(lower, rel=PRINTED)
    assert 1 - row["conf_low"] == pytest.approx(upper, rel=PRINTED)


@pytest.mark.parametrize(
    ("analysis", "first", "second"),
    [
        ("curves", (270, 212, 310), (426, 348, 550)),
        ("loglog", (270, 210, 306), (426, 345, 524)),
        ("plain", (270, 212, 306), (426, 345, 524)),
        ("logit", (270, 210, 310), (426, 345, 524)),
        ("arcsine", (270, 212, 310), (426, 345, 524)),
    ],
)
def test_lung_medians(lung, analysis, first, second):
    for group, expected in (("1", first), ("2", second)):
        row = lung.estimates[f"{analysis}.death.{group}.median-survival-time"]
        assert (row["estimate"], row["conf_low"], row["conf_high"], row["unit"]) == (*expected, "days")


@pytest.mark.parametrize(
    ("analysis", "test", "statistic", "p_value", "n"),
    [
        ("curves", "log-rank", 10.3267, 0.001311, 228),
        ("peto", "peto-peto", 12.7142, 0.0003629, 228),
        ("stratified", "log-rank", 10.7951, 0.001018, 227),
    ],
)
def test_lung_curves_compared(lung, analysis, test, statistic, p_value, n):
    row = lung.estimates[f"{analysis}.death.{test}.test-of-curves"]
    assert row["statistic"] == pytest.approx(statistic, rel=FIVE_DIGITS)
    assert f"{row['p_value']:.4g}" == f"{p_value:.4g}"
    assert (row["df"], row["n"]) == (1, n)


def test_lung_observed_and_expected_events(lung):
    block = lung.blocks["stratified.death.test"]
    assert (block["n"], block["observed"]) == ([137, 90], [111, 53])
    assert block["expected"] == pytest.approx([90.641, 73.359], rel=FIVE_DIGITS)


@pytest.mark.parametrize("analysis", ["mean", "curves"])
def test_lung_restricted_means(lung, analysis):
    row = lung.estimates[f"{analysis}.death.2.rmst-difference.365-days"]
    assert row["estimate"] == pytest.approx(55.97032434, rel=PRINTED)
    assert row["std_error"] == pytest.approx(14.95812586, rel=PRINTED)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((26.65293637, 85.28771231), rel=PRINTED)
    for group, mean, std_error in (("1", 241.4950852, 10.35822649), ("2", 297.4654095, 10.79132398)):
        own = lung.estimates[f"{analysis}.death.{group}.rmst.365-days"]
        assert (own["estimate"], own["std_error"]) == pytest.approx((mean, std_error), rel=PRINTED)


LUNG_STRATA = {
    "age": ("age3", ["<60", "60-to-<70", ">=70"]),
    "ph_ecog": ("ecog", ["<1", "1-to-<2", ">=2"]),
}


@pytest.mark.parametrize("variable", LUNG_STRATA)
def test_lung_subgroups_agree_with_r(lung, reference, variable):
    name, levels = LUNG_STRATA[variable]
    theirs = reference["lung"][name]
    expected = {
        f"{variable}={level}.2.hazard-ratio": effect for level, effect in zip(levels, theirs["effects"], strict=True)
    }
    assert_effects(lung, "cox.death", expected)
    test = lung.estimates[f"cox.death.{variable}.interaction"]
    assert test["statistic"] == pytest.approx(theirs["likelihood_ratio"], rel=ITERATIVE)
    assert (test["df"], test["statistic_name"]) == (2, "likelihood ratio chi-squared")
    continuous = lung.estimates[f"cox.death.{variable}.continuous.interaction"]
    assert continuous["statistic"] == pytest.approx(reference["lung"]["continuous"][variable], rel=ITERATIVE)


def test_clustered_subgroups_are_tested_by_wald_and_agree_with_r(run_study, shared_path, reference, tmp_path):
    text = (
        (HERE / "lung" / "lung.protocol.yaml").read_text(encoding="utf-8").replace("  of: cox\n", "  of: clustered\n")
    )
    head, analyses = text.split("analyses:\n")
    kept = [line for line in analyses.splitlines() if "id: cox" in line or "id: clustered" in line]
    subgroups = analyses[analyses.index("subgroups:") :]
    path = tmp_path / "clustered.protocol.yaml"
    path.write_text("\n".join([head + "analyses:", *kept, subgroups]), encoding="utf-8")
    (tmp_path / "lung.dictionary.csv").write_bytes((HERE / "lung" / "lung.dictionary.csv").read_bytes())
    study = run_study(path, shared_path("data/lung.csv"))
    for variable, (name, levels) in LUNG_STRATA.items():
        theirs = reference["lung"][name]
        test = study.estimates[f"clustered.death.{variable}.interaction"]
        assert (test["statistic_name"], test["df"], test["clusters"]) == ("Wald chi-squared", 2, 18)
        assert test["statistic"] == pytest.approx(theirs["wald"], rel=ITERATIVE)
        effects = zip(levels, theirs["clustered"], strict=True)
        assert_effects(
            study, "clustered.death", {f"{variable}={level}.2.hazard-ratio": effect for level, effect in effects}
        )


# -- the others ------------------------------------------------------------------------------------------------------


def test_veteran_cox(veteran):
    expected = {
        "2.hazard-ratio": (2.946028215e-01, 0.207549603604),
        "celltype.smallcell.hazard-ratio": (8.615604628e-01, 0.275284474023),
        "celltype.adeno.hazard-ratio": (1.196066374, 0.300916994493),
        "celltype.large.hazard-ratio": (4.012916543e-01, 0.282688638281),
        "karno.hazard-ratio": (-3.281532619e-02, 0.005507756886),
        "age.hazard-ratio": (-8.706474946e-03, 0.009300299120),
        "prior.hazard-ratio": (7.159360190e-03, 0.023230538407),
    }
    assert_effects(veteran, "cox.death", expected)


def test_veteran_restricted_means_and_log_rank(veteran):
    for group, mean, std_error in (("1", 95.37446574, 7.947993733), ("2", 81.61432143, 7.915397469)):
        row = veteran.estimates[f"mean.death.{group}.rmst.180-days"]
        assert (row["estimate"], row["std_error"]) == pytest.approx((mean, std_error), rel=PRINTED)
    row = veteran.estimates["curves.death.log-rank.test-of-curves"]
    assert row["statistic"] == pytest.approx(0.00822734, rel=FIVE_DIGITS)
    assert f"{row['p_value']:.4f}" == "0.9277"


def test_veteran_subgroups_of_grouped_levels_agree_with_r(veteran, reference):
    theirs = reference["veteran"]
    levels = ["squamous", "smallcell-adeno", "large"]
    effects = zip(levels, theirs["effects"], strict=True)
    assert_effects(veteran, "cox.death", {f"celltype={level}.2.hazard-ratio": effect for level, effect in effects})
    test = veteran.estimates["cox.death.celltype.interaction"]
    assert test["statistic"] == pytest.approx(theirs["likelihood_ratio"], rel=ITERATIVE)


def test_whas500(whas500):
    expected = {
        "yes.hazard-ratio": (0.95028147653, 0.262026164305),
        "age.hazard-ratio": (0.05388211999, 0.006530648036),
        "gender.hazard-ratio": (-0.21619322933, 0.142689202190),
        "bmi.hazard-ratio": (-0.05056406469, 0.016315950250),
        "chf.hazard-ratio": (0.85820066749, 0.144470229949),
    }
    assert_effects(whas500, "cox.death", expected)
    coefficients = {
        "yes": 1.309723936, "age": 0.07396283835, "gender": -0.1067948931, "hr": 0.01791852732, "bmi": -0.05155714482,
        "chf": 1.200708669,
    }  # fmt: skip
    for name, value in coefficients.items():
        row = whas500.estimates[f"logistic.died.{name}.odds-ratio"]
        assert math.log(row["estimate"]) == pytest.approx(value, rel=ITERATIVE)


def test_heart_failure(heart_failure):
    expected = {
        "yes.hazard-ratio": (0.446002041152, 2.149925497e-01),
        "age.hazard-ratio": (0.043574370646, 8.831239091e-03),
        "creatinine_phosphokinase.hazard-ratio": (0.000210061078, 9.825072587e-05),
        "ejection_fraction.hazard-ratio": (-0.047472997802, 1.027398961e-02),
        "high_blood_pressure.hazard-ratio": (0.496532093435, 2.136885705e-01),
        "serum_creatinine.hazard-ratio": (0.313898473194, 6.895308248e-02),
        "serum_sodium.hazard-ratio": (-0.045690748345, 2.335853019e-02),
    }
    assert_effects(heart_failure, "cox.death", expected)


# -- the example that ships: three ways to treat a transplant that has to be waited for -------------------------------

TERMS = ["yes.hazard-ratio", "age.hazard-ratio", "prior_surgery.hazard-ratio", "year.hazard-ratio"]
FIVE_YEARS = 5 * 365.25


def effects_of(theirs):
    return dict(zip(TERMS, zip(theirs["coefficients"], theirs["std_errors"], strict=True), strict=False))


def test_stanford_time_varying_naive_and_landmark_agree_with_r(stanford, reference):
    heart = reference["heart"]
    assert_effects(stanford, "A1.death", effects_of(heart["varying"]))
    assert_effects(stanford, "S1.death", effects_of(heart["naive"]))
    assert_effects(stanford, "S3.death", effects_of(heart["calendar"]["varying"]))
    assert_effects(stanford, "S4.death", effects_of(heart["calendar"]["naive"]))
    for days, theirs in heart["landmarks"].items():
        assert_effects(stanford, f"S2.landmark-{days}-days.death", effects_of(theirs))
        row = stanford.estimates[f"S2.landmark-{days}-days.death.yes.hazard-ratio"]
        treated = next(group["n"] for group in row["groups"] if group["group"] == "yes")
        assert (row["n"], row["events"], treated) == (theirs["n"], theirs["events"], theirs["treated"])
    assert stanford.estimates["A1.death.yes.hazard-ratio"]["clusters"] == 103


def test_stanford_curve_and_restricted_mean_from_the_landmark_agree_with_r(stanford, reference):
    theirs = reference["heart"]["k1"]
    for group, survival, std_error, mean, mean_error in zip(
        ("no", "yes"), theirs["survival"], theirs["std_err"], theirs["rmst"], theirs["rmst_se"], strict=True
    ):
        risk = stanford.estimates[f"K1.death_1y.{group}.risk.365-days"]
        assert (1 - risk["estimate"], risk["std_error"]) == pytest.approx((survival, std_error), rel=EXACT)
        rmst = stanford.estimates[f"R1.death_1y.{group}.rmst.365-days"]
        assert (rmst["estimate"], rmst["std_error"]) == pytest.approx((mean, mean_error), rel=EXACT)
    test = stanford.estimates["K1.death_1y.log-rank.test-of-curves"]
    assert test["statistic"] == pytest.approx(theirs["chi_squared"], rel=EXACT)


def jasa(shared_data):
    return shared_data("jasa.csv").select(
        pl.int_range(pl.len()).alias("id"),
        stop=(pl.col("fu.date").str.to_date() - pl.col("accept.dt").str.to_date()).dt.total_days().cast(pl.Float64),
        wait=(pl.col("tx.date").str.to_date() - pl.col("accept.dt").str.to_date()).dt.total_days().cast(pl.Float64),
        died=pl.col("fustat") == 1,
        surgery=pl.col("surgery"),
        age=(pl.col("accept.dt").str.to_date() - pl.col("birth.dt").str.to_date()).dt.total_days() / 365.25,
        year=(pl.col("accept.dt").str.to_date() - pl.date(1967, 10, 1)).dt.total_days() / 365.25,
    ).with_columns(
        died=pl.col("died") & (pl.col("stop") <= FIVE_YEARS), stop=pl.col("stop").clip(upper_bound=FIVE_YEARS)
    )  # fmt: skip


def split_by_hand(patients):
    rows = []
    for patient in patients.iter_rows(named=True):
        stop = patient["stop"] or 0.5
        wait = patient["wait"]
        if wait is not None and wait == patient["stop"]:
            wait -= 0.5
        cut = [0.0, stop] if wait is None or wait <= 0 or wait > stop else [0.0, wait, stop]
        for index in range(len(cut) - 1):
            last = index == len(cut) - 2
            treated = wait is not None and cut[index] >= wait
            interval = {"begin": cut[index], "end": cut[index + 1], "event": patient["died"] and last}
            rows.append({**patient, **interval, "treated": int(treated)})
    return pl.DataFrame(rows)


def test_stanford_agrees_with_a_split_made_by_hand(stanford, shared_data):
    table = split_by_hand(jasa(shared_data))
    fit = cp.survival.cox(
        table, time="end", event="event", start="begin", terms=["treated", "age", "surgery"], cluster="id"
    )
    ours = {estimate.variable: estimate for estimate in fit.estimates()}
    row = stanford.estimates["A1.death.yes.hazard-ratio"]
    assert row["estimate"] == pytest.approx(math.exp(ours["treated"].value), rel=EXACT)
    assert row["std_error"] == pytest.approx(ours["treated"].std_error, rel=EXACT)
    spent = {
        level: float((part["end"] - part["begin"]).sum())
        for level, part in (("yes", table.filter(pl.col("treated") == 1)), ("no", table.filter(pl.col("treated") == 0)))
    }
    assert {group["group"]: group["person_time"] for group in row["groups"]} == spent


def test_stanford_naive_and_landmark_agree_with_the_table_as_published(stanford, shared_data):
    patients = jasa(shared_data).with_columns(ever=pl.col("wait").is_not_null().cast(pl.Int64))
    terms = ["age", "surgery"]
    naive = cp.survival.cox(patients.filter(pl.col("stop") > 0), time="stop", event="died", terms=["ever", *terms])
    row = stanford.estimates["S1.death.yes.hazard-ratio"]
    assert math.log(row["estimate"]) == pytest.approx(naive.estimates()[0].value, rel=EXACT)
    for days in (30, 60, 90):
        alive = patients.filter(pl.col("stop") >= days).with_columns(
            by_then=(pl.col("wait") <= days).fill_null(False).cast(pl.Int64)
        )
        fit = cp.survival.cox(alive, time="stop", event="died", terms=["by_then", *terms])
        row = stanford.estimates[f"S2.landmark-{days}-days.death.yes.hazard-ratio"]
        assert math.log(row["estimate"]) == pytest.approx(fit.estimates()[0].value, rel=EXACT)


def test_stanford_interaction_is_tested_by_wald(stanford):
    row = stanford.estimates["A1.death.age.interaction"]
    assert (row["statistic_name"], row["clusters"]) == ("Wald chi-squared", 103)


def test_the_mistake_is_large(stanford):
    naive, honest = (stanford.estimates[f"{name}.death.yes.hazard-ratio"]["estimate"] for name in ("S1", "A1"))
    assert naive < 0.2 < 0.9 < honest
