import polars as pl
import pytest

from counterpulse.data import draft_dictionary
from counterpulse.errors import DataError, ProtocolError, UsageError
from counterpulse.protocol import read_protocol
from counterpulse.study.interview.answers_file import Guesses
from counterpulse.study.interview.draft import draft_study
from counterpulse.study.interview.interview import KEYS, ask_about_reading, hold_interview
from counterpulse.study.interview.question import NONE, Question, Wrong
from counterpulse.study.load import check

N = 80
DATES = {
    "patient_id": [f"P{i:03d}" for i in range(N)],
    "site": [f"S{i % 4}" for i in range(N)],
    "ecmo_start": [f"2020-0{1 + i % 9}-10" for i in range(N)],
    "iabp": ["yes" if i % 3 == 0 else "no" for i in range(N)],
    "iabp_date": [f"2020-0{1 + i % 9}-{10 + i % 2}" if i % 3 == 0 else "" for i in range(N)],
    "died_in_hospital": ["1" if i % 4 == 0 else "0" for i in range(N)],
    "death_date": [f"2020-0{1 + i % 9}-2{i % 9}" if i % 4 == 0 else "" for i in range(N)],
    "last_contact": [f"2020-0{1 + i % 9}-28" for i in range(N)],
    "age": [str(30 + i % 50) for i in range(N)],
    "lactate": [f"{1 + i % 7}.5" for i in range(N)],
    "bleeding_complication": ["yes" if i % 5 == 0 else "no" for i in range(N)],
    "icu_days": [str(3 + i % 11) for i in range(N)],
}
DURATIONS = {
    "treat": ["0", "1"] * (N // 2),
    "time": [str(5 + 7 * i % 300) for i in range(N)],
    "status": ["1", "2", "2", "1"] * (N // 4),
    "age": [str(30 + i % 50) for i in range(N)],
}


@pytest.fixture
def place(tmp_path):
    def write(columns, name="ward.csv"):
        pl.DataFrame(columns).write_csv(tmp_path / name)
        return tmp_path / name

    return write


def drafted(path, answers=None, **options):
    file = None
    if answers is not None:
        file = path.parent / "given.yaml"
        file.write_text(answers, encoding="utf-8")
    return draft_study(path, sheet=None, directory=path.parent / "out", answers=file, **options)


def refused(path, answers):
    with pytest.raises(ProtocolError) as raised:
        drafted(path, answers)
    assert not (path.parent / "out").exists()
    return {finding.code: finding for finding in raised.value.findings}


def guesses(path):
    guesses = Guesses()
    draft = draft_dictionary(path)
    ask_about_reading(draft, guesses)
    hold_interview(draft, guesses, with_labels=False)
    return {question.key: answer for question, answer in guesses.assumed}


def test_guesses_where_the_table_has_dates(place):
    found = guesses(place(DATES))
    assert {key: found[key] for key in ("id", "center", "day_0", "group", "treated", "reference", "treatment_time")} == {
        "id": "patient_id", "center": "site", "day_0": "ecmo_start", "group": "iabp", "treated": "yes", "reference": "no",
        "treatment_time": "iabp_date",
    }  # fmt: skip
    assert (found["immortal_time"], found["landmark"]) == ("landmark", "1 day")
    assert (found["outcome"], found["event"], found["better"]) == ("died_in_hospital", "yes", "lower")
    assert (found["death"], found["last_seen"], found["horizon"]) == ("death_date", "last_contact", "30 days")
    assert found["covariates"] == "age, lactate"  # 20 events bear two; what comes after day 0 is never a candidate
    assert set(found) <= set(KEYS)


def test_guesses_where_the_table_has_durations(place):
    found = guesses(place(DURATIONS))
    assert (found["day_0"], found["group"], found["outcome"], found["event"]) == ("counted", "treat", "status", "2")
    assert (found["time"], found["time_unit"], found["risk_at"]) == ("time", "days", "180 days")


@pytest.mark.parametrize("columns", [DATES, DURATIONS], ids=["dates", "durations"])
def test_what_is_guessed_passes_check(place, columns):
    study = drafted(place(columns))
    findings, code = check(study.protocol)
    assert [finding.text() for finding in findings if finding.severity != "note"] == []
    assert code == 0


def test_the_answers_that_are_written_give_the_same_study(place, tmp_path):
    path = place(DATES)
    first = drafted(path)
    answers = first.protocol.with_name("ward.answers.yaml")
    again = draft_study(path, sheet=None, directory=tmp_path / "again", answers=answers)
    assert again.assumed == ()
    assert again.protocol.read_bytes() == first.protocol.read_bytes()
    assert (tmp_path / "again" / "ward.dictionary.csv").read_bytes() == first.written[0].read_bytes()


def test_answers_change_the_study(place):
    text = "\n".join([
        "outcome: icu_days", "covariates: [age, LACTATE]", "treated_label: Balloon pump", "immortal_time: time-varying", "landmark: 2 days",
        'title: "Pump: yes or no?"', "center: '-'", "horizon: 14 days", "reference_label: Control",
    ])  # fmt: skip
    study = drafted(place(DATES), text)
    nodes = read_protocol(study.protocol).nodes
    assert nodes.study.title == "Pump: yes or no?"
    assert nodes.data.site is None
    assert nodes.groups.labels == {"yes": "Balloon pump", "no": "Control"}
    assert nodes.confounders["baseline"] == ("age", "lactate")
    assert [outcome.type for outcome in nodes.outcomes.values()] == ["continuous", "time-to-event"]
    assert check(study.protocol)[1] == 0
    assert "title" not in {question.key for question, _ in study.assumed}


def test_a_randomized_trial(place):
    study = drafted(place({**DATES, "arm": ["a", "b"] * (N // 2)}), "group: arm\nassigned_by: randomization\n")
    assert read_protocol(study.protocol).nodes.study.design == "randomized-trial"
    assert [finding.text() for finding in check(study.protocol)[0] if finding.severity == "error"] == []


def test_every_wrong_answer_is_told_at_once(place):
    found = refused(
        place(DATES),
        "grup: iabp\noutcom: x\nday_0: ecmo_strat\nouctome: x\ntreated: perhaps\nhorizon: soon\nbetter: faster\n",
    )
    assert {"E680", "E681", "E682", "E683"} == set(found)
    assert "did you mean ecmo_start?" in found["E681"].remedy
    assert (found["E681"].where.line, found["E682"].where.line) == (3, 5)


@pytest.mark.parametrize(
    ("answer", "words"),
    [("outcome: death_date", "is a variable of type date"), ("day_0: nothing_there", "no column"), ("covariates: [age, died_in_hospital]", "another role")],
)  # fmt: skip
def test_columns_that_do_not_serve(place, answer, words):
    assert words in refused(place(DATES), answer + "\n")["E681"].seen


def test_a_level_that_few_patients_hold_is_no_answer(place):
    device = ["none"] * 50 + ["pump"] * 27 + ["Secretlevel"] * 3
    path = place({**DATES, "device": device})
    assert "E682" in refused(path, "group: device\ntreated: Secretlevel\n")
    study = drafted(path, "group: device\n")
    assert "Secretlevel" not in "".join(file.read_text(encoding="utf-8") for file in study.written)
    assert check(study.protocol)[1] == 0


def test_an_answers_file_that_is_none(place, tmp_path):
    with pytest.raises(UsageError, match="file of answers"):
        draft_study(place(DATES), sheet=None, directory=tmp_path / "out", answers=tmp_path / "nowhere.yaml")
    assert "E683" in refused(place(DATES), "- a list\n")


def test_rows_that_repeat_are_told(place):
    columns = {key: [value for value in values for _ in range(2)] for key, values in DATES.items()}
    study = drafted(place(columns))
    assert any("patient_id repeats: several rows a patient" in note for note in study.notes)


def test_a_table_of_measurements(place, tmp_path):
    gas = {
        "patient_id": [f"P{i // 3:03d}" for i in range(3 * N)],
        "taken_at": [f"2020-0{1 + i // 3 % 9}-10 0{i % 3}:30" for i in range(3 * N)],
        "lactate": [f"{1 + i % 9}.5" for i in range(3 * N)],
    }
    study = drafted(place(DATES), tables={"gas": place(gas, "gas.csv")})
    related = read_protocol(study.protocol).nodes.tables["gas"]
    assert (related.id, related.time, related.one_row_per) == ("patient_id", "taken_at", "measurement")
    assert (study.protocol.parent / related.dictionary).exists()
    assert check(study.protocol)[1] == 0
    assert "gas.time: taken_at" in study.protocol.with_name("ward.answers.yaml").read_text(encoding="utf-8")


def test_identifiers_are_left_out_and_can_be_kept(place):
    path = place({**DATES, "surname": [f"Maier{i}" for i in range(N)], "birth_date": ["1950-01-01"] * N})
    study = drafted(path, "keep: [birth_date]\n")
    text = study.written[0].read_text(encoding="utf-8")
    assert "birth_date" in text
    assert "surname" not in text
    assert any(note.startswith("surname looks like a name") for note in study.notes)


def test_levels_with_signs_stand_in_the_protocol(place):
    device = ["none {at all}"] * 40 + ["it's #1"] * 40
    study = drafted(place({**DATES, "device": device, "iabp_date": [""] * N}), 'group: device\ntreated: "it\'s #1"\n')
    assert read_protocol(study.protocol).nodes.groups.levels == ("it's #1", "none {at all}")
    outcome = drafted(place({**DATES, "state": device}, "b.csv"), "outcome: state\nevent: none {at all}\n")
    assert check(outcome.protocol)[1] == 0


def test_a_number_that_cannot_be_missing_is_told(place):
    study = drafted(place(DATES), "missing: ['77', '45']\n")
    assert any(note.startswith("45 stands nowhere far") for note in study.notes)
    told = place({**DATES, "n_of_vessels": ["77" if i % 9 == 0 else str(i % 4) for i in range(N)]}, "c.csv")
    assert ",77," in drafted(told, "missing: ['77']\n").written[0].read_text(encoding="utf-8")


def test_a_question_reads_its_answer():
    question = Question(
        key="group", text="?", guess="a", kind="column", choices={"iabp": "", "hla_a2": ""}, optional=True
    )
    assert [question.read(text) for text in ("IABP", "hla.a2", " - ", "")] == ["iabp", "hla_a2", NONE, NONE]
    assert isinstance(question.read("pump"), Wrong)
    length = Question(key="horizon", text="?", guess="30 days", kind="length")
    assert length.read("24 hours") == "24 hours"
    assert "write it like 30 days" in length.read("soon").text()
    assert "no column" in Question(key="id", text="?", guess="-", kind="column", choices={}).read("x").text()


def test_several_sheets_are_listed_where_nobody_can_be_asked(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Notes"
    for title in ("Patients", "Gas"):
        sheet = book.create_sheet(title)
        sheet.append(list(DATES))
        for row in zip(*DATES.values(), strict=True):
            sheet.append(list(row))
    book.save(tmp_path / "ward.xlsx")
    with pytest.raises(DataError) as raised:
        draft_study(tmp_path / "ward.xlsx", sheet=None, directory=tmp_path / "out")
    (finding,) = raised.value.findings
    assert (finding.code, finding.allowed) == ("E684", "'Patients' (80 rows, 12 columns), 'Gas' (80 rows, 12 columns)")
    study = drafted(tmp_path / "ward.xlsx", "sheet: Patients\n")
    assert read_protocol(study.protocol).nodes.data.sheet == "Patients"
    del book["Gas"]
    book.save(tmp_path / "one.xlsx")
    assert (
        'sheet: "Patients"'
        in draft_study(tmp_path / "one.xlsx", sheet=None, directory=tmp_path / "o").protocol.read_text()
    )


def test_what_was_measured_last_is_no_covariate(place):
    late = {"re74": [str(i) for i in range(N)], "re75": [str(2 * i) for i in range(N)], "re78": [str(3 * i) for i in range(N)],
            "wt82_71": [f"{i}.5" for i in range(N)]}  # fmt: skip
    found = guesses(place({"treat": ["0", "1"] * (N // 2), **late}))
    assert found["covariates"] == "re74, re75"
