"""Words made of names, where nobody gave a label."""

from __future__ import annotations

import re


def words(name: str) -> str:
    """A name as words. Labels of the file are not used: CSV and Excel have none."""
    return re.sub(r"[_.]+", " ", name).strip().capitalize()


def level_label(variable: str, code: str) -> str:
    """What a level is called, made of the name of its variable and its code."""
    if code in ("yes", "no"):
        return words(variable) if code == "yes" else f"No {words(variable).lower()}"
    return f"{words(variable)} {code}" if code.isdigit() else words(code)
