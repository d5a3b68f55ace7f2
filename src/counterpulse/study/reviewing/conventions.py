"""Options of a meta-analysis that follow from a named convention, or from the model."""

from __future__ import annotations

from counterpulse.results import Choice
from counterpulse.synthesis.engine.between_variance import COMMON
from counterpulse.synthesis.pooling.conventions import choose

NOT_PREDICTED = "none"


def resolved(options: dict[str, object], choices: list[Choice]) -> tuple[dict[str, object], list[Choice]]:
    """The options with what the convention, or else the model, makes of those that were not given."""
    given = {choice.name for choice in choices if choice.origin == "given"}
    convention = None if options["convention"] == "none" else str(options["convention"])
    written = {"yes": None, "no": NOT_PREDICTED}.get(str(options["prediction"]), options["prediction"])
    random = options["model"] == "random"
    chosen = choose(
        tau2=(str(options["tau2"]) if "tau2" in given else None) if random else COMMON,
        interval=str(options["interval"]) if "interval" in given else None,
        prediction=(None if written is None else str(written)) if "prediction" in given else None,
        convention=convention, level=0.95,
    )  # fmt: skip
    filled = {
        "tau2": chosen.tau2 if random else options["tau2"],
        "interval": chosen.interval,
        "prediction": chosen.prediction,
    }
    of_pooling = {"tau2": "tau2", "interval": "interval", "prediction interval": "prediction"}
    origins = {of_pooling[item.name]: item for item in chosen.choices if item.name in of_pooling}
    named = [
        Choice(choice.name, str(filled[choice.name]), origins[choice.name].origin, origins[choice.name].reference)
        if choice.name in filled else choice
        for choice in choices
        if random or choice.name != "tau2"
    ]  # fmt: skip
    return options | filled, named
