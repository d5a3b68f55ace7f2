"""The tutorial of a fair comparison: its lines, put where the page says, give the numbers of its tables and sentences."""

from __future__ import annotations

import json
import re
from decimal import ROUND_HALF_UP, Decimal

import pytest
from pages import ROOT, Reader, blocks

from counterpulse import examples

PAGE = ROOT / "docs" / "tutorial" / "a-fair-comparison.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())
EFFECT = "{}.death_hospital.iabp.odds-ratio"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """What the page's run leaves behind."""
    folder = tmp_path_factory.mktemp("reader")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Reader(folder).follow(PAGE)
    return json.loads((folder / "comparison" / "results.json").read_text(encoding="utf-8"))


def row_of(result, name):
    return next(row for row in result["estimates"] if row["id"] == name)


def rows_of(result, block_kind, **wanted):
    """The rows of all blocks of a kind in which these columns have these values."""
    for block in result["blocks"]:
        if block["kind"] == block_kind:
            columns = block["columns"]
            for values in zip(*columns.values(), strict=True):
                row = dict(zip(columns, values, strict=True))
                if all(row.get(name) == value for name, value in wanted.items()):
                    yield row


def interval(row):
    return f"{row['estimate']:.2f} ({row['conf_low']:.2f} to {row['conf_high']:.2f})"


def test_lines_shown_without_an_order_are_those_of_the_example(tmp_path):
    shipped = examples.copy("ecls-registry", tmp_path / "study").read_text(encoding="utf-8")
    shown = [block.text for block in blocks(PAGE) if block.language == "yaml" and not block.order]
    assert len(shown) == 4
    assert all(text in shipped for text in shown)


def test_every_figure_is_there():
    figures = re.findall(r'<img src="([^"]+)" alt="[^"]+">', PAGE.read_text(encoding="utf-8"))
    assert len(figures) == 4
    assert all((PAGE.parent / figure).exists() for figure in figures)


def test_the_table_of_effects(result):
    shown = re.findall(r"^\| (\w\d) \| .+ \| (\d.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, _ in shown] == ["A1", "S7", "P1", "P3", "D1"]
    for name, numbers in shown:
        row = row_of(result, f"{name}.death_hospital.iabp.{'marginal-' if name == 'D1' else ''}odds-ratio")
        assert interval(row) == numbers
    weights, pairs = (row_of(result, EFFECT.format(name)) for name in ("P3", "P1"))
    assert f"{weights['fmi']:.1%} of P3 and {pairs['fmi']:.0%} of P1" in TEXT


def test_what_is_missing(result):
    (ph,) = rows_of(result, "imputation", variable="ph")
    assert f"(pH {ph['missing']}, {ph['percent']:.1f}%)" in TEXT
    rows = list(rows_of(result, "imputation"))
    assert f"The largest here is {max(max(row['scale_mean'], row['scale_sd']) for row in rows):.2f}." in TEXT
    assert max(row["percent"] for row in rows) < 4
    whole, complete = (row_of(result, EFFECT.format(name)) for name in ("A1", "S7"))
    assert f"keeps {complete['n']} of {whole['n']:,}" in TEXT
    wide, narrow = (f"{row['conf_low']:.2f} to {row['conf_high']:.2f}" for row in (complete, whole))
    assert f"{wide} against {narrow}" in TEXT


def test_pairs_and_weights(result):
    balance = {
        (row["variable"], row["sample"]): row
        for block in result["blocks"]
        if block["kind"] == "balance" and block["analysis"] == "P1"
        for row in rows_of({"blocks": [block]}, "balance")
    }
    before, after = (abs(balance["ckd", sample]["smd"]) for sample in ("unadjusted", "matched"))
    assert f"differed by {before:.2f} standard deviations and differs by {after:.2f} now" in TEXT
    cirrhosis = balance["cirrhosis", "matched"]
    assert f"the mean is {abs(cirrhosis['smd']):.2f}, and the worst table has {cirrhosis['smd_max']:.2f}" in TEXT
    (treated,) = rows_of(result, "effective-size", sample="matched", group="treated")
    whole = Decimal(repr(treated["n"])).quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert f"{whole} of the 422 treated" in TEXT
    treated, control = (
        next(rows_of(result, "effective-size", sample="weighted", group=group)) for group in ("treated", "control")
    )
    assert f"{treated['effective']:.1f} of {treated['n']:.0f} treated" in TEXT
    assert f"{control['effective']:.1f} of {control['n']:.0f} untreated" in TEXT


def test_immortal_time_and_subgroups(result):
    assert (
        f"{interval(row_of(result, EFFECT.format('S2')))} in place of {row_of(result, EFFECT.format('A1'))['estimate']:.2f}"
        in TEXT
    )
    (landmark,) = rows_of(result, "immortal-time", of="A1")
    assert f"out {landmark['patients_left_out']} patients, {landmark['treated_left_out']} of them treated" in TEXT
    old = row_of(result, "A1.death_hospital.age=>=65.iabp.odds-ratio")
    young = row_of(result, "A1.death_hospital.age=<65.iabp.odds-ratio")
    cut, uncut = (row_of(result, f"A1.death_hospital.age.{name}interaction")["p_value"] for name in ("", "continuous."))
    assert f"{interval(old)}, below it {young['estimate']:.2f}" in TEXT
    assert f"P = {cut:.3f}".replace("0.", ".") in TEXT
    assert f"P = {uncut:.2f}".replace("0.", ".") in TEXT


def test_robustness(result):
    (value,) = rows_of(result, "e-value", of=EFFECT.format("A1"))
    assert f"risk ratios of {value['e_value']:.2f} each" in TEXT
    assert value["e_value_limit"] == 1
    (frail,) = rows_of(
        result, "bias-analysis", kind="simple", prevalence_treated="0.1", prevalence_reference="0.3", effect="2"
    )
    (observed,) = rows_of(result, "bias-analysis", kind="observed")
    assert f"the risk ratio of {observed['estimate']:.2f} would be {frail['estimate']:.2f} without it" in TEXT
    estimates = [row["estimate"] for row in rows_of(result, "specification-curve")]
    count = len({row["specification"] for row in rows_of(result, "specification-curve")})
    assert f"{count} combinations of adjustment" in TEXT
    assert f"odds ratios from {min(estimates):.2f} to {max(estimates):.2f}" in TEXT
