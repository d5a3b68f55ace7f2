"""The reviews that ship, from the copy to the report and to the next row: each effect again from the printed numbers."""

import csv
import json
import re
from math import ceil, exp, log, sqrt

import pytest
from test_export import r_has, repeated_in_r
from ward import Ward, call

from counterpulse.errors import DATA_INVALID, DONE, HAS_FINDINGS

CLOSED_FORM = 1e-9  # relative; sums of a few products, through the digits of results.json
ITERATIVE = 1e-6  # relative; REML of two studies against its closed form
ROUNDED = 1e-4  # relative; pooled again from the limits of the forest as results.json rounds them
Z, T_OF_TWO = 1.959963984540054, 12.706204736174698  # quantiles of 0.975: normal, and t with 1 degree of freedom


class Shipped:
    """A review that was copied and run; `add` runs it again with further rows."""

    def __init__(self, name, folder):
        self.name, self.folder, self.bundle = name, folder, folder / "report"
        assert call("example", name, folder).code == DONE
        self.protocol, self.table = folder / f"{name}.protocol.yaml", folder / f"{name}.csv"
        self.checked = call("check", self.protocol)
        self.planned = call("plan", self.protocol)
        self.said = call("run", self.protocol, "--out", self.bundle)
        self.results = read(self.bundle)
        self.report = (self.bundle / "report.html").read_text(encoding="utf-8")

    def again(self, out, *rows):
        """The bundle of the review with further rows."""
        with self.table.open(encoding="utf-8", newline="") as file:
            columns = csv.DictReader(file).fieldnames
        before = self.table.read_bytes()
        with self.table.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, columns, restval="", lineterminator="\n").writerows(rows)
        said = call("run", self.protocol, "--out", self.folder / out)
        self.table.write_bytes(before)
        assert said.code == DONE, said.text
        return self.folder / out


def read(bundle):
    return json.loads((bundle / "results.json").read_text(encoding="utf-8"))


def lines(results, kind, **wanted):
    """The rows of all blocks of a kind in which these columns have these values."""
    for block in results["blocks"]:
        if block["kind"] == kind:
            for values in zip(*block["columns"].values(), strict=True):
                line = dict(zip(block["columns"], values, strict=True))
                if all(line.get(name) == value for name, value in wanted.items()):
                    yield line


def effect(results, analysis):
    return next(row for row in results["estimates"] if row["analysis"] == analysis and row["role"] != "covariate")


def told(results, code):
    return [notice["text"] for notice in results["warnings"] if notice["code"] == code]


@pytest.fixture(scope="module")
def ecpr(tmp_path_factory):
    return Shipped("ecpr-iabp", tmp_path_factory.mktemp("ecpr"))


@pytest.fixture(scope="module")
def shock(tmp_path_factory):
    return Shipped("iabp-shock", tmp_path_factory.mktemp("shock"))


# ---- by hand


def risk_ratio(a, n, c, m):
    return log(a / n / (c / m)), 1 / a - 1 / n + 1 / c - 1 / m


def odds_ratio(a, n, c, m):
    return log(a / (n - a) / (c / (m - c))), 1 / a + 1 / (n - a) + 1 / c + 1 / (m - c)


def printed(estimate, low, high, sign=1):
    return sign * log(estimate), (log(high / low) / (2 * Z)) ** 2


def between(one, two):
    """The variance between two studies: REML, DerSimonian-Laird and Paule-Mandel agree."""
    return max(0.0, ((one[0] - two[0]) ** 2 - one[1] - two[1]) / 2)


def mean_of(studies, tau2):
    weights = [1 / (v + tau2) for _, v in studies]
    return sum(w * y for w, (y, _) in zip(weights, studies, strict=True)) / sum(weights), sum(weights)


def hartung_knapp(*studies):
    """Effect and limits of two studies, as a reader reads them."""
    tau2 = between(*studies)
    mean, total = mean_of(studies, tau2)
    error = sqrt(sum((y - mean) ** 2 / (v + tau2) for y, v in studies) / total)
    return exp(mean), exp(mean - T_OF_TWO * error), exp(mean + T_OF_TWO * error)


def wald(*studies, tau2=0.0):
    mean, total = mean_of(studies, tau2)
    reach = Z / sqrt(total)
    return exp(mean), exp(mean - reach), exp(mean + reach)


def natural(row):
    return row["estimate"], row["conf_low"], row["conf_high"]


KIM, KIM_MATCHED = printed(1.22, 1.02, 1.47), printed(1.21, 0.93, 1.57)
KASHIURA = printed(1.98, 1.39, 2.83, sign=-1)  # printed for survival
KASHIURA_NEURO, KUROKI = printed(1.22, 0.79, 1.89), odds_ratio(267, 762, 43, 173)  # 35% and 25%, to the nearest patient
SHOCK_2, BCIS_1 = risk_ratio(155, 299, 152, 296), risk_ratio(42, 151, 58, 150)
SHOCK_2_LATE = printed(0.99, 0.88, 1.11)


# ---- both


@pytest.mark.parametrize("name", ["ecpr", "shock"])
def test_it_checks_plans_and_runs(name, request):
    review = request.getfixturevalue(name)
    assert review.checked.code in (DONE, HAS_FINDINGS)
    assert "0 errors" in review.checked.text or review.checked.code == DONE
    assert review.planned.code == DONE
    assert review.said.code == DONE, review.said.text
    assert {row["status"] for row in review.results["estimates"]} <= {"ok", "one-study"}
    assert "MOCK DATA" not in review.report


@pytest.mark.parametrize("name", ["ecpr", "shock"])
def test_every_number_stands_in_the_text_that_is_quoted_beside_it(name, request):
    with request.getfixturevalue(name).table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = ("events_treated", "n_treated", "events_control", "n_control", "estimate", "conf_low", "conf_high")
    for row in rows:
        quoted = set(re.findall(r"\d+(?:\.\d+)?", row["quote"]))
        written = {name: row[name].lstrip("-") for name in numbers if row.get(name)}
        assert {
            name: float(text) for name, text in written.items() if not {float(text)} & set(map(float, quoted))
        } == {}, row["study"]
        assert row["source"]


@pytest.mark.parametrize("name", ["ecpr", "shock"])
def test_nothing_is_judged_for_the_reader(name, request):
    results = request.getfixturevalue(name).results
    assert {line["certainty"] for line in lines(results, "summary-of-findings")} == {"asked for"}
    assert {line["judged"] for line in lines(results, "certainty")} == {None}


@pytest.mark.skipif(not r_has("metafor"), reason="R with metafor is not here")
@pytest.mark.parametrize(("name", "number"), [("ecpr", 17), ("shock", 18)])
def test_metafor_repeats_it(name, number, request):
    review = request.getfixturevalue(name)
    out = review.folder / "r"
    assert call("export", review.bundle, "--to", "r", "--protocol", review.protocol, "--out", out).code == DONE
    assert [row["result"] for row in repeated_in_r(out)] == ["agrees"] * number


# ---- the ECPR review


def test_the_effects_of_the_ecpr_review(ecpr):
    for analysis, by_hand in (
        ("M1", hartung_knapp(KIM, KASHIURA)), ("S1", wald(KASHIURA)), ("S2", hartung_knapp(KIM_MATCHED, KASHIURA)),
        ("S3", wald(KIM, KASHIURA, tau2=between(KIM, KASHIURA))), ("N1", hartung_knapp(KUROKI, KASHIURA_NEURO)),
        ("N2", wald(KASHIURA_NEURO)),
    ):  # fmt: skip
        assert natural(effect(ecpr.results, analysis)) == pytest.approx(by_hand, rel=ITERATIVE), analysis
    assert effect(ecpr.results, "S1")["status"] == effect(ecpr.results, "N2")["status"] == "one-study"


def test_the_prior_is_narrower_than_ignorance_and_wider_than_none(ecpr):
    row = effect(ecpr.results, "B1")
    low, high = hartung_knapp(KIM, KASHIURA)[1:]
    common = wald(KIM, KASHIURA)
    assert low < row["conf_low"] < common[1] < common[2] < row["conf_high"] < high


def test_what_no_paper_printed_is_listed(ecpr):
    missing = list(lines(ecpr.results, "effect-sizes", used="no"))
    assert {line["study"] for line in missing} == {
        "Kagawa 2012", "Aoyama 2014", "Guru 2015", "Kuroki 2021", "Chen 2022", "Kashiura 2023", "Li 2024", "Xu 2023",
    }  # fmt: skip
    assert len(missing) == 12
    assert {line["yi"] for line in missing} == {None}
    (text,) = told(ecpr.results, "W860")
    assert all(f"{line['study']} (row {line['row']})" in text for line in missing)
    assert {line["study"] for line in lines(ecpr.results, "effect-sizes")} == {line["study"] for line in missing} | {
        "Kim 2016"
    }


def test_the_hazard_ratio_and_the_turned_odds_ratio_are_said(ecpr):
    notes = {
        (line["study"], line["row"]): line["note"]
        for line in lines(ecpr.results, "effect-sizes", outcome="death", used="yes")
    }
    assert notes["Kim 2016", 5] == notes["Kim 2016", 6] == "a hazard ratio taken as an odds ratio without conversion"
    assert "without the event" in notes["Kashiura 2023", 11]
    assert any(
        "Kim 2016 (row 5) counts (largest); not counted: Kim 2016 (row 6)" in text
        for text in told(ecpr.results, "W853")
    )


def test_stars_without_domains_are_no_low_risk(ecpr):
    judged = list(lines(ecpr.results, "risk-of-bias"))
    assert {(line["domain"], line["judgment"], line["level"]) for line in judged} == {("overall", "9", "unclear")}
    assert len({line["study"] for line in judged}) == 9
    assert told(ecpr.results, "W857")
    assert told(ecpr.results, "W879")
    of_bias = list(lines(ecpr.results, "certainty", domain="risk of bias"))
    assert {line["suggested"] for line in of_bias} == {None}


def test_the_boxes_the_paper_prints(ecpr):
    boxes = {step["id"]: step["n"] for step in ecpr.results["flow"] if step["id"].startswith("screening.")}
    assert boxes == {"screening.identified.databases": 860, "screening.full_text": 78, "screening.included": 9}
    assert not told(ecpr.results, "W851")
    assert not told(ecpr.results, "W852")


# ---- the trials


def test_the_effects_of_the_trials(shock):
    for analysis, by_hand in (
        ("M1", hartung_knapp(SHOCK_2, BCIS_1)), ("M2", wald(SHOCK_2, BCIS_1)), ("M4", wald(SHOCK_2)),
        ("L1", wald(risk_ratio(119, 300, 123, 298))), ("L2", wald(printed(0.99, 0.85, 1.16))),
        ("L3", hartung_knapp(SHOCK_2_LATE, BCIS_1)), ("F1", wald(risk_ratio(10, 53, 12, 48))),
    ):  # fmt: skip
        assert natural(effect(shock.results, analysis)) == pytest.approx(by_hand, rel=ITERATIVE), analysis
    assert natural(effect(shock.results, "I1")) == pytest.approx((4.6, -0.2, 9.4), rel=CLOSED_FORM)


def test_the_printed_risk_ratio_is_that_of_the_counts(shock):
    assert [round(value, 2) for value in natural(effect(shock.results, "L1"))] == [0.96, 0.79, 1.17]
    assert [round(value, 2) for value in natural(effect(shock.results, "M4"))] == [1.01, 0.86, 1.18]


def test_mantel_and_haenszel_by_hand(shock):
    tables = ((155, 299, 152, 296), (42, 151, 58, 150))
    above = sum(a * m / (n + m) for a, n, _, m in tables)
    below = sum(c * n / (n + m) for _, n, c, m in tables)
    spread = sum((n * m * (a + c) - a * c * (n + m)) / (n + m) ** 2 for a, n, c, m in tables)
    ratio, reach = above / below, Z * sqrt(spread / (above * below))
    wanted = (ratio, ratio * exp(-reach), ratio * exp(reach))
    assert natural(effect(shock.results, "M3")) == pytest.approx(wanted, rel=CLOSED_FORM)


def test_printed_successes_become_counted_failures(shock):
    (line,) = lines(shock.results, "effect-sizes", study="Altshock-2")
    assert (line["events_1"], line["n_1"], line["events_2"], line["n_2"]) == (10, 53, 12, 48)
    assert "without the event" in line["note"]
    assert effect(shock.results, "F1")["events"] == 22


def test_arms_that_are_not_printed_and_hazard_ratios_are_listed(shock):
    left = {
        (line["study"], line["outcome"]): line["reason"] for line in lines(shock.results, "effect-sizes", used="no")
    }
    assert left.keys() == {("CRISP AMI", "death"), ("CRISP AMI", "death_6m"), ("BCIS-1", "death_6m")}
    assert left["BCIS-1", "death_6m"] == "a hazard ratio, and risk ratios are pooled"


def test_the_information_is_far_from_enough(shock):
    looks = list(lines(shock.results, "sequential"))
    assert [look["study"] for look in looks] == ["BCIS-1", "IABP-SHOCK II", None]
    risk, reduction = (152 + 58) / (296 + 150), 0.2
    mean = risk * (1 - reduction / 2)
    one_trial = 4 * (Z + 0.8416212335729143) ** 2 * mean * (1 - mean) / (risk * reduction) ** 2
    common, random = 1 / mean_of((SHOCK_2, BCIS_1), 0)[1], 1 / mean_of((SHOCK_2, BCIS_1), between(SHOCK_2, BCIS_1))[1]
    details = shock.results["details"]["S1"]
    assert details["death.required_without_heterogeneity"] == ceil(one_trial)
    assert details["death.required"] == ceil(ceil(one_trial) * random / common)
    assert details["death.conclusion"] == "undecided"
    assert looks[1]["information"] == 896
    assert looks[1]["fraction"] < 0.2


def test_every_combination_of_choices_has_an_estimate(shock):
    ways = {line["specification"] for line in lines(shock.results, "specification-curve")}
    assert len(ways) == 12
    assert None not in {line["estimate"] for line in lines(shock.results, "specification-curve")}
    assert not told(shock.results, "W663")


# ---- the next row

NEW = {
    "study": "Made-up 2027", "year": "2027", "outcome": "death", "design": "randomized trial", "shock": "yes", "timepoint": "12 mo",
    "events_treated": "60", "n_treated": "200", "events_control": "80", "n_control": "200", "source": "nowhere: for this test",
}  # fmt: skip


@pytest.fixture(scope="module")
def grown(shock):
    return shock.again("report-2", NEW)


def test_diff_names_the_new_study_and_what_it_moved(shock, grown):
    said = call("diff", shock.bundle, grown)
    assert said.code == HAS_FINDINGS
    block = said.text.split("M1, death (risk ratio)")[1].split("\n  M2")[0]
    assert "Made-up 2027: added; it moves the pooled effect by a factor of" in block
    assert "studies: 2 -> 3" in block
    assert "estimate: 0.8796 (0.1061 to 7.291) ->" in block
    assert "variance between studies" in block


def test_the_shift_is_the_effect_with_the_row_less_that_without(shock, grown):
    moves = json.loads(call("diff", shock.bundle, grown, "--json").out)
    (found,) = [move for move in moves["review"] if (move["analysis"], move["outcome"]) == ("M1", "death")]
    (mover,) = found["movers"]
    after, before = (effect(read(bundle), "M1")["estimate"] for bundle in (grown, shock.bundle))
    assert (mover["study"], mover["change"]) == ("Made-up 2027", "added")
    assert mover["shift"] == pytest.approx(log(after / before), rel=ROUNDED)
    assert found["before"]["studies"], found["after"]["studies"] == (2, 3)


def test_what_the_row_does_not_touch_did_not_move(shock, grown):
    moves = json.loads(call("diff", shock.bundle, grown, "--json").out)["review"]
    assert {move["outcome"] for move in moves} == {"death"}
    assert effect(read(grown), "L3") == effect(shock.results, "L3")


def test_a_third_trial_begins_what_needs_three(grown):
    results = read(grown)
    assert {line["study"] for line in lines(results, "leave-one-out")} == {"IABP-SHOCK II", "BCIS-1", "Made-up 2027"}
    assert [line["study"] for line in lines(results, "cumulative")] == ["BCIS-1", "IABP-SHOCK II", "Made-up 2027"]


def test_nothing_moves_without_a_row(shock):
    assert call("diff", shock.bundle, shock.again("report-same")).code == DONE


# ---- a study of this program as a row


def test_a_report_is_a_row(shock, tmp_path):
    ward = Ward(tmp_path / "ward")
    ward.directory.mkdir()
    assert ward.run().code == DONE
    ours = effect(ward.results(), "A1")
    with_ours(
        shock,
        tmp_path,
        f"{{study: Our ward, bundle: ward/ward-report, estimate: {ours['id']}, outcome: failure, columns: {{year: 2026, shock: yes}}}}",
    )
    said = call("run", tmp_path / shock.protocol.name, "--out", tmp_path / "report")
    assert said.code == DONE, said.text
    results = read(tmp_path / "report")
    (line,) = lines(results, "effect-sizes", study="Our ward")
    assert line["used"] == "yes"
    assert line["row"] == 13  # after the last row of the table
    assert line["estimate"] == pytest.approx(ours["estimate"], rel=CLOSED_FORM)
    assert line["vi"] == pytest.approx(ours["std_error"] ** 2, rel=CLOSED_FORM)
    arms = {count["group"]: count for count in ours["groups"]}
    assert (line["events_1"], line["n_1"]) == (arms["pump"]["events"], arms["pump"]["n"])
    assert (line["events_2"], line["n_2"]) == (arms["none"]["events"], arms["none"]["n"])
    assert "taken as" in line["note"]
    assert ours["id"] in line["source"]
    pooled = effect(results, "F1")
    assert pooled["n"] == 101 + ours["n"]
    own = log(ours["estimate"]), ours["std_error"] ** 2
    assert natural(pooled) == pytest.approx(hartung_knapp(risk_ratio(10, 53, 12, 48), own), rel=ITERATIVE)


def test_a_report_without_the_columns_it_needs_is_refused(shock, tmp_path):
    ward = Ward(tmp_path / "ward")
    ward.directory.mkdir()
    assert ward.run().code == DONE
    with_ours(
        shock,
        tmp_path,
        f"{{study: Our ward, bundle: ward/ward-report, estimate: {effect(ward.results(), 'A1')['id']}, outcome: failure}}",
    )
    (tmp_path / "dictionary.csv").write_bytes((shock.folder / "dictionary.csv").read_bytes())
    said = call("check", tmp_path / shock.protocol.name)
    assert said.code == DATA_INVALID
    assert "the dictionary lacks format, std_error" in said.text


def with_ours(shock, folder, bundle):
    """The review of the trials with columns for standard errors and formats, and a row from a bundle."""
    text = shock.protocol.read_text(encoding="utf-8")
    old = "  other_measures: leave-out"
    assert old in text
    new = f"  convert: {{from: odds ratio, as_it_is: yes}}\n  bundles: [{bundle}]\n{old}"
    (folder / shock.protocol.name).write_text(text.replace(old, new), encoding="utf-8")
    dictionary = (shock.folder / "dictionary.csv").read_text(encoding="utf-8")
    (folder / "dictionary.csv").write_text(
        dictionary + "std_error,std_error,Standard error,number,,,,,,,,\nformat,format,Format,text,,,,,,,,\n",
        encoding="utf-8",
    )
    with shock.table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / shock.table.name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "std_error", "format"], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
