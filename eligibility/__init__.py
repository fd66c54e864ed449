"""Reads a patient's record and the published criteria of trials, and says criterion by criterion what
stands in the way, what is open, and what would settle it.

>>> from datetime import date
>>> import eligibility
>>> sorted(name for name in eligibility.__all__ if name.islower())
['explain', 'load_rules', 'rules_test', 'screen']

Every name is imported when it is first used, so that ``import eligibility`` costs nothing and a
screening of one patient imports no pandas, numpy or pyarrow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import EligibilityError, InputError, Problem, RuleFileError, UsageError
    from .model.finding import CriterionResult, Screening
    from .model.patient import Patient
    from .model.site import Attestation, Site
    from .report.results import Results
    from .screening import explain, load_rules, rules_test, screen

__version__ = "0.1.0"

__all__ = [
    "Attestation",
    "CriterionResult",
    "EligibilityError",
    "InputError",
    "Patient",
    "Problem",
    "Results",
    "RuleFileError",
    "Screening",
    "Site",
    "UsageError",
    "explain",
    "load_rules",
    "rules_test",
    "screen",
]

_HOME = {
    "Attestation": "model.site",
    "CriterionResult": "model.finding",
    "EligibilityError": "errors",
    "InputError": "errors",
    "Patient": "model.patient",
    "Problem": "errors",
    "Results": "report.results",
    "RuleFileError": "errors",
    "Screening": "model.finding",
    "Site": "model.site",
    "UsageError": "errors",
    "explain": "screening",
    "load_rules": "screening",
    "rules_test": "screening",
    "screen": "screening",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
