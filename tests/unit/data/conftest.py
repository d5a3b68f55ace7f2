import pytest

from counterpulse.data import read_dictionary


@pytest.fixture
def dictionary_of(tmp_path):
    """A dictionary from lines of CSV."""

    def make(text, name="dictionary.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return read_dictionary(path)

    return make


@pytest.fixture
def data_file(tmp_path):
    """A data file from text or bytes."""

    def make(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make
