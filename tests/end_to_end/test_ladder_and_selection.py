"""A ladder of models, predictors one by one and selected covariates, through the command line."""

import pytest
from ward import Ward, call, patients

EXACT = 1e-12  # the same fit of the same rows

CANDIDATES = "[age, sex, lactate, site, bled, stroke]"
LADDER = "models: {Crude: none, Age and sex: [age, sex], Full: baseline}"


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    ward = Ward(tmp_path_factory.mktemp("ladder"))
    ward.columns = patients(400)
    ward.set("Lactate", 3, "").set("Lactate", 17, "").set("Age", 5, "")
    ward.edit("if_unknown: stop", "if_unknown: keep-patient")
    lines = [
        f"{{id: L1, role: secondary, outcome: death_here, method: logistic-regression, {LADDER}, screen: [age, sex, site]}}",
        f"{{id: L2, role: secondary, outcome: death, method: cox, {LADDER}, main_model: Crude, same_rows: no}}",
        "{id: S1, role: exploratory, outcome: death_here, method: by-type, screen: baseline}",
        f"{{id: W1, role: secondary, outcome: death_here, method: logistic-regression, adjust: {{select: stepwise, from: {CANDIDATES}, repeats: 20}}}}",
        f"{{id: W2, role: secondary, outcome: death, method: cox, adjust: {{select: screen, from: {CANDIDATES}, keep: [sex], repeats: 0}}}}",
        f"{{id: W3, role: secondary, outcome: death_here, method: logistic-regression, adjust: {{select: lasso, from: {CANDIDATES}, repeats: 0}}}}",
        "{id: A2, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age, lactate]}",
        "{id: A3, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age, sex], keep: lactate >= 0 and age >= 0}",
        "{id: C2, role: secondary, outcome: death, method: cox, adjust: none}",
    ]
    ward.edit("analyses:\n", "analyses:\n" + "".join(f"  - {line}\n" for line in lines))
    said = ward.run()
    assert said.code == 0, said.text
    return ward


@pytest.fixture(scope="module")
def results(ward):
    return ward.results()


def number(results, id_):
    return next(row for row in results["estimates"] if row["id"] == id_)


def same(one, other):
    for key in ("estimate", "conf_low", "conf_high", "std_error", "p_value"):
        assert one[key] == pytest.approx(other[key], rel=EXACT)
    assert (one["n"], one["events"]) == (other["n"], other["events"])


def test_a_model_of_a_ladder_is_the_analysis_with_that_adjustment(results):
    same(number(results, "L1.Full.death_here.pump.odds-ratio"), number(results, "A1.death_here.pump.odds-ratio"))
    same(number(results, "L1.Age-and-sex.death_here.pump.odds-ratio"), number(results, "A3.death_here.pump.odds-ratio"))
    same(number(results, "L2.Crude.death.pump.hazard-ratio"), number(results, "C2.death.pump.hazard-ratio"))
    same(
        number(results, "L2.Age-and-sex.death.age.hazard-ratio"),
        number(results, "L2.Age-and-sex.death.age.hazard-ratio"),
    )


def test_the_main_model_comes_first_and_rows_are_the_same(results):
    ladder = [row for row in results["estimates"] if row["analysis"] == "L1" and row["model"] != "screen"]
    assert ladder[0]["id"] == "L1.Full.death_here.pump.odds-ratio"
    assert {row["n"] for row in ladder} == {397}
    assert {row["n_missing"] for row in ladder} == {3}
    own = {row["model"]: row["n"] for row in results["estimates"] if row["analysis"] == "L2"}
    assert own == {"Crude": 400, "Age and sex": 399, "Full": 397}
    choices = {
        choice["name"]: choice["value"] for choice in next(a for a in results["analyses"] if a["id"] == "L1")["choices"]
    }
    assert choices["rows left out of every model, death_here"] == "3 incomplete for one of the models"
    assert results["details"]["L1"]["Full, death_here: parameters"] == 5


def test_predictors_one_by_one(results):
    screened = [row for row in results["estimates"] if row["analysis"] == "L1" and row["model"] == "screen"]
    assert {row["role"] for row in screened} == {"covariate"}
    assert not any(row["groups"] for row in screened)
    overall = next(row for row in screened if row["measure"] == "overall")
    assert (overall["variable"], overall["df"], overall["statistic_name"]) == ("site", 7, "Wald chi-squared")
    assert 0 < overall["p_value"] < 1
    alone = [row for row in results["estimates"] if row["analysis"] == "S1"]
    assert [row["variable"] for row in alone] == ["age", "sex", "lactate"]
    assert {row["role"] for row in alone} == {"exploratory"}
    assert {row["n"] for row in alone} == {398, 399, 400}


def test_a_selected_model_is_the_analysis_of_what_was_selected(results):
    assert results["details"]["W1"]["death_here: selected"] == "age, lactate"
    same(number(results, "W1.death_here.pump.odds-ratio"), number(results, "A2.death_here.pump.odds-ratio"))
    assert "too narrow" in number(results, "W1.death_here.pump.odds-ratio")["notes"][0]
    assert [w["code"] for w in results["warnings"] if w["where"] == "W1" and w["code"] == "W640"]
    blocks = {block["id"]: block["columns"] for block in results["blocks"]}
    assert blocks["W1.death_here.selection-path"]["action"] == ["enter", "enter"]
    often = blocks["W1.death_here.selection-frequency"]
    assert dict(zip(often["term"], often["selected"], strict=True)) == {
        "age": "yes", "sex": "no", "lactate": "yes", "site": "no", "bled": "no", "stroke": "no",
    }  # fmt: skip
    assert all(0 <= share <= 1 for share in often["frequency"])
    assert blocks["W2.death.selection-path"]["action"] == ["alone"] * 5
    assert "minimum" in blocks["W3.death_here.lasso-path"]["chosen"]


def test_the_selection_is_repeated(results):
    repeated = number(results, "W1.selection-repeated.death_here.pump.odds-ratio")
    plain = number(results, "W1.death_here.pump.odds-ratio")
    assert repeated["interval_method"] == "percentile, selection repeated in each bootstrap sample"
    assert repeated["estimate"] == plain["estimate"]
    assert repeated["conf_low"] < repeated["estimate"] < repeated["conf_high"]
    assert repeated["p_value"] is None


def test_jobs_do_not_matter(ward):
    before = (ward.bundle / "results.json").read_bytes()
    assert call("run", ward.path, "--out", ward.bundle, "--jobs", 2).code == 0
    assert (ward.bundle / "results.json").read_bytes() == before


def test_the_plan_says_it(ward):
    text = call("plan", ward.path).out
    assert "Crude: nothing; Age and sex: age, sex; Full: age, sex, lactate" in text
    assert "by stepwise selection (P < 0.05 to enter, P < 0.1 to stay)" in text
    assert "screened one by one" in text


@pytest.mark.parametrize(
    ("adjust", "code"),
    [
        ("adjust: baseline, models: {One: none}", "E640"),
        ("models: {One: none, Two: [age]}, main_model: Three", "E641"),
        ("screen: []", "E642"),
        ("adjust: {select: stepwise, from: baseline, enter: 0.2, stay: 0.1}", "E644"),
        ("adjust: {select: stepwise}", "E645"),
        ("adjust: {select: lasso, from: baseline, enter: 0.1}", "E646"),
        ("adjust: {select: screen, from: [age, lactate, {interaction: [age, lactate]}]}", "E647"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, adjust, code):
    ward = Ward(tmp_path)
    line = f"  - {{id: X1, role: secondary, outcome: death_here, method: logistic-regression, {adjust}}}\n"
    said = ward.edit("analyses:\n", f"analyses:\n{line}").check()
    assert code in said.text
    assert said.code != 0


def test_nothing_selected_and_nothing_compared(tmp_path):
    ward = Ward(tmp_path)
    ward.edit(
        "groups: {variable: device, treated: {pump: Pump}, reference: {none: No pump}, assigned_by: clinician}\n", ""
    )
    ward.edit("design: cohort", "design: single-arm")
    head, _ = ward.protocol.split("analyses:\n")
    line = "  - {id: N1, role: primary, outcome: death_here, method: logistic-regression, adjust: {select: forward, from: [stroke], enter: 0.000001, repeats: 0}}\n"
    ward.protocol = head + "analyses:\n" + line
    said = ward.run()
    assert said.code == 1, said.text
    assert ward.results()["estimates"][0]["status"] == "nothing-selected"
