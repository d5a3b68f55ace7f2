import pytest

from counterpulse.expression import CircularDefinitionError, evaluation_order


def test_each_stands_after_what_it_reads_and_otherwise_as_given():
    definitions = {"obese": {"bmi"}, "risk": {"obese", "older", "age"}, "bmi": {"weight", "height"}, "older": {"age"}}
    assert evaluation_order(definitions) == ("bmi", "obese", "older", "risk")


def test_a_circle_is_named():
    with pytest.raises(CircularDefinitionError, match="b reads c reads b") as caught:
        evaluation_order({"a": ["b"], "b": ["c", "age"], "c": ["b"]})
    assert caught.value.cycle == ("b", "c", "b")


def test_a_definition_that_reads_itself():
    with pytest.raises(CircularDefinitionError, match="a reads a"):
        evaluation_order({"a": ["a"]})


def test_a_long_chain_does_not_exhaust_the_stack():
    chain = {f"v{number}": [f"v{number + 1}"] for number in range(3000)}
    assert evaluation_order(chain)[0] == "v2999"
