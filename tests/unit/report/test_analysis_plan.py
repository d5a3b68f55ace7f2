from dataclasses import replace

import pytest

from counterpulse.errors import UsageError
from counterpulse.protocol.nodes import Amendment, Hypothesis, IntercurrentEvent, Trial
from counterpulse.report.before_data.analysis_plan import compose_analysis_plan
from counterpulse.report.before_data.files import check_name, to_format, write_planned
from counterpulse.report.document import Callout, Definitions, Listing, Paragraph, Table, blocks_of


def all_sections(sections):
    for section in sections:
        yield section
        yield from all_sections(section.sections)


def section(document, id_):
    return next(item for item in all_sections(document.sections) if item.id == id_)


def words(part):
    """Every word of a section."""
    found = []
    for block in blocks_of((part,)):
        if isinstance(block, Paragraph):
            found.append(block.text)
        elif isinstance(block, Listing):
            found += [item.text for item in block.items]
        elif isinstance(block, Definitions):
            found += [f"{term}: {said.text}" for term, said in block.entries]
        elif isinstance(block, Table):
            found += [" | ".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            assert not isinstance(block, Callout)
    return "\n".join(found)


@pytest.fixture(scope="module")
def sap(plan):
    return compose_analysis_plan(plan)


def changed(plan, **keys):
    return replace(plan, protocol=plan.protocol.model_copy(update=keys))


def test_what_identifies_the_plan_stands_first(sap, plan):
    facts = dict(sap.facts)
    assert facts["Registration"] == "ClinicalTrials.gov NCT00000000, 2025-03-01"
    assert facts["Version"] == "1.0"
    assert facts["Protocol digest"] == plan.protocol_digest
    assert facts["Dictionary digest"] == plan.dictionary_digest
    assert facts["Outcome data"] == "seen by nobody when this was written"
    assert sap.subtitle.startswith("Statistical analysis plan")
    assert sap.mark is None


def test_the_sections_of_the_guideline_in_its_order(sap):
    ids = [item.id for item in sap.sections]
    for first, second in [
        ("objectives", "design"), ("design", "eligibility"), ("eligibility", "outcomes"), ("baseline", "populations"),
        ("populations", "principles"), ("principles", "statistics"), ("statistics", "analyses"), ("analyses", "assumptions"),
        ("assumptions", "software"), ("amendments", "choices-section"), ("signatures", "checklist"),
    ]:  # fmt: skip
        assert ids.index(first) < ids.index(second)
    assert [item.title.partition(".")[0] for item in sap.sections] == [str(k + 1) for k in range(len(sap.sections))]


def test_it_speaks_of_the_future(sap):
    assert "will be" in words(section(sap, "statistics"))
    assert " were computed" not in words(section(sap, "analyses"))


def test_each_analysis_with_its_parts(sap, plan):
    for item in plan.analyses:
        said = words(section(sap, f"planned-{item.id}"))
        for term in ("Role:", "Outcome:", "Estimand:", "Population:", "Adjustment:", "Missing values:"):
            assert term in said
    assert "By the method of Holm" in words(section(sap, "planned-A6"))
    assert "95% confidence interval" in words(section(sap, "planned-A1"))
    assert "Age (cut at 65)" in words(section(sap, "planned-A1"))


def test_only_what_compares_the_groups_is_said_to_compare_them(plan):
    screen = replace(plan.analyses[0], id="U1", screen=("age",), only_screen=True)
    document = compose_analysis_plan(replace(plan, analyses=(*plan.analyses, screen)))
    assert "IABP after ECMO versus ECMO only" in words(section(document, "planned-A1"))
    assert "versus" not in words(section(document, "planned-U1"))


def test_every_choice_with_its_origin_and_reference(sap, plan):
    said = words(section(sap, "choices-section"))
    for choice in plan.choices:
        assert choice.name in said
    assert "Default" in said
    assert sap.references


def test_open_decisions_about_missing_values_are_said(plan, sap):
    assert "the protocol does not say" in words(section(sap, "missing-open"))
    told = replace(plan, analyses=tuple(replace(item, missing="complete-case") for item in plan.analyses))
    assert "missing-open" not in [item.id for item in compose_analysis_plan(told).sections]


def test_what_people_must_write_is_listed_and_not_claimed(sap):
    said = words(section(sap, "checklist")).splitlines()
    by_item = {line.split(" | ")[0]: line.split(" | ")[1:] for line in said if line.count(" | ") == 3}
    assert by_item["7"][1:] == ["—", "Write the background and the reason for the study"]
    assert by_item["11"][1] == "—"
    assert by_item["6a"][1].endswith("Signatures")
    assert by_item["16"][2] == "—"
    assert by_item["19b"][1] == "—"


def test_lines_to_sign_on(sap):
    table = next(block for block in section(sap, "signatures").blocks if isinstance(block, Table))
    assert [row.cells[0].text.strip() for row in table.rows] == [
        "Author of the plan",
        "Senior statistician",
        "Chief investigator",
    ]
    assert all("____" in cell.text for row in table.rows for cell in row.cells[1:])


def test_a_trial_prints_what_it_says_of_its_conduct(plan):
    trial = Trial.model_validate({
        "allocation": "1:1", "blinding": {"patients": "no", "assessors": "yes"},
        "randomization": {"method": "permuted blocks", "blocks": [4, 6], "stratified_by": ["sex"], "concealment": "web"},
        "sample_size": {"total": 240, "power": 0.8}, "interim": {"looks": [0.5], "spending": "obrien-fleming"},
    })  # fmt: skip
    planned = compose_analysis_plan(
        changed(
            plan,
            trial=trial,
            hypothesis=Hypothesis(type="superiority", on="risk difference"),
            intercurrent_events=(IntercurrentEvent(event="crossover to the pump", strategy="treatment-policy"),),
        )
    )
    randomized = words(section(planned, "randomization"))
    for part in ("1:1", "permuted blocks", "4, 6", "Sex", "web", "assessors"):
        assert part in randomized
    assert "Total: 240" in words(section(planned, "sample-size"))
    assert "obrien-fleming" in words(section(planned, "interim"))
    assert "Treatment policy strategy" in words(section(planned, "adherence"))
    assert "Superiority on the risk difference" in words(section(planned, "principles"))
    answered = words(section(planned, "checklist"))
    assert "Sample size" in next(line for line in answered.splitlines() if line.startswith("11 |"))


def test_amendments_are_its_revisions(plan):
    first = Amendment(
        date="2025-02-10", what="Horizon 30 days", why="registry reports at 30 days", after_data_seen=False
    )
    said = words(section(compose_analysis_plan(changed(plan, amendments=(first,))), "amendments"))
    assert "2025-02-10 | Horizon 30 days | registry reports at 30 days | no" in said


def test_text_of_people_is_only_text_in_every_format(plan):
    odd = '<b>&"x"\\ #let $1 =cmd ' + "long " * 60
    study = plan.protocol.study.model_copy(update={"title": odd, "setting": odd, "funding": odd})
    document = compose_analysis_plan(changed(plan, study=study))
    for suffix in (".html", ".docx", ".pdf"):
        assert to_format(document, suffix)
    assert '<b>&"x' not in to_format(document, ".html").decode()


@pytest.mark.parametrize("suffix", [".html", ".docx", ".pdf"])
def test_the_same_bytes_twice(plan, sap, suffix):
    assert to_format(compose_analysis_plan(plan), suffix) == to_format(sap, suffix)


def test_a_file_that_is_there_is_kept(tmp_path, sap, plan):
    file = tmp_path / "plan.html"
    assert write_planned(sap, file) is True
    assert write_planned(sap, file) is False
    file.write_text("edited by hand", encoding="utf-8")
    with pytest.raises(UsageError, match="choose another name"):
        write_planned(sap, file)
    assert file.read_text(encoding="utf-8") == "edited by hand"


@pytest.mark.parametrize("name", ["plan.doc", "plan", "plan.txt"])
def test_another_ending_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match=r"\.docx, \.pdf or \.html"):
        check_name(tmp_path / name)


def test_a_place_that_cannot_be_written(tmp_path, sap):
    with pytest.raises(UsageError, match="cannot write"):
        write_planned(sap, tmp_path / "no such folder" / "plan.html")
