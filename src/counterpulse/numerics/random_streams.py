"""One stream of random numbers for each (seed, analysis, draw): adding an analysis never shifts another's draws."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np


def stream(seed: int, analysis: str, draw: int = 0) -> np.random.Generator:
    """Make a Philox generator that depends on nothing but its three arguments."""
    name = int.from_bytes(blake2b(analysis.encode(), digest_size=16).digest(), "little")
    key = np.random.SeedSequence(entropy=seed, spawn_key=(name, draw))
    return np.random.Generator(np.random.Philox(key))
