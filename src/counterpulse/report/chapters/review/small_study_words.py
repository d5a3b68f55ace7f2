"""Tests and corrections for small-study effects by their authors' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.speech import Speech, listed
from counterpulse.report.document import Run

Named = tuple[str, str]
TESTS: Mapping[str, Named] = {
    "egger": ("the regression test of Egger and colleagues", "egger-1997"),
    "egger-random": ("the regression test of Egger and colleagues with a variance between studies", "egger-1997"),
    "thompson-sharp": ("the regression test of Thompson and Sharp", "thompson-sharp-1999"),
    "begg": ("the rank correlation test of Begg and Mazumdar", "begg-mazumdar-1994"),
    "harbord": ("the score test of Harbord and colleagues", "harbord-2006"),
    "peters": ("the test of Peters and colleagues", "peters-2006"),
    "macaskill": ("the test of Macaskill and colleagues", "macaskill-2001"),
    "deeks": ("the test of Deeks and colleagues", "deeks-2005"),
    "pustejovsky": ("the test of Pustejovsky and Rodgers", "pustejovsky-rodgers-2019"),
    "rucker": ("the arcsine test of Rücker and colleagues", "rucker-2008"),
    "excess-significance": (
        "the test of Ioannidis and Trikalinos for an excess of significant findings",
        "ioannidis-trikalinos-2007",
    ),
}
CORRECTIONS: Mapping[str, Named] = {
    "trim-and-fill": ("trim and fill (Duval and Tweedie)", "duval-tweedie-2000"),
    "selection-step": ("a selection model with a step function (Vevea and Hedges)", "vevea-hedges-1995"),
    "selection-beta": ("a selection model with beta weights (Citkowicz and Vevea)", "citkowicz-vevea-2017"),
    "limit": ("a limit meta-analysis (Rücker and colleagues)", "rucker-2011"),
    "pet-peese": ("PET-PEESE (Stanley and Doucouliagos)", "stanley-doucouliagos-2014"),
}
FAIL_SAFE = "fail-safe"


def small_study_run(speech: Speech, item: PlannedAnalysis) -> Iterator[Run]:
    """What was done to find small-study effects, and to correct for them."""
    asked = item.options.get("small_study_effects")
    names = [str(name) for name in asked] if isinstance(asked, tuple) else []
    tests, corrections = (
        [TESTS[name] for name in names if name in TESTS],
        [CORRECTIONS[name] for name in names if name in CORRECTIONS],
    )
    if tests:
        yield speech.run(
            f"Whether small studies show other effects than large ones {speech.was} examined in a contour-enhanced funnel plot and by "
            f"{listed([words for words, _ in tests])}.",
            "sterne-2011", *(work for _, work in tests),
        )  # fmt: skip
    if corrections:
        yield speech.run(
            f"What the effect would be if such effects came from selective publication {speech.was} estimated by "
            f"{listed([words for words, _ in corrections])}; these are sensitivity analyses, and none replaces the main result.",
            *(work for _, work in corrections),
        )
    if FAIL_SAFE in names:
        yield speech.run(f"Rosenthal's fail-safe N {speech.was} computed.", "rosenthal-1979")
