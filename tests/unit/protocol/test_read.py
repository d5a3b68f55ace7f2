from __future__ import annotations

import re

import pytest

from counterpulse.errors import ProtocolError, UsageError
from counterpulse.protocol import parse_protocol, read_protocol
from counterpulse.source import load_yaml


@pytest.fixture
def file_with(tmp_path):
    def write(text):
        path = tmp_path / "study.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def codes(error):
    return [finding.code for finding in error.value.findings]


def test_both_drafts_are_read(shared_path):
    for name in ("ecls_registry_iabp", "altshock2"):
        protocol = read_protocol(shared_path(f"protocols/{name}.protocol.yaml"))
        assert protocol.digest.startswith("sha256:")


def test_the_review_draft_is_read(shared_path):
    text = shared_path("design/protocol-language.md").read_text(encoding="utf-8")
    draft = re.search(r"```yaml\n(protocol: 1.*?)```", text, re.DOTALL)
    assert parse_protocol(load_yaml(draft[1], "review.yaml")).study.design == "review"


def test_positions_are_of_the_file(registry, file_with):
    protocol = read_protocol(file_with(registry))
    where = protocol.where(("analyses", 0, "adjust"))
    assert where.excerpt.strip() == "adjust: baseline"
    assert where.excerpt[where.column - 1 :] == "baseline"


def test_a_missing_file_is_a_matter_of_usage(tmp_path):
    with pytest.raises(UsageError, match="not there"):
        read_protocol(tmp_path / "absent.yaml")


@pytest.mark.parametrize("text", ["- one\n- two\n", "hello\n", "3\n"])
def test_the_root_is_a_block_of_keys(text, file_with):
    with pytest.raises(ProtocolError) as error:
        read_protocol(file_with(text))
    assert codes(error) == ["E228"]
    assert error.value.exit_code == 3


def test_a_list_in_a_rule_that_yaml_cannot_read_is_explained(changed, file_with):
    text = changed('rule: mode = "VA" and shock = yes', 'rule: mode in ("VA", "VV")')
    with pytest.raises(ProtocolError) as error:
        read_protocol(file_with(text))
    (finding,) = error.value.findings
    assert finding.code == "E221"
    assert finding.where.line == 13
    assert "in quotes, or on its own line" in finding.remedy


def test_the_same_rule_is_read_on_its_own_line(changed, file_with):
    text = changed("rule: pump = yes and hours from ecmo_start to pump_time < 0", 'rule: mode in ("VA", "VV")')
    protocol = read_protocol(file_with(text))
    assert protocol.nodes.eligibility.exclude[1].rule == 'mode in ("VA", "VV")'


def test_british_keywords_are_american_and_keep_their_place(registry, dictionary, linted):
    text = registry.replace("adults: {rule:", "adults: {analyse_as: pump_aftr, rule:")
    (finding,) = linted(text)
    assert finding.code == "E232"
    assert finding.where.excerpt[finding.where.column - 1 :].startswith("pump_aftr")


def test_texts_that_look_like_numbers_stay_as_they_are(registry, read):
    text = registry.replace("registration: none", "registration: {registry: ChiCTR, id: 2000034567890}\n  version: 1.2")
    study = read(text).nodes.study
    assert (study.registration.id, study.version) == ("2000034567890", "1.2")


def test_internal_names_are_no_keys(changed, linted):
    with pytest.raises(ProtocolError) as error:
        linted(changed("as: robust", "treat_as: robust"))
    assert codes(error) == ["E220"]


def test_the_exposure_may_be_the_outcome(changed, read):
    analysis = read(changed("outcome: death_hospital\n", "outcome: {group: pump}\n")).nodes.analyses[0]
    assert analysis.outcome.group == "pump"
    assert analysis.outcomes == ()


def test_every_missing_key_of_an_empty_protocol_is_told_at_once():
    with pytest.raises(ProtocolError) as error:
        parse_protocol(load_yaml("study: {}\n", "study.yaml"))
    assert codes(error) == ["E222"] * 5
    assert all("add a line such as" in finding.remedy for finding in error.value.findings)
