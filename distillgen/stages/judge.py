"""Have answers scored by a judge (`judge`), or two candidates compared (`compare`)."""

from collections.abc import Sequence
from pathlib import Path

from distillgen import compare, dry_run, files, findings, judge
from distillgen.contenders import Items
from distillgen.defaults import of_judge
from distillgen.errors import DONE, FEWER
from distillgen.folder import others
from distillgen.judging import Judging, Manner, Stage
from distillgen.records import Failure
from distillgen.review.reviewed import Reviewed
from distillgen.rubric import find
from distillgen.sidecars import COMPARISONS, SCORES
from distillgen.work import Result, Work

FILES = {"judge": (SCORES, "failures.jsonl"), "compare": (COMPARISONS, "failures.jsonl")}


def estimate(work: Work, stage: Stage, items: Items) -> dry_run.Estimate:
    """What is left to ask."""
    return dry_run.of_judge(_judging(work, stage, items), work.folder.journal, work.chosen.price)


def run(work: Work, stage: Stage, items: Items) -> Result:
    """Write the verdicts and the failures."""
    paths = work.outputs(FILES[stage], items.path)
    judging = _judging(work, stage, items)
    setting = judging.manner.setting
    open_now = sum(1 for _ in judging.requests())
    total = open_now + judging.found
    entry = work.begin(
        stage, items.path, files.sha256_of(items.path),
        used=setting.prompt.digests | setting.rubric.digests,
        settled={**setting.terms.sampling}, to_ask=lambda: open_now,
    )  # fmt: skip
    stop = None
    if open_now:
        stop = work.fill(stage, total, judging.requests(), judging.heard, lambda: judging.found)
    found = _written(judging, paths, Reviewed.beside(work.folder.path))
    counts = {name: judging.counts[name] for name in ("given", "kept", "failed", "open")}
    result = Result(stage, counts, stop=stop, written=paths, kinds=dict(judging.kinds))
    too_many = counts["failed"] > work.settings.max_failed * counts["given"]
    result.code = stop.code if stop else FEWER if too_many else DONE
    result.ended = "" if stop else "done"
    result.measured = {
        "judge": setting.judge, "own": judging.own, "records": len(items), **found.as_json()
    }  # fmt: skip
    result.notes = list(findings.of_judge(stage, counts, result.measured))
    work.finish(entry, result)
    return result


def _written(
    judging: Judging, paths: Sequence[Path], reviews: Reviewed
) -> judge.Scored | compare.Compared:
    """Write verdicts and failures; what they come to."""
    verdicts, failures = paths
    stage, rubric = judging.manner.stage, judging.manner.setting.rubric
    found = judge.Scored(rubric, reviews) if stage == "judge" else compare.Compared()
    with files.Whole(verdicts) as good, files.Whole(failures) as bad:
        for row in others(failures, stage):
            bad.write(row)
        for case, record in judging.read():
            if isinstance(record, Failure):
                bad.write(record.row())
            else:
                good.write(record.row())
                found.add(case, record)
    return found


def _judging(work: Work, stage: Stage, items: Items) -> Judging:
    """The requests of these items, nothing asked yet."""
    rubric = find(work.settings.rubric, work.task.name, work.prompt_folders)
    schema = judge.schema(rubric) if stage == "judge" else compare.schema()
    setting = of_judge(
        work.settings, work.chosen, work.task, work.prompt(stage), rubric, schema
    )  # fmt: skip
    manner: Manner = judge.Scoring(setting) if stage == "judge" else compare.Comparing(setting)
    return Judging(items, manner, work.folder.journal, work.settings.resample)
