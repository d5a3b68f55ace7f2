"""Abbreviations that a table may use, with their words, and how one is told from another that looks the same.

Only what can mean one thing in a study of the heart and circulation is listed: HR may be a heart rate and CI a cardiac index in a
researcher's label, so these count only where the program's own wording surrounds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

STATISTICAL: Mapping[str, tuple[str, str]] = {
    "CI": ("confidence interval", r"(?<=% )CI\b"),
    "CrI": ("credible interval", r"(?<=% )CrI\b"),
    "SD": ("standard deviation", r"(?<=mean \()SD(?=\))|(?<=mean ±)SD\b"),
    "IQR": ("interquartile range", r"\bIQR\b"),
    "SMD": ("standardized mean difference", r"\bSMD\b"),
    "HR": ("hazard ratio", r"\bHR(?= \(\d)"),
    "OR": ("odds ratio", r"\bOR(?= \(\d)"),
    "RR": ("risk ratio", r"\bRR(?= \(\d)"),
    "RMST": ("restricted mean survival time", r"\bRMST\b"),
    "NE": ("not estimable", r"(?<=to )NE(?=\))|(?<=\()NE(?= to)"),
    "NA": ("not applicable", r"^NA$"),
    "df": ("degrees of freedom", r"\bdf\b"),
    "GVIF": ("generalized variance inflation factor", r"\bGVIF\b"),
    "AUC": ("area under the receiver operating characteristic curve", r"\bAUC\b"),
}
"""Words and the pattern of each; the surroundings are part of it where the letters alone are ambiguous."""

CLINICAL: Mapping[str, str] = {
    "AKI": "acute kidney injury", "BMI": "body mass index", "CABG": "coronary artery bypass grafting",
    "COPD": "chronic obstructive pulmonary disease", "CPR": "cardiopulmonary resuscitation",
    "CRRT": "continuous renal replacement therapy", "ECLS": "extracorporeal life support",
    "ECMO": "extracorporeal membrane oxygenation", "ECPR": "extracorporeal cardiopulmonary resuscitation",
    "IABP": "intra-aortic balloon pump", "ICU": "intensive care unit", "INR": "international normalized ratio",
    "FiO2": "fraction of inspired oxygen", "LV": "left ventricular", "PaCO2": "partial pressure of arterial carbon dioxide",
    "PaO2": "partial pressure of arterial oxygen",
    "LVAD": "left ventricular assist device", "LVEF": "left ventricular ejection fraction",
    "MCS": "mechanical circulatory support", "NSTEMI": "non-ST-segment elevation myocardial infarction",
    "NYHA": "New York Heart Association", "OHCA": "out-of-hospital cardiac arrest",
    "PCI": "percutaneous coronary intervention", "SCAI": "Society for Cardiovascular Angiography and Interventions",
    "SOFA": "Sequential Organ Failure Assessment", "STEMI": "ST-segment elevation myocardial infarction",
    "VA-ECMO": "venoarterial extracorporeal membrane oxygenation", "VSR": "ventricular septal rupture",
    "VV-ECMO": "venovenous extracorporeal membrane oxygenation", "eGFR": "estimated glomerular filtration rate",
}  # fmt: skip


@lru_cache(maxsize=1)
def known() -> Mapping[str, tuple[str, re.Pattern[str]]]:
    """Every abbreviation with its words and its pattern; a part of a longer one ("ECMO" of "VA-ECMO") does not count."""
    clinical = {short: (words, rf"(?<![\w-]){re.escape(short)}(?!\w)") for short, words in CLINICAL.items()}
    return {
        short: (words, re.compile(pattern, re.MULTILINE))
        for short, (words, pattern) in {**STATISTICAL, **clinical}.items()
    }


def used(texts: Iterable[str]) -> dict[str, str]:
    """The abbreviations that occur in some texts, with their words; one that the texts spell out beside it is left out."""
    whole = "\n".join(" ".join(text.split()) for text in texts)
    low = whole.casefold()
    return {
        short: words
        for short, (words, pattern) in known().items()
        if pattern.search(whole) and f"{words} ({short})".casefold() not in low
    }
