"""The other verbs on a review: mock, shells, rehearse, explain, verify, export; and the same bytes each time."""

import csv
import json
import shutil
import subprocess

import pytest

from counterpulse import study
from counterpulse.cli.main import invoke
from counterpulse.errors import ProtocolError, UsageError
from counterpulse.results.on_disk import to_json
from counterpulse.study.load import read_both
from counterpulse.study.run import run

MANY = (
    "[{id: M1, role: primary, outcome: death, leave_one_out: yes, gosh: yes, permutation: yes, small_study_effects: [egger, trim-and-fill]}, "
    "{id: M2, role: sensitivity, of: M1, convention: revman-5.4}, {id: M3, role: sensitivity, of: M1, model: mantel-haenszel}, "
    "{id: M4, role: sensitivity, of: M1, model: peto}, {id: M5, role: secondary, of: M1, moderators: [year]}, "
    "{id: M6, role: sensitivity, of: M1, model: common, interval: wald}, {id: B1, role: secondary, outcome: death, method: bayesian-meta-analysis}]"
)
NETWORK = "[{id: N1, role: primary, outcome: death, method: network-meta-analysis, tau2: DL}]"


@pytest.fixture(scope="module")
def six(counts, four):
    rows = [*four, *counts(("Ely 2021", 40, 80, 30, 80), ("Faro 2022", 11, 50, 19, 52))]
    return [
        row | {"year": 2000 + index, "design": ("rct", "plain")[index % 2], "source": f"paper {index}"}
        for index, row in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def bundle(kept_review, six):
    path = kept_review.path(*six, analyses=MANY, subgroups="{of: M1, by: [design]}")
    out = kept_review.directory / "bundle"
    assert invoke(["run", str(path), "--out", str(out), "--jobs", "1"]) == 0
    return out


MEASURES = (
    "odds ratio",
    "risk difference",
    "hazard ratio",
    "mean difference",
    "proportion",
    "rate",
    "rate ratio",
    "correlation",
)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_mock_review_of_every_measure_runs(review, measure):
    path = review.path(
        effects=f"{{measure: {measure}}}", risk_of_bias="{tool: rob-2, columns: [randomization], overall: overall}"
    )
    out = review.directory / "mock.csv"
    study.write_mock(path, out=out)
    plan, table = study.read_study(path, data=out)
    result = run(plan, table)
    assert table.data_kind == "mock"
    assert result.details["M1"]["death.studies"] == 12
    assert result.estimates[0].estimate.status.code == "ok"


def test_a_mock_network_is_one_network(review):
    path = review.path(analyses=NETWORK)
    study.write_mock(path, out=review.directory / "mock.csv", n=9)
    plan, table = study.read_study(path, data=review.directory / "mock.csv")
    result = run(plan, table)
    assert not {"W874", "W875"} & {notice.code for notice in result.warnings}


def test_mock_studies_have_every_outcome_and_the_same_numbers_each_time(review):
    outcomes = "{death: {better: lower}, stay: {measure: mean difference}}"
    path = review.path(question=f"{{population: a, exposure: b, comparator: c, outcomes: {outcomes}}}")
    protocol, dictionary = read_both(path)
    frame = study.mock_table(protocol, dictionary)
    assert frame.height == 24
    assert frame["study"].n_unique() == 12
    assert frame["outcome"].to_list()[:2] == ["death", "stay"]
    assert frame.equals(study.mock_table(protocol, dictionary))


def test_a_dictionary_without_numbers_is_told(review):
    path = review.path()
    file = review.directory / "r.dictionary.csv"
    kept = [line for line in file.read_text().splitlines() if line.split(",")[0] in ("name", "study", "outcome")]
    file.write_text("\n".join(kept) + "\n")
    with pytest.raises(UsageError, match="add events_treated"):
        study.write_mock(path, out=review.directory / "mock.csv")


def test_a_mock_table_reads_no_other_file_of_the_review(review, four):
    review.table_file("second.csv", four)
    path = review.path(effects="{measure: odds ratio, second_extraction: second.csv}", screening="{log: nowhere.csv}")
    result = study.rehearse(path)
    assert not {block.kind for block in result.blocks} & {"agreement", "discrepancy"}


def test_a_review_is_not_rehearsed(review, four):
    plan, table = study.read_study(review.path(*four))
    with pytest.raises(ProtocolError, match="no patients whose outcomes could be simulated"):
        study.rehearse_analyses(plan, table)


def test_explain_lists_the_studies_behind_a_number(bundle):
    found = study.explain_number(bundle, "M1.death.treated.odds-ratio")
    assert sorted(item["row"] for item in found["studies"]) == [2, 3, 4, 5, 6, 7]
    assert sum(item["weight"] for item in found["studies"]) == pytest.approx(1)
    assert found["studies"][0]["source"] == "paper 0"
    assert found["studies"][0]["row"] == 2
    text = study.explanation_text(found)
    assert "tau2: REML" in text
    assert "Viechtbauer" in text
    assert "Hartung J, Knapp G" in text
    assert "row 2, counts; paper 0" in text


def test_explain_lists_those_of_a_group_only(bundle):
    found = study.explain_number(bundle, "M1.death.design=Randomized-trial.treated.odds-ratio")
    assert [item["study"] for item in found["studies"]] == ["Ames 2001", "Cork 2010", "Ely 2021"]


@pytest.mark.parametrize(
    "id_",
    [
        "M1.death.heterogeneity.tau2.variance-between-studies",
        "M1.death.heterogeneity.i2.I-squared",
        "M5.death.year.change-in-odds-ratio",
        "B1.death.treated.odds-ratio",
        "M1.death.forest",
        "review.effect-sizes",
        "read",
    ],
)
def test_every_kind_of_number_is_explained(bundle, id_):
    assert study.explanation_text(study.explain_number(bundle, id_)).startswith(id_)


def test_a_bundle_verifies(bundle):
    assert study.verify(bundle).holds


def test_a_bundle_with_every_file_verifies(review, six):
    review.table_file("second.csv", six)
    (review.directory / "log.csv").write_text(
        "record,screen,full_text,study\n1,include,include,Ames 2001\n", encoding="utf-8"
    )
    path = review.path(*six, effects="{measure: odds ratio, second_extraction: second.csv}", screening="{log: log.csv}")
    assert invoke(["run", str(path), "--out", str(review.directory / "b"), "--jobs", "1"]) == 0
    assert study.verify(review.directory / "b").holds


def test_the_same_result_whatever_the_jobs(review, six):
    plan, table = study.read_study(
        review.path(*six, analyses=MANY, subgroups="{of: M1, by: [design]}", certainty="{tool: grade}")
    )
    first, second, beside = (json.dumps(to_json(run(plan, table, jobs=jobs))) for jobs in (1, 1, 2))
    assert first == second == beside


def exported(bundle, to="r"):
    found = study.export_scripts(bundle, to=to)
    folder = bundle.with_name(f"{bundle.name}-{to}")
    with (folder / "not-exported.csv").open(encoding="utf-8") as file:
        return found, folder, list(csv.DictReader(file))


def test_an_r_script_repeats_what_metafor_has(bundle):
    found, folder, left = exported(bundle)
    script = (folder / "analysis.R").read_text(encoding="utf-8")
    for call in (
        "metafor::rma(",
        "metafor::rma.mh(",
        "metafor::rma.peto(",
        "metafor::trimfill(",
        'test = "knha"',
        'method = "EE"',
        "mods = ~ year",
    ):
        assert call in script
    assert found.repeated >= 15
    assert not found.of_patients
    assert {row["method"] for row in left if row["id"].startswith("B1")} == {"bayesian-meta-analysis"}
    assert all(row["why"] for row in left)
    effects = (folder / "effects.csv").read_text(encoding="utf-8").splitlines()
    assert effects[0].startswith("analysis,outcome,row,study,yi,vi,events_1,n_1,events_2,n_2")


def test_a_network_is_written_for_netmeta(review, four):
    arms = (("pump", "none"), ("pump", "none"), ("device", "none"), ("device", "pump"))
    rows = [row | {"treated": first, "control": second} for row, (first, second) in zip(four, arms, strict=True)]
    path = review.path(*rows, analyses=NETWORK)
    assert invoke(["run", str(path), "--out", str(review.directory / "n"), "--jobs", "1"]) == 0
    _, folder, _ = exported(review.directory / "n")
    assert "netmeta::netmeta(yi, sqrt(vi), arm_1, arm_2, study" in (folder / "analysis.R").read_text(encoding="utf-8")


@pytest.mark.parametrize("to", ["sas", "ars"])
def test_other_programs_say_what_they_do_not_repeat(bundle, to):
    found, _, left = exported(bundle, to)
    assert (found.repeated == 0) is (to == "sas")
    assert all(row["why"] for row in left)


@pytest.mark.slow
def test_metafor_gives_the_same_numbers(bundle):
    found, folder, _ = exported(bundle)
    if (
        shutil.which("Rscript") is None
        or subprocess.run(["Rscript", "-e", "library(metafor)"], capture_output=True, check=False).returncode
    ):
        pytest.skip("R with metafor is not here")
    done = subprocess.run(["Rscript", "analysis.R"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with (folder / "compared.csv").open(encoding="utf-8") as file:
        results = [row["result"] for row in csv.DictReader(file)]
    assert results.count("agrees") == found.repeated
