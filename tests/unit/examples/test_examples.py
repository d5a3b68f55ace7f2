from __future__ import annotations

import polars as pl
import pytest

from counterpulse import examples
from counterpulse.data import read_dictionary, read_table
from counterpulse.errors import UsageError
from counterpulse.protocol.read import read_protocol
from counterpulse.study.mock.mock import write_mock

NAMES = [example.name for example in examples.EXAMPLES]


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_reads_without_a_finding(name, tmp_path):
    protocol = read_protocol(examples.copy(name, tmp_path / "Höhe 1 ü"))
    dictionary = read_dictionary(protocol.path.parent / protocol.nodes.data.dictionary)
    assert dictionary.findings == ()
    table = read_table(protocol.path.parent / protocol.nodes.data.table, dictionary, id=protocol.nodes.data.id)
    assert table.findings == ()
    assert protocol.nodes.study.id == name
    assert protocol.nodes.data.kind == next(item.data_kind for item in examples.EXAMPLES if item.name == name)


def test_nothing_is_overwritten(tmp_path):
    examples.copy("stanford-heart", tmp_path)
    (tmp_path / "dictionary.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"already holds dictionary\.csv"):
        examples.copy("stanford-heart", tmp_path)
    assert (tmp_path / "dictionary.csv").read_text() == "mine"


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match="there are stanford-heart, vsr-iabp, ecls-registry"):
        examples.copy("heart", tmp_path)


def test_the_registry_is_what_mock_makes_of_its_dictionaries(tmp_path):
    examples.copy("ecls-registry", tmp_path)
    write_mock(tmp_path / "ecls-registry.protocol.yaml", out=tmp_path / "again.csv", n=1500)
    for name in ("csv", "gas.csv"):
        assert (tmp_path / f"again.{name}").read_bytes() == (tmp_path / f"registry.{name}").read_bytes()


def test_the_hearts_are_those_of_the_published_table(shared_data, tmp_path):
    published = shared_data("jasa.csv")
    examples.copy("stanford-heart", tmp_path)
    ours = pl.read_csv(tmp_path / "stanford-heart.csv", try_parse_dates=True)
    days = (ours["Last contact"] - ours["Date of acceptance"]).dt.total_days()
    assert days.to_list() == published["futime"].to_list()
    assert ours["Date of death"].is_not_null().cast(int).to_list() == published["fustat"].to_list()
    assert (ours["Transplanted"] == "yes").cast(int).to_list() == published["transplant"].to_list()
    assert (ours["Prior bypass surgery"] == "yes").cast(int).to_list() == published["surgery"].to_list()
    waited = (ours["Date of transplant"] - ours["Date of acceptance"]).dt.total_days()
    assert waited.to_list() == published["wait.time"].to_list()
