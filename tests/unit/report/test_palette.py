"""The looks of the groups are told apart by everybody: with normal sight, with a color deficiency, and in gray print.

Deficiencies are simulated by the matrices of Machado, Oliveira and Fernandes (IEEE Trans Vis Comput Graph 2009;15:1291-1298,
doi:10.1109/TVCG.2009.113) at full severity, in linear light; distances are those of CIE Lab (1976), white point D65.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from counterpulse.report.figures.marks import SHAPES
from counterpulse.report.figures.palette import COLORS, DASHES, look

GROUPS = 6
FAR = 20.0  # CIE76: ten times what is just noticeable, and more than print shifts a color
SIX_PLACES = 2e-6  # the matrices are printed to six places, three a row
CONTRAST = 4.5  # WCAG 2.2, text
MACHADO = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = TO_XYZ @ np.ones(3)


def linear(color):
    values = np.array([int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(light):
    scaled = TO_XYZ @ np.clip(light, 0, 1) / WHITE
    f = np.where(scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def seen(color, sight):
    light = linear(color)
    if sight == "gray":
        return lab(np.full(3, TO_XYZ[1] @ light))
    return lab(np.array(MACHADO[sight]) @ light) if sight in MACHADO else lab(light)


@pytest.mark.parametrize("sight", ["normal", *MACHADO, "gray"])
def test_two_groups_differ_in_color_or_dash(sight):
    for one, other in combinations(range(GROUPS), 2):
        far = np.linalg.norm(seen(look(one)[0], sight) - seen(look(other)[0], sight)) >= FAR
        assert far or look(one)[1] != look(other)[1], (one, other)


@pytest.mark.parametrize("sight", ["normal", *MACHADO])
def test_the_first_two_groups_differ_in_color_alone(sight):
    assert np.linalg.norm(seen(COLORS[0], sight) - seen(COLORS[1], sight)) >= FAR


def test_in_gray_the_dash_alone_tells_the_groups_apart():
    assert len({look(k)[1] for k in range(GROUPS)}) == GROUPS == len(DASHES)
    assert len({look(k) for k in range(36)}) == 36


def test_samples_have_marks_of_their_own():
    assert len(set(SHAPES)) == len(SHAPES) == len(COLORS)


@pytest.mark.parametrize("color", COLORS)
def test_words_in_a_groups_color_are_legible(color):
    luminance = TO_XYZ[1] @ linear(color)
    assert 1.05 / (luminance + 0.05) >= CONTRAST


@pytest.mark.parametrize("sight", MACHADO)
def test_white_and_gray_are_seen_alike(sight):
    assert np.array(MACHADO[sight]).sum(axis=1) == pytest.approx(np.ones(3), abs=SIX_PLACES)
