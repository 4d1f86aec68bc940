"""Have inputs answered."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from distillgen import dry_run, files, images, inputs
from distillgen.answer import FEW_RATIONALES, PROMPT, Answering, Reading
from distillgen.defaults import of_answer, settled_of_answer
from distillgen.engine import Stop
from distillgen.errors import DONE, FEWER
from distillgen.folder import others, write_among
from distillgen.records import Answer, Completion, Example, Failure, Seed
from distillgen.sending import Ask
from distillgen.stages.expand import walk_of
from distillgen.work import Result, Work

FILES = ("answers.jsonl", "rejected.jsonl", "failures.jsonl")


class Limited:
    """The first `limit` of some examples, again and again."""

    def __init__(self, given: inputs.Inputs, limit: int | None) -> None:
        self._given, self._limit = given, limit

    def __iter__(self) -> Iterator[Example]:
        return islice(iter(self._given), self._limit)

    def __len__(self) -> int:
        return min(self._given.count, self._limit or self._given.count)


def check(work: Work) -> None:
    """Find what is wrong before anything is paid.

    Raises:
        UserError: there is no such prompt, or a person changed the answers.
    """
    work.prompt(PROMPT)
    work.guard([work.folder.path / FILES[0]])


def estimate(work: Work, given: inputs.Inputs) -> dry_run.Estimate:
    """What is left to ask of the answers."""
    answering = _answering(work, Limited(given, work.settings.limit))
    return dry_run.of_answer(answering, work.folder.journal, work.chosen.price)


def estimate_to_come(work: Work, seeds: list[Seed]) -> dry_run.Estimate:
    """What the answers of a whole run would ask, known inputs and those to come."""
    walk = walk_of(work, seeds)
    walk.advance()
    answering = _answering(work, walk.kept, seeds)
    return dry_run.of_answers_to_come(
        answering, work.settings.n, seeds, work.folder.journal, work.chosen.price
    )


def run(work: Work, source: Path, given: inputs.Inputs) -> Result:
    """Write answers, rejected and failures."""
    paths = work.outputs(FILES, source)
    examples = Limited(given, work.settings.limit)
    answering = _answering(work, examples)
    if given.with_images:
        images.check(examples, answering.setting.vision, source)
    entry = work.begin(
        "answer", source, given.sha256, used=answering.setting.prompt.digests,
        settled=settled_of_answer(answering.setting),
        to_ask=lambda: sum(1 for _ in answering.requests()),
    )  # fmt: skip
    stop = None
    with files.Whole(paths[0]) as good, files.Whole(paths[2]) as bad:

        def write(records: Iterable[Answer | Failure]) -> None:
            for record in records:
                (good if isinstance(record, Answer) else bad).write(record.row())

        for row in others(paths[2], "answer"):
            bad.write(row)
        write(answering.read(to_first_open=True))
        if answering.at < len(examples):
            stop = _ask(work, answering, len(examples), lambda: write(answering.landed()))
        if answering.at < len(examples):
            write(answering.read())
    write_among(paths[1], "answer", given.invalid)
    answered = answering.answered
    counts = {name: answered.counts[name] for name in ("given", "kept", "failed", "open")}
    counts["rejected"] = len(given.invalid)
    counts["given"] += len(given.invalid)
    result = Result("answer", counts, stop=stop, written=paths, kinds=dict(answered.kinds))
    failed_share = counts["failed"] / max(1, len(examples))
    too_many = failed_share > work.settings.max_failed
    result.code = stop.code if stop else FEWER if too_many else DONE
    result.ended = "" if stop else "done"
    missing = answered.counts["no_rationale"]
    if counts["kept"] and missing / counts["kept"] > FEW_RATIONALES:
        result.notes.append(
            f"WARNING: {missing} of {counts['kept']} answers came without a rationale;"
            " ask for it in the prompt, or take another teacher"
        )
    work.finish(entry, result)
    return result


def _answering(work: Work, given: Iterable[Example], seeds: list[Seed] | None = None) -> Answering:
    """The requests of these inputs, nothing asked yet; seeds are read from the folder."""
    kept = work.folder.path / "seeds.jsonl"
    shown = seeds or (inputs.read_seeds(kept, bare=True) if kept.exists() else [])
    setting = of_answer(work.settings, work.chosen, work.task, work.prompt(PROMPT), shown)
    return Answering(given, setting, work.folder.journal)


def _ask(work: Work, answering: Answering, total: int, between: Callable[[], None]) -> Stop | None:
    """Have every open request of the answers asked.

    `between` is called again and again meanwhile, and once at the end.
    """

    def asks() -> Iterator[Ask]:
        for ask in answering.requests():
            yield ask
            between()

    read = _showing_first(work, answering)
    stop = work.fill("answer", total, asks(), read, lambda: answering.found)
    between()
    return stop


def _showing_first(work: Work, answering: Answering) -> Callable[[Ask, Completion], Reading]:
    """The stage's reader, which also shows the first pair as soon as there is one."""
    shown = False

    def read(ask: Ask, completion: Completion) -> Reading:
        nonlocal shown
        reading = answering.heard(ask.request, completion)
        if not shown and (pair := answering.pair(ask.request)):
            shown = True
            work.watch.first_pair(pair)
        return reading

    return read
