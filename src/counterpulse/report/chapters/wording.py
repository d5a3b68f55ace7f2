"""Words that follow a rule: names of figures, labels inside a sentence, and the names of tests and intervals with their authors' capitals."""

from __future__ import annotations

import re
from hashlib import sha256

LONGEST_ANCHOR = 72

AUTHORS = frozenset(
    {
        "welch", "mann", "whitney", "kruskal", "wallis", "pearson", "fisher", "yates", "jonckheere", "terpstra", "cochran",
        "armitage", "monte", "carlo", "wald", "newcombe", "miettinen", "nurminen", "wilson", "clopper", "brookmeyer", "crowley",
        "gray",
    }
)  # fmt: skip


SPELLED = {"anova": "ANOVA", "delong": "DeLong"}


def anchor(words: str) -> str:
    """A name for a figure that every page and file system takes; different words keep different names."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", words).strip("-")
    if plain == words and len(words) <= LONGEST_ANCHOR:
        return words
    return f"{plain[:LONGEST_ANCHOR]}-{sha256(words.encode()).hexdigest()[:8]}".lstrip("-")


def inside(words: str) -> str:
    """A label inside a sentence: its capital falls, an abbreviation (IABP, PaCO2) stays."""
    first = words.split(" ", 1)[0]
    return words if any(letter.isupper() or letter.isdigit() for letter in first[1:]) else words[:1].lower() + words[1:]


def sentence(words: str) -> str:
    """Words with a capital first."""
    return words[:1].upper() + words[1:]


def ended(words: str) -> str:
    """A researcher's sentence with a full stop, unless it ends already."""
    return words if words.endswith((".", "!", "?")) else f"{words}."


def quoted(words: str) -> str:
    """Words between quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{words}\N{RIGHT DOUBLE QUOTATION MARK}"


def without_folder(path: str) -> str:
    """The name of a file without the folder that holds it."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def proper(name: str) -> str:
    """A method's name, its authors with their capitals: "mann-whitney" is "Mann-Whitney"."""
    return " ".join("-".join(map(_part, word.split("-"))) for word in name.split())


def _part(part: str) -> str:
    return part.capitalize() if part in AUTHORS else SPELLED.get(part, part)
