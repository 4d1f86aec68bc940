"""The stages that work in a run folder: each file reads, plans, has it filled, and writes.

`run` does the stage, and says what it came to. `estimate` says what it would ask. Each is loaded
when it is first named: a command starts without the others.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distillgen.stages import (
        answer,
        check,
        decontaminate,
        dedupe,
        draft,
        expand,
        export,
        judge,
        pairs,
        report,
        select,
    )

__all__ = [
    "answer",
    "check",
    "decontaminate",
    "dedupe",
    "draft",
    "expand",
    "export",
    "judge",
    "pairs",
    "report",
    "select",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(name)
    return import_module(f"{__name__}.{name}")
