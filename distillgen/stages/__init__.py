"""The stages that work in a run folder: each file reads, plans, has it filled, and writes.

`run` does the stage, and says what it came to. `estimate` says what it would ask.
"""

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
