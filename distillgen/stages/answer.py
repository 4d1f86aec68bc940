"""Have inputs answered."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from distillgen import dry_run, files, images, inputs, probing, styles
from distillgen.answer import FEW_RATIONALES, Answering
from distillgen.course import Record, Setting
from distillgen.defaults import of_answer, settled_of_answer
from distillgen.engine import Stop
from distillgen.errors import DONE, FEWER, FailureKind
from distillgen.folder import others
from distillgen.records import JSON, Answer, Completion, Example, Failure, Rejection, Seed
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
        UserError: a prompt or a style is missing, options do not go together, or a person changed
            the answers.
    """
    setting_of(work, [])
    work.guard([work.folder.path / FILES[0]])


def estimate(work: Work, given: inputs.Inputs) -> list[dry_run.Estimate]:
    """What is left to ask of the answers, teacher by teacher; before it the trial of styles."""
    examples = Limited(given, work.settings.limit)
    answering, journal = _answering(work, examples), work.folder.journal
    estimates = dry_run.of_answer(answering, journal, work.everybody)
    if work.settings.style == styles.PROBE:
        tried, _ = probing.picked(examples)
        trial = Answering(tried, probing.trial(answering.setting), journal)
        first = dry_run.of_answer(trial, journal, work.everybody[:1])
        estimates = [replace(one, stage="styles") for one in first] + estimates
    return estimates


def estimate_to_come(work: Work, seeds: list[Seed]) -> list[dry_run.Estimate]:
    """What the answers of a whole run would ask, known inputs and those to come."""
    walk = walk_of(work, seeds)
    walk.advance()
    answering = _answering(work, walk.kept, seeds)
    return dry_run.of_answers_to_come(
        answering, work.settings.n, seeds, work.folder.journal, work.everybody
    )


def lost(work: Work, given: inputs.Inputs) -> dict[str, FailureKind]:
    """The requests that failed, those of answers that came by other draws too, and why."""
    answering = _answering(work, Limited(given, work.settings.limit))
    for _ in answering.read():
        pass
    return answering.lost


def run(work: Work, source: Path, given: inputs.Inputs) -> Result:
    """Write answers, rejected and failures."""
    paths = work.outputs(FILES, source)
    examples = Limited(given, work.settings.limit)
    answering = _answering(work, examples)
    setting = answering.setting
    if given.with_images:
        images.check(examples, setting.teachers[0].vision, source)
    entry = work.begin(
        "answer", source, given.sha256, used=_digests(work, setting),
        settled=settled_of_answer(setting), to_ask=lambda: sum(1 for _ in answering.requests()),
    )  # fmt: skip
    notes: list[str] = []
    stop = None
    if work.settings.style == styles.PROBE:
        stop, best = _probed(work, setting, examples, notes)
        answering = Answering(examples, replace(setting, best=best), work.folder.journal)
    with (
        files.Whole(paths[0]) as good,
        files.Whole(paths[1]) as out,
        files.Whole(paths[2]) as bad,
    ):

        def write(records: Iterable[Record]) -> None:
            for record in records:
                kind = {Answer: good, Rejection: out, Failure: bad}[type(record)]
                kind.write(record.row())

        for path, file in ((paths[1], out), (paths[2], bad)):
            for row in others(path, "answer"):
                file.write(row)
        write(given.invalid)
        write(answering.read(to_first_open=True))
        if answering.at < len(examples) and not stop:
            stop = _ask(work, answering, len(examples), lambda: write(answering.landed()))
        if answering.at < len(examples):
            write(answering.read())
    answered = answering.answered
    counts = {name: answered.counts[name] for name in ("given", "kept", "failed", "open")}
    counts["rejected"] = len(given.invalid) + answered.counts["rejected"]
    counts["given"] += len(given.invalid)
    result = Result("answer", counts, stop=stop, written=paths, kinds=dict(answered.kinds))
    failed_share = counts["failed"] / max(1, len(examples))
    too_many = failed_share > work.settings.max_failed
    result.code = stop.code if stop else FEWER if too_many else DONE
    result.ended = "" if stop else "done"
    result.notes = notes + _notes(answering)
    result.measured = _measured(answering)
    work.finish(entry, result)
    return result


def _measured(answering: Answering) -> dict[str, JSON]:
    """The same for `--json`: `labels`, and counts of the answers that are as `answer.Answered`
    says, or have a flag."""
    answered = answering.answered
    ledger = ("given", "kept", "rejected", "failed", "open")
    found = {name: n for name, n in answered.counts.items() if n and name not in ledger}
    return (
        {"labels": dict(answered.labels), "answers": found}
        if answered.labels
        else {"answers": found}
    )


def _notes(answering: Answering) -> list[str]:
    """What the user should know of the answers."""
    counts, setting = answering.answered.counts, answering.setting
    kept, notes = counts["kept"], []
    if kept and counts["no_rationale"] / kept > FEW_RATIONALES:
        notes.append(
            f"WARNING: {counts['no_rationale']} of {kept} answers came without a rationale;"
            " ask for it in the prompt, or take another teacher"
        )
    if answering.answered.labels:
        named = answering.answered.labels.most_common()
        notes.append("labels: " + ", ".join(f"{label} {n:,}" for label, n in named))
    if setting.several and kept and counts["unanimous"] + counts["no_majority"]:
        notes.append(
            f"votes: {counts['unanimous']:,} of {kept:,} unanimous,"
            f" {counts['no_majority']:,} without a majority"
        )
    if counts["soft"]:
        notes.append(f"soft labels: {counts['soft']:,}, {counts['torn']:,} torn (no label has 0.6)")
    if counts["gold"]:
        notes.append(f"gold: {counts['right']:,} of {counts['gold']:,} right")
    if counts["several"]:
        notes.append(f"{kept + counts['several']:,} answers to {kept:,} inputs (--combine union)")
    if divided := counts["rejected"]:
        notes.append(f"{divided:,} rejected: the answers differ; they stand in rejected.jsonl")
    said = {
        "escalated": "settled by the teacher of --escalate",
        "rationalized": "rationales towards the gold answer",
        "not_rationalized": "miss the gold answer still",
        "refined": "written anew after criticism",
        "soft_refused": "without a soft label: the labels hold < 0.50 of the probability",
        "soft_failed": "without a soft label: the request for it failed",
    }
    notes += [f"{counts[flag]:,} {words}" for flag, words in said.items() if counts[flag]]
    if setting.rationalize and not counts["gold"]:
        notes.append(
            "--rationalize: no input has a gold answer that is short enough to be compared;"
            " --field gold=COLUMN names it"
        )
    return notes


def setting_of(work: Work, seeds: list[Seed]) -> Setting:
    """What all answers share, checked.

    Raises:
        UserError: something is missing or does not go together.
    """
    known, _ = styles.find(work.task.name, work.prompt_folders)
    return of_answer(work.settings, work.everybody, work.task, work.prompt, seeds, known)


def _digests(work: Work, setting: Setting) -> dict[str, str]:
    """The files that go into requests."""
    found = [prompt.digests for one in setting.asked for prompt in one.prompts.values()]
    if setting.styles:
        found.append(styles.find(work.task.name, work.prompt_folders)[1])
    return {name: sha256 for digests in found for name, sha256 in digests.items()}


def _answering(work: Work, given: Iterable[Example], seeds: list[Seed] | None = None) -> Answering:
    """The requests of these inputs, nothing asked yet; seeds are read from the folder."""
    kept = work.folder.path / "seeds.jsonl"
    shown = seeds or (inputs.read_seeds(kept, bare=True) if kept.exists() else [])
    return Answering(given, setting_of(work, shown), work.folder.journal)


def _probed(
    work: Work, setting: Setting, examples: Limited, notes: list[str]
) -> tuple[Stop | None, dict[str, str]]:
    """Try all styles on a few inputs; the best of each group, and why it is."""
    tried, groups = probing.picked(examples)
    answering = Answering(tried, probing.trial(setting), work.folder.journal)
    stop = _ask(work, answering, len(tried), lambda: None, "styles")
    rates = probing.rates(answering.read(), setting)
    best = probing.best(rates, groups, setting)
    if not stop:
        notes += probing.words(rates, best)
    return stop, best


def _ask(
    work: Work, answering: Answering, total: int, between: Callable[[], None], what: str = "answer"
) -> Stop | None:
    """Have every open request of the answers asked, of one teacher after the other.

    What follows from replies is asked in further rounds. `between` is called again and again
    meanwhile, and once at the end of each.
    """

    def asks(first: Ask, left: Iterator[Ask]) -> Iterator[Ask]:
        for ask in chain((first,), left):
            yield ask
            between()

    read, setting = _showing_first(work, answering), answering.setting
    for number in range(setting.rounds):
        for asked in setting.asked:
            count = total
            if setting.several or number:
                count = sum(1 for _ in answering.requests(asked.who)) + answering.found
            left = answering.requests(asked.who)
            if (first := next(left, None)) is None:
                continue
            stop = work.fill(
                what, count, asks(first, left), read, lambda: answering.found, asked.who
            )
            between()
            if stop:
                return stop
    return None


def _showing_first(work: Work, answering: Answering) -> Callable[[Ask, Completion], object]:
    """The stage's reader, which also shows the first pair as soon as there is one."""
    shown = False

    def read(ask: Ask, completion: Completion) -> object:
        nonlocal shown
        result = answering.heard(ask.request, completion)
        if not shown and (pair := answering.pair(ask.request)):
            shown = True
            work.watch.first_pair(pair)
        return result

    return read
