import pickle
import sys

import pytest

from counterpulse.errors import InputError, UsageError
from counterpulse.study.cluster import dask_workers as module
from counterpulse.study.cluster.address import Certificates, checked_address, is_private
from counterpulse.study.cluster.far_side import PROCESSOR, Turns, Unpacked, carry_out, installed, pack, unpack

CANARY = "Canary-Patient-4711"


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:8786", "tcp://127.9.9.9:80", "tls://ward.example:8786"],
)
def test_addresses_on_this_machine_or_encrypted_are_taken(address):
    assert checked_address(address) == address


@pytest.mark.parametrize("address", ["tcp://10.0.0.7:8786", "tcp://ward.example:8786", "tcp://127.0.0.1.example:1"])
def test_data_do_not_cross_a_network_in_the_clear(address):
    with pytest.raises(UsageError, match="unencrypted: start the cluster with certificates and write tls://"):
        checked_address(address)
    assert not is_private(address)


@pytest.mark.parametrize(
    "address", ["", "8786", "ward:8786", "http://127.0.0.1:8787", "tcp://127.0.0.1", "tcp://[x:1", "tls://h:x"]
)
def test_other_addresses_are_refused_with_an_example(address):
    with pytest.raises(UsageError, match="write it as tls://HOST:PORT"):
        checked_address(address)


def test_certificates_come_together_and_are_there(tmp_path):
    file = tmp_path / "own.pem"
    file.write_text("")
    with pytest.raises(UsageError, match="give all three"):
        Certificates(certificate=file, key=file)
    with pytest.raises(UsageError, match="is not there"):
        Certificates(certificate=file, key=file, authority=tmp_path / "none.pem")
    assert Certificates(certificate=file, key=file, authority=file).given
    assert not Certificates().given


def test_without_dask_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(UsageError, match=r'pip install "counterpulse\[cluster\]"'),
        module.dask_workers("tcp://127.0.0.1:1"),
    ):
        pass


def test_other_versions_are_named_with_what_to_do():
    with pytest.raises(UsageError, match=r"numpy 1\.0 \(here .*install the same versions on every machine"):
        module._refuse_other({**installed(), "numpy": "1.0"})
    with pytest.raises(UsageError, match=r"processor instructions .* last digits; use machines of one kind"):
        module._refuse_other({**installed(), PROCESSOR: "riscv64"})
    with pytest.raises(UsageError, match=r"polars none \(here"):
        module._refuse_other({name: value for name, value in installed().items() if name != "polars"})
    module._refuse_other(installed())


# -- the far side


class Work:
    """Ten times an item, with a patient in its hands."""

    def __init__(self, fails=None):
        self.patient, self.fails = CANARY, fails

    def __repr__(self):
        return self.patient

    def __call__(self, item):
        if item == 3 and self.fails is not None:
            raise self.fails
        return item * 10


class UnsendableError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one}{two}")

    def __reduce__(self):
        return UnsendableError, (1,)


def test_turns_come_back_by_place():
    done = carry_out(unpack(pack(Work())), installed(), Turns(((4, 1), (7, 2))))
    assert (done.results, done.error, done.differs) == ({4: 10, 7: 20}, None, None)


def test_an_error_is_a_value():
    turns = Turns(((0, 2), (1, 3), (2, 4)))
    done = carry_out(unpack(pack(Work(InputError("wrong column")))), installed(), turns)
    assert done.results == {0: 20}
    place, error = done.error
    assert (place, type(error), str(error)) == (1, InputError, "wrong column")
    _, error = carry_out(Unpacked(Work(UnsendableError(1, 2))), installed(), turns).error
    assert (type(error), str(error)) == (RuntimeError, "UnsendableError on a worker")


def test_another_version_unpacks_nothing():
    packed = pack(Work())
    other = type(packed)(b"no pickle at all", {**installed(), "numpy": "1.0"})
    unpacked = unpack(other)
    assert unpacked.work is None
    assert carry_out(unpacked, other.installed, Turns(((0, 1),))).differs == installed()


def test_nothing_that_is_sent_prints_its_values():
    parcel, turns = pack(Work()), Turns(((0, CANARY),))
    sent = (parcel, turns, unpack(parcel), carry_out(unpack(parcel), installed(), turns))
    assert CANARY not in "".join(map(repr, sent)) + "".join(map(str, sent))
    assert pickle.loads(pickle.dumps(turns)).items == turns.items
