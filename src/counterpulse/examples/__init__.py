"""Studies that ship: each a folder with a protocol, a dictionary and a table."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from counterpulse.errors import UsageError

__all__ = ["EXAMPLES", "SCORES", "Example", "copy"]


@dataclass(frozen=True, slots=True)
class Example:
    """A study that ships; `data_kind` says whether its patients are people."""

    name: str
    title: str
    data_kind: Literal["real", "mock"]
    folder: str

    @property
    def protocol(self) -> str:
        """The file name of its protocol."""
        return f"{self.name}.protocol.yaml"


SCORES = "scores"
"""Published scores to paste into a protocol: copied by this name, but no study."""


EXAMPLES = (
    Example("stanford-heart", "Heart transplantation and survival: the immortal-time lesson", "real", "stanford_heart"),
    Example(
        "vsr-iabp", "Balloon pump in septal rupture, on dummy patients drawn to a printed table", "mock", "vsr_iabp"
    ),
    Example("ecls-registry", "Balloon pump after VA-ECMO, on dummy patients", "mock", "ecls_registry"),
    Example(
        "ecpr-iabp", "A review: balloon pump during ECPR, as far as its numbers could be verified", "real", "ecpr_iabp"
    ),
    Example("iabp-shock", "A review: randomized trials of the balloon pump", "real", "iabp_shock"),
)


def copy(name: str, directory: str | Path) -> Path:
    """Copy a study that ships.

    Parameters
    ----------
    name : of one of `EXAMPLES`, or `SCORES`
    directory : where to; made where it is not there

    Returns
    -------
    The path of the protocol; of the instructions for `SCORES`.

    Raises
    ------
    UsageError : no example has the name, or a file of that name is already there (nothing is ever overwritten)
    """
    folder, main = (SCORES, "README.md") if name == SCORES else (_named(name).folder, _named(name).protocol)
    directory = Path(directory)
    sources = [item for item in files(__name__).joinpath(folder).iterdir() if item.is_file()]
    there = [item.name for item in sources if (directory / item.name).exists()]
    if there:
        raise UsageError(f"{directory} already holds {', '.join(sorted(there))}; name another directory")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for item in sources:
            (directory / item.name).write_bytes(item.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot write to {directory}: {error.strerror}; name another directory") from None
    return directory / main


def _named(name: str) -> Example:
    for example in EXAMPLES:
        if example.name == name:
            return example
    raise UsageError(f"there is no example '{name}'; there are {', '.join(item.name for item in EXAMPLES)}")
