"""Counterpulse: a written study protocol and a table of patients become the finished study.

``import counterpulse as cp`` loads nothing heavy; each public name is loaded when it is first used.
"""

from importlib import import_module

__all__ = [
    "__version__",
    "data",
    "describe",
    "emulation",
    "errors",
    "expression",
    "imputation",
    "mock_table",
    "plan",
    "propensity",
    "read_dictionary",
    "read_protocol",
    "read_table",
    "regression",
    "report",
    "results",
    "robustness",
    "run",
    "survival",
    "synthesis",
    "two_groups",
]

_FUNCTIONS = {
    "mock_table": "study.mock.mock:mock_table",
    "plan": "study.planning.plan:make_plan",
    "read_dictionary": "data:read_dictionary",
    "read_protocol": "protocol:read_protocol",
    "read_table": "data:read_table",
    "run": "study.run:run",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    if name in _FUNCTIONS:
        module, _, function = _FUNCTIONS[name].partition(":")
        return getattr(import_module(f"{__name__}.{module}"), function)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
