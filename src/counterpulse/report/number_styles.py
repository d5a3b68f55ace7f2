"""The rules of each journal for its numbers, and the few words and signs that go with them, as one table.

Where a rule comes from stands beside it: *rule* is what the journal or its manual says, with the place; *printed* is what its
tables show, without a published rule that we could check; *ours* is a choice of this program where neither says anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from string import ascii_lowercase

MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
EN_DASH, EM_DASH = "\N{EN DASH}", "\N{EM DASH}"
LETTERS = tuple(ascii_lowercase)
SYMBOLS = ("*", "\N{DAGGER}", "\N{DOUBLE DAGGER}", "\N{SECTION SIGN}", "\N{PILCROW SIGN}", "\N{DOUBLE VERTICAL LINE}")


@dataclass(frozen=True, slots=True)
class PRule:
    """How a P value is printed.

    `bands` are (upper bound, decimal places): the first band whose bound is above P holds. `smallest` is the least value
    printed; below it stands "<smallest". With `significant`, that many significant figures are printed instead, within
    the places of `smallest`. With `keeps_side`, a P value below 0.05 is never printed as 0.05. `letter` and `space` make
    "P = 0.03" of a sentence, the space standing on both sides of the sign.
    """

    bands: tuple[tuple[float, int], ...]
    smallest: str = "0.001"
    significant: int | None = None
    leading_zero: bool = True
    keeps_side: bool = False
    letter: str = "P"
    space: str = " "


@dataclass(frozen=True, slots=True)
class Glossary:
    """How the abbreviations under a table are set: after `lead`, each `link`ed to its words, `join`ed, the `last` of them.

    `first_link` is another link for the first one.
    """

    lead: str = "Abbreviations: "
    link: str = ", "
    join: str = "; "
    last: str = "; "
    first_link: str | None = None
    first: bool = True
    """Whether it stands before the other notes of a table, or after those that concern the whole table."""

    def text(self, words: Mapping[str, str]) -> str:
        """The note of some abbreviations, in alphabetical order."""
        order = sorted(words, key=lambda short: (short.casefold(), short))
        links = [self.first_link or self.link, *(self.link for _ in order[1:])]
        parts = [f"{short}{link}{words[short]}" for short, link in zip(order, links, strict=True)]
        listed = self.join.join(parts[:-1]) + (self.last if len(parts) > 1 else "") + parts[-1]
        return f"{self.lead}{listed}."


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """The number rules of one journal, and the few words that go with numbers.

    `percent_bands` are (denominator below, places); `few_percent` counts places by the percentage instead: one below 10,
    none from 10. `spread` is how a standard deviation follows its mean. `thousands` are set apart from `grouped_from` digits on.
    `counted` names a count with its percentage, `counted_of` one with its denominator; they stand in the row with
    `counted_in_row`, after `label_link`, else once under the table, after `values_are`. `reference` is the cell of the level
    others are compared with, `blank` a cell that has no value by nature. Without `baseline_p` Table 1 has no P values;
    without `secondary_p` secondary and exploratory analyses have intervals only, unless the plan adjusts for multiplicity.
    """

    name: str
    p: PRule
    decimal_mark: str = "."
    thousands: str = ","
    grouped_from: int = 5
    separator: str = " to "
    separator_negative: str = " to "
    after_level: str = ""
    percent_bands: tuple[tuple[float, int], ...] = ((100, 0), (float("inf"), 1))
    few_percent: bool = False
    percent_sign: bool = False
    spread: str = "{mean} ({sd})"
    mean_label: str = "mean (SD)"
    median_label: str = "median (IQR)"
    quartile_separator: str = EN_DASH
    group_size: str = "(n = {n})"
    counted: str = "n (%)"
    counted_of: str = "n/N (%)"
    counted_in_row: bool = False
    label_link: str = ", "
    values_are: str = "Values are"
    events_of: str = "events/n"
    reference: str = "{null} (reference)"
    reference_places: bool = True
    blank: str = EM_DASH
    versus: str = "vs"
    marks: tuple[str, ...] = LETTERS
    glossary: Glossary = field(default_factory=Glossary)
    baseline_p: bool = True
    secondary_p: bool = True

    @property
    def p_head(self) -> str:
        """The head of a column of P values."""
        return f"{self.p.letter} value"


TWO_PLACES_THREE_BELOW_01 = ((0.01, 3), (float("inf"), 2))
EQUALS = Glossary(lead="", link=" = ", first=False)
TIGHT_EQUALS = replace(EQUALS, link="=")

# Ours, where no journal is named: AMA's rules with a leading zero, "to" in every interval and the % sign.
PLAIN = NumberStyle(
    name="plain",
    p=PRule(TWO_PLACES_THREE_BELOW_01, keeps_side=True),
    percent_sign=True,
    median_label="median (Q1\N{EN DASH}Q3)",
)

STYLES: Mapping[str, NumberStyle] = {
    "plain": PLAIN,
    # Rules, AMA Manual of Style, 11th ed.: no leading zero of P, alpha and beta (18.7.1, 19.5; quoted at support.jmir.org,
    # Guidelines for Reporting Statistics); P to two places, three below .01 or where rounding would cross .05 (19.5; 10th ed.
    # 20.9; nascentmc.com, P-Value Pointers); percentages: none below N = 100, one from 100 (same JMIR page, which also allows
    # two from 1000); a thin space in five digits and more (17.4.3, amamanualofstyle.com); capital P with thin spaces, "95% CI,",
    # a hyphen in intervals and "to" beside a negative limit (learnamastyle.com, tip sheet); No. for number in tables (18.0);
    # letters for footnotes (4.1.4). Rule of its copy editors: X.XX-Y.YY, estimate and interval in one column, "1 [Reference]",
    # "NA" in a deliberate blank, no mark for significance (their letter, in gtsummary issue 1590). Rule of its instructions for
    # authors: no P values in Table 1 of a randomized trial. Printed: no % sign in cells, a hyphen in quartiles, the wording
    # "No./total No. (%)", "Data are expressed as No. (%)", abbreviations first under a table.
    "jama": replace(
        PLAIN,
        name="jama",
        p=PRule(TWO_PLACES_THREE_BELOW_01, leading_zero=False, keeps_side=True, space=NARROW),
        thousands=NARROW,
        separator="-",
        after_level=",",
        percent_sign=False,
        median_label="median (IQR)",
        quartile_separator="-",
        counted="No. (%)",
        counted_of="No./total No. (%)",
        values_are="Data are expressed as",
        events_of="events, No./total No.",
        reference="{null} [Reference]",
        reference_places=False,
        blank="NA",
    ),
    # Rules, NEJM statistical reporting guidelines (2019): two places above .01, three from .001 to .01, then <0.001 (verbatim in
    # Aguinis 2019, doi:10.1136/bmjebm-2019-111264); no P values of secondary outcomes without a plan for multiplicity.
    # Printed: "to", "95% CI,", mean ±SD, one decimal of a percentage at most, no. (%), (N=832), commas from five digits on,
    # P=0.03, vs., "Reference", the signs * † ‡ § and "CI denotes confidence interval".
    "nejm": replace(
        PLAIN,
        name="nejm",
        p=PRule(TWO_PLACES_THREE_BELOW_01, space=""),
        after_level=",",
        percent_sign=False,
        spread="{mean}±{sd}",
        mean_label="mean ±SD",
        median_label="median (IQR)",
        group_size="(N={n})",
        counted="no. (%)",
        counted_of="no./total no. (%)",
        counted_in_row=True,
        label_link=" \N{EM DASH} ",
        events_of="events, no./total no.",
        reference="Reference",
        versus="vs.",
        marks=SYMBOLS,
        glossary=Glossary(lead="", link=" ", join=", ", last=", and ", first_link=" denotes ", first=False),
        secondary_p=False,
    ),
    # Rule, Lancet information for authors: P to two significant figures, at most four places, p<0.0001 (quoted from its PDF in
    # gtsummary issue 1442). Printed: the mid-line point, lower-case p without spaces, % kept (as in gtsummary, pull request
    # 2375), an en dash in intervals and "to" beside a negative limit, a thin space in five digits and more, "Data are n (%)",
    # (n=832), 1 (ref), the signs * † ‡ § and "CI=confidence interval".
    "lancet": replace(
        PLAIN,
        name="lancet",
        p=PRule(((float("inf"), 2),), smallest="0.0001", significant=2, letter="p", space=""),
        decimal_mark="·",
        thousands=NARROW,
        separator=EN_DASH,
        median_label="median (IQR)",
        group_size="(n={n})",
        values_are="Data are",
        reference="{null} (ref)",
        reference_places=False,
        marks=SYMBOLS,
        glossary=replace(TIGHT_EQUALS, join=". ", last=". "),
    ),
    # Printed, all of it: "to" in every interval, P<0.001 without spaces, a thin space in five digits and more, No (%), (n=832),
    # "v", the signs * † ‡ § and "CI=confidence interval". Its author pages give no rule of digits; two places, and three
    # below 0.01, are ours.
    "bmj": replace(
        PLAIN,
        name="bmj",
        p=PRule(TWO_PLACES_THREE_BELOW_01, space=""),
        thousands=NARROW,
        percent_sign=False,
        median_label="median (interquartile range)",
        quartile_separator="-",
        group_size="(n={n})",
        counted="No (%)",
        counted_of="No/total No (%)",
        events_of="events, No/total No",
        versus="v",
        marks=SYMBOLS,
        glossary=TIGHT_EQUALS,
    ),
    # Printed, all of it: P to two places and <0.001 (three below 0.01 follow), 0.31-1.68, "95% CI:", median (Q1-Q3), whole
    # percentages and one place below 10, commas from four digits on, "Values are n (%)", "CI = confidence interval".
    "jacc": replace(
        PLAIN,
        name="jacc",
        p=PRule(TWO_PLACES_THREE_BELOW_01),
        grouped_from=4,
        separator="-",
        after_level=":",
        few_percent=True,
        percent_sign=False,
        median_label="median (Q1-Q3)",
        quartile_separator="-",
        glossary=EQUALS,
    ),
    # Rules, Annals of Internal Medicine, general statistical guidance (annals.org/aim/pages/AuthorInformationStatisticsOnly):
    # P to three places from .001 to .20, two above; a decimal of a percentage from N = 200; mean (SD), never ±; no P values in
    # tables that describe groups. Printed: "to", "95% CI,", a thin space in five digits and more, the signs * † ‡ § and
    # "CI = confidence interval".
    "annals": replace(
        PLAIN,
        name="annals",
        p=PRule(((0.2005, 3), (float("inf"), 2))),
        thousands=NARROW,
        after_level=",",
        percent_bands=((200, 0), (float("inf"), 1)),
        percent_sign=False,
        median_label="median (IQR)",
        quartile_separator=" to ",
        marks=SYMBOLS,
        glossary=EQUALS,
        baseline_p=False,
    ),
}
