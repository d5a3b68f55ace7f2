"""Names in a protocol: does what is named exist, once, with the levels that are said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from counterpulse.protocol.desk import Desk
from counterpulse.protocol.nodes import Analysis, Outcome, Propensity, Selection, SubgroupVariable, TermNode, TermSpec
from counterpulse.protocol.reporting import GUIDELINES, guideline_named
from counterpulse.source import did_you_mean
from counterpulse.source.yaml_file import YamlPath

MOMENTS = ("date", "datetime")
CATEGORIES = ("category", "ordinal", "yesno", "condition", "text")


def lint_names(desk: Desk) -> None:
    """Look up every name."""
    _duplicates(desk)
    _shadows(desk)
    _data(desk)
    _groups(desk)
    _derived(desk)
    for name, outcome in desk.nodes.outcomes.items():
        _outcome(desk, ("outcomes", name), outcome)
    for name, terms in desk.nodes.confounders.items():
        _terms(desk, ("confounders", name), terms)
    for index, analysis in enumerate(desk.nodes.analyses):
        _analysis(desk, ("analyses", index), analysis)
    _subgroups(desk)
    _robustness(desk)
    _flow(desk)
    _lists(desk)
    _guidelines(desk)
    _amendments(desk)
    _labels(desk)


def _labels(desk: Desk) -> None:
    """What a report is read by must be there, and tell the groups apart."""
    nodes = desk.nodes
    outcomes = nodes.outcomes.items()
    written: list[tuple[YamlPath, str | None]] = [(("study", "title"), nodes.study.title)]
    written += [(("outcomes", name, "label"), outcome.label) for name, outcome in outcomes]
    for key, criteria in (("include", nodes.eligibility.include), ("exclude", nodes.eligibility.exclude)):
        written += [(("eligibility", key, index, "text"), criterion.text) for index, criterion in enumerate(criteria)]
    groups: list[tuple[YamlPath, str]] = []
    if nodes.groups is not None:
        groups += [(("groups", "treated", level), label) for level, label in nodes.groups.treated.items()]
        groups += [
            (("groups", "reference", level), label)
            for level, label in nodes.groups.reference.items()
            if level not in nodes.groups.treated
        ]
    for path, words in (*written, *groups):
        if words is not None and not any(letter.isprintable() and not letter.isspace() for letter in words):
            desk.report(
                "E247", path, "nothing that can be read", allowed="words", remedy="write what the report shall say"
            )
    seen: set[str] = set()
    for path, words in groups:
        name = " ".join(words.casefold().split())
        if name and name in seen:
            desk.report("E247", path, f"two groups are called '{words}'", allowed="a label of its own for each group",
                        remedy="give one of them another label")  # fmt: skip
        seen.add(name)


def _duplicates(desk: Desk) -> None:
    nodes = desk.nodes
    criteria = [(("eligibility", "include", i, "id"), c.id) for i, c in enumerate(nodes.eligibility.include)]
    criteria += [(("eligibility", "exclude", i, "id"), c.id) for i, c in enumerate(nodes.eligibility.exclude)]
    analyses = [(("analyses", index, "id"), analysis.id) for index, analysis in enumerate(nodes.analyses)]
    for what, entries in (("criterion", criteria), ("analysis", analyses)):
        count = Counter(id_ for _, id_ in entries)
        first: set[str] = set()
        for path, id_ in entries:
            if count[id_] > 1 and id_ in first:
                desk.report("E234", path, f"the {what} `{id_}` stands twice", remedy="give one of the two another id")
            first.add(id_)


def _shadows(desk: Desk) -> None:
    for section, names in (("variables", desk.nodes.variables), ("populations", desk.nodes.populations)):
        for name in names:
            if name in desk.dictionary:
                desk.report(
                    "E231", (section, name), f"`{name}` is already a column of the dictionary", key=True,
                    remedy="give it another name",
                )  # fmt: skip
            elif section == "populations" and name in desk.nodes.variables:
                desk.report("E231", (section, name), f"`{name}` is already a derived variable", key=True,
                            remedy="give it another name")  # fmt: skip


def _data(desk: Desk) -> None:
    for key, name in (("id", desk.nodes.data.id), ("site", desk.nodes.data.site)):
        if name is not None:
            desk.needs(
                "E232", ("data", key), "variable", name, desk.dictionary.variables, f"add `{name}` to the dictionary"
            )
    if desk.nodes.tables and desk.nodes.data.id is None:
        desk.report("E222", ("data",), "`id` is missing in data: the column that links the tables", key=True,
                    remedy="add a line such as `id: patient_id`")  # fmt: skip


def _groups(desk: Desk) -> None:
    groups = desk.nodes.groups
    if groups is None:
        return
    symbol = desk.variable(("groups", "variable"), groups.variable)
    if symbol is not None:
        for key, levels in (("treated", groups.treated), ("reference", groups.reference)):
            for level in levels:
                desk.level(("groups", key, level), level, symbol, key=True)
    for level in groups.treated.keys() & groups.reference.keys():
        desk.report("E241", ("groups", "reference", level), f"the level {level} of '{groups.variable}' is treated and reference", key=True,
                    allowed="each level in one group", remedy="take it out of one of the two")  # fmt: skip
    for name, population in desk.nodes.populations.items():
        path = ("populations", name, "analyze_as")
        if population.analyze_as is None or (symbol := desk.variable(path, population.analyze_as)) is None:
            continue
        for level in groups.levels:
            desk.level(path, level, symbol)


def _derived(desk: Desk) -> None:
    for name, variable in desk.nodes.variables.items():
        if variable.table is not None:
            desk.needs(
                "E233", ("variables", name, "from"), "table", variable.table, desk.nodes.tables,
                "describe it under tables",
            )  # fmt: skip


def _outcome(desk: Desk, path: YamlPath, outcome: Outcome) -> None:
    if outcome.table is not None:
        desk.needs("E233", (*path, "from"), "table", outcome.table, desk.nodes.tables, "describe it under tables")
    if outcome.time is not None:
        desk.variable_of((*path, "time"), outcome.time, ("number",), "a number: the duration to the event or censoring")
    for name in outcome.any_of or ():
        desk.variable_of(
            _entry((*path, "any_of"), outcome.any_of, name), name, ("yesno",), "yes/no columns"
        )  # fmt: skip
    watched = desk.nodes.follow_up.model_dump(exclude_none=True) if desk.nodes.follow_up else {}
    for name in outcome.first_of or ():
        if name not in watched:
            desk.variable_of(
                _entry((*path, "first_of"), outcome.first_of, name), name, MOMENTS, "dates, or keys of follow_up"
            )
    for name in outcome.truncated_by or ():
        desk.needs(
            "E233", (*path, "truncated_by", name), "outcome", name, (*desk.nodes.outcomes, *watched),
            "name an outcome, or a key of follow_up",
        )  # fmt: skip


def _entry(path: YamlPath, entries: dict[str, str] | tuple[str, ...] | None, name: str) -> YamlPath:
    return (*path, entries.index(name)) if isinstance(entries, tuple) else (*path, name)


def _terms(desk: Desk, path: YamlPath, terms: Iterable[TermSpec]) -> None:
    for index, term in enumerate(terms):
        place = (*path, index)
        if isinstance(term, TermNode):
            _term(desk, place, term)
        else:
            desk.variable(place, term)


def _term(desk: Desk, path: YamlPath, term: TermNode) -> None:
    for number, name in enumerate(term.interaction or ()):
        desk.variable((*path, "interaction", number), name)
    if term.variable is None:
        return
    numeric = term.log or term.spline is not None or term.knots is not None or term.per is not None
    if numeric:
        desk.variable_of((*path, "variable"), term.variable, ("number",), "a number, for spline, log or per")
    elif (symbol := desk.variable((*path, "variable"), term.variable)) is not None and term.reference is not None:
        desk.level((*path, "reference"), term.reference, symbol)


def _analysis(desk: Desk, path: YamlPath, analysis: Analysis) -> None:
    nodes = desk.nodes
    ids = [other.id for other in nodes.analyses]
    if nodes.study.design != "review":
        for place, name in _outcomes(path, analysis):
            desk.needs("E233", place, "outcome", name, nodes.outcomes, "define it under outcomes")
    if analysis.population is not None:
        desk.needs("E233", (*path, "population"), "population", analysis.population, nodes.populations,
                   "define it under populations")  # fmt: skip
    if analysis.of is not None:
        others = [id_ for id_ in ids if id_ != analysis.id]
        desk.needs("E233", (*path, "of"), "other analysis", analysis.of, others, "name the analysis it differs from")
    if analysis.clusters is not None:
        desk.variable((*path, "clusters", "variable"), analysis.clusters.variable)
    if analysis.propensity is not None:
        _propensity(desk, (*path, "propensity"), analysis.propensity)
    _adjustment(desk, (*path, "adjust"), analysis.adjust)
    for name, adjust in (analysis.models or {}).items():
        _adjustment(desk, (*path, "models", name), adjust)
    _adjustment(desk, (*path, "screen"), analysis.screen)


def _propensity(desk: Desk, path: YamlPath, propensity: Propensity) -> None:
    _adjustment(desk, (*path, "model"), propensity.model)
    for key in ("exact", "anti_exact"):
        names: tuple[str, ...] = getattr(propensity, key)
        for number, name in enumerate(names):
            desk.variable((*path, key) if len(names) == 1 else (*path, key, number), name)
    for name in propensity.calipers:
        desk.variable_of((*path, "calipers", name), name, ("number",), "a number, whose distance is limited")


def _outcomes(path: YamlPath, analysis: Analysis) -> Iterator[tuple[YamlPath, str]]:
    place = (*path, "outcome")
    return ((place if len(analysis.outcomes) == 1 else (*place, i), name) for i, name in enumerate(analysis.outcomes))


def _adjustment(desk: Desk, path: YamlPath, adjust: str | tuple[TermSpec, ...] | Selection | None) -> None:
    if isinstance(adjust, Selection):
        _adjustment(desk, (*path, "from"), adjust.source)
        _terms(desk, (*path, "keep"), adjust.keep)
    elif isinstance(adjust, tuple):
        _terms(desk, path, adjust)
    elif adjust is not None and adjust != "none" and adjust not in desk.scope:
        desk.needs("E233", path, "set of confounders", adjust, desk.nodes.confounders, "define it under confounders")


def _subgroups(desk: Desk) -> None:
    subgroups = desk.nodes.subgroups
    if subgroups is None:
        return
    ids = [analysis.id for analysis in desk.nodes.analyses]
    desk.needs("E233", ("subgroups", "of"), "analysis", subgroups.of, ids, "name the analysis to repeat")
    for index, entry in enumerate(subgroups.by):
        path = ("subgroups", "by", index)
        if isinstance(entry, SubgroupVariable):
            _subgroup(desk, path, entry)
        elif (symbol := desk.variable(path, entry)) is not None and symbol.kind == "number":
            desk.report("E239", path, f"`{entry}` is a number and has no levels",
                        remedy=f"say where to cut it: {{variable: {entry}, cut: [65]}}")  # fmt: skip


def _robustness(desk: Desk) -> None:
    nodes = desk.nodes
    ids = [analysis.id for analysis in nodes.analyses]
    for index, name in enumerate(nodes.robustness.negative_controls):
        desk.needs(
            "E233",
            ("robustness", "negative_controls", index),
            "outcome",
            name,
            nodes.outcomes,
            "define it under outcomes",
        )
    confounder = nodes.robustness.unmeasured_confounder
    if confounder is not None and confounder.of is not None:
        place: YamlPath = ("robustness", "unmeasured_confounder", "of")
        desk.needs("E233", place, "analysis", confounder.of, ids, "name the analysis whose effect is meant")
    if nodes.multiverse is not None:
        desk.needs("E233", ("multiverse", "of"), "analysis", nodes.multiverse.of, ids, "name the analysis to edit")
        for path, edit in nodes.multiverse.edits():
            _analysis(desk, path, edit)


def _flow(desk: Desk) -> None:
    """Reasons are printed, so they are categories: a text may name a patient."""
    for name, box in desk.nodes.flow.items():
        if not isinstance(box, str) and box.reasons is not None:
            desk.variable_of(("flow", name, "reasons"), box.reasons, ("category", "ordinal"), "a category")


def _subgroup(desk: Desk, path: YamlPath, entry: SubgroupVariable) -> None:
    if entry.cut:
        desk.variable_of((*path, "variable"), entry.variable, ("number",), "a number, where `cut` is given")
        return
    symbol = desk.variable_of((*path, "variable"), entry.variable, CATEGORIES, "a category, or a number with `cut`")
    if symbol is not None:
        for number, levels in enumerate(entry.levels or ()):
            for level in levels:
                desk.level((*path, "levels", number), level, symbol)


def _lists(desk: Desk) -> None:
    """Look up the names in lists of names."""
    nodes = desk.nodes
    if nodes.table1 is not None:
        _terms(desk, ("table1", "variables"), nodes.table1.variables)
    if nodes.missing_data is not None and isinstance(nodes.missing_data.variables, tuple):
        _terms(desk, ("missing_data", "variables"), nodes.missing_data.variables)
    if nodes.trial is not None and nodes.trial.randomization is not None:
        _terms(desk, ("trial", "randomization", "stratified_by"), nodes.trial.randomization.stratified_by)
    if nodes.hypothesis is not None:
        for index, name in enumerate(nodes.hypothesis.populations):
            desk.needs("E233", ("hypothesis", "populations", index), "population", name, nodes.populations,
                       "define it under populations")  # fmt: skip


def _guidelines(desk: Desk) -> None:
    """A guideline that nobody can fill in is left out of the report, and told."""
    for index, name in enumerate(desk.nodes.study.reporting):
        if guideline_named(name) is None:
            desk.report(
                "W236", ("study", "reporting", index), f"there is no checklist of `{name}`: the report fills in none",
                allowed=", ".join(GUIDELINES),
                remedy=did_you_mean(name.upper(), list(GUIDELINES)) or "fill in that checklist by hand, and leave it out here",
            )  # fmt: skip


def _amendments(desk: Desk) -> None:
    nodes = desk.nodes
    criteria = (*nodes.eligibility.include, *nodes.eligibility.exclude)
    known = [
        *(analysis.id for analysis in nodes.analyses), *(criterion.id for criterion in criteria), *nodes.outcomes,
        *nodes.variables, *nodes.populations, *nodes.confounders, *type(nodes).model_fields,
    ]  # fmt: skip
    for index, amendment in enumerate(nodes.amendments):
        for number, name in enumerate(amendment.touches):
            desk.needs(
                "E233", ("amendments", index, "touches", number), "analysis, criterion, outcome or key", name, known,
                "name what the amendment changed; for something that was removed, say so under `what`",
            )  # fmt: skip
