"""Check answers without a teacher: verdicts in a file beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from distillgen import files, inputs
from distillgen.checked import Outcome, check
from distillgen.checks import Setting
from distillgen.language import EXTRA, detector
from distillgen.records import JSON
from distillgen.sidecars import CHECKS
from distillgen.work import Result, Work


@dataclass
class Checking(Result):
    """What a file of answers came to under the checks."""

    outcome: Outcome = field(default_factory=lambda: Outcome(()))


def run(work: Work, records: inputs.Records, names: Sequence[str]) -> Checking:
    """Write the verdicts of these checks on every answer; the answers stay as they are."""
    source = records.path
    paths = work.outputs((CHECKS,), source)
    asked: dict[str, JSON] = {"checks": list(names), "field": dict(records.fields)}
    entry = work.begin("check", source, files.sha256_of(source), asked=asked)
    outcome = Outcome(names)
    with work.watch.counting("check", lambda: outcome.given):
        check(records, names, setting(work), work.folder.path, outcome)
    counts = {"given": outcome.given, "passed": outcome.passed}
    counts["failed"] = outcome.given - outcome.passed
    result = Checking("check", counts, ended="done", written=paths, outcome=outcome)
    if "language" in names and detector() is None:
        result.notes.append(f"language: not told; {EXTRA}")
    if records.wrong_count:
        result.notes.append(f"left out: {records.wrong_count:,} rows without a usable question")
    work.finish(entry, result)
    return result


def setting(work: Work) -> Setting:
    """What the checks may know of the run."""
    kept = work.folder.path / "seeds.jsonl"
    seeds = inputs.read_seeds(kept, bare=True) if kept.is_file() else []
    shots = tuple(seed for seed in seeds if seed.answer)
    return Setting(tuple(work.task.labels), work.task.language, detector(), shots)
