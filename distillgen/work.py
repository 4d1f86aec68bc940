"""Do the commands in a run folder: read, plan, fill, write the files and the manifest."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Protocol

from distillgen import (
    answers,
    dry_run,
    embedding,
    export,
    files,
    images,
    inputs,
    prompts,
    strategies,
)
from distillgen.answer import FEW_RATIONALES, PROMPT, Answering, Reading
from distillgen.budget import Purse
from distillgen.decontaminate import FLAGS, KEPT, Decontaminated, EvalSets, decontaminate
from distillgen.deduped import FILES, Deduped, dedupe
from distillgen.defaults import (
    max_cost,
    of_answer,
    of_expand,
    of_walk,
    sees,
    settled_of_answer,
    settled_of_expand,
)
from distillgen.draft import KINDS, Drafting
from distillgen.engine import Engine, Read, Stop
from distillgen.errors import DONE, FEWER, UserError
from distillgen.expand import Walk, expand
from distillgen.folder import Folder, is_run, new_entry
from distillgen.pacing import Pace, within_open_files
from distillgen.prices import NANO, dollars
from distillgen.records import (
    JSON,
    Answer,
    Completion,
    Entry,
    Example,
    Failure,
    Rejection,
    Seed,
    Terms,
    digest,
)
from distillgen.sending import Ask, Tally
from distillgen.settings import Settings
from distillgen.task import Task
from distillgen.teachers import Chosen


class Watch(Protocol):
    """Who is told what happens: the screen."""

    def say(self, line: str) -> None:
        """A line for the user."""

    def weights(self, done: int, total: int, words: str) -> None:
        """Bytes of the embedded teacher's weights that are here."""

    def live(
        self, stage: str, total: int, tally: Tally, done: Callable[[], int]
    ) -> AbstractContextManager[None]:
        """Show how a stage gets on, while the context lasts."""

    def first_pair(self, pair: Answer) -> None:
        """The first pair of this process, before the rest is asked for."""

    def counting(self, stage: str, done: Callable[[], int]) -> AbstractContextManager[None]:
        """Show how many records a stage without a teacher has gone through."""


@dataclass
class Result:
    """What a stage came to."""

    command: str
    counts: dict[str, int]
    """The ledger; docs/records.md says which sums hold."""
    code: int = DONE
    stop: Stop | None = None
    ended: str = ""
    written: list[Path] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    """Requests sent and tokens of this stage in this process."""
    cost: int | None = None
    """Nanodollars of the same; None when the price is unknown."""
    kinds: dict[str, int] = field(default_factory=dict)
    """Failures by kind."""
    notes: list[str] = field(default_factory=list)
    """What the user should read, one line each."""
    exported: list[export.Exported] = field(default_factory=list)
    decontaminated: Decontaminated | None = None
    deduped: Deduped | None = None


class Work:
    """A run folder with a teacher: stages run one after the other and share one engine."""

    def __init__(
        self, folder: Folder, settings: Settings, task: Task, chosen: Chosen, watch: Watch
    ) -> None:
        self.folder, self.settings, self.task = folder, settings, task
        self.chosen, self.watch = chosen, watch
        self._engine: Engine | None = None
        self.overwrite = False
        """Write over files that a person changed, and go on with other seeds."""

    @property
    def engine(self) -> Engine:
        """The engine of this process; nothing is contacted before its first request."""
        if self._engine is None:
            settings, chosen, journal = self.settings, self.chosen, self.folder.journal
            spent = journal.spent().cost
            most = within_open_files(chosen.concurrency)
            if most < chosen.concurrency:
                self.watch.say(f"open files are limited: {most} in flight; ulimit -n raises it")
            self._engine = Engine(
                chosen.make(self.watch.weights, self.watch.say),
                journal,
                purse=Purse(chosen.price, max_cost(settings, chosen), spent),
                pace=Pace(most, settings.rpm, settings.tpm),
                say=self.watch.say,
                resample=settings.resample,
            )
        return self._engine

    def close(self) -> None:
        """Let go of the teacher."""
        if self._engine:
            self._engine.close()

    # -- files that people edit ------------------------------------------------------------

    def drafting(self, name: str, seeds: list[Seed]) -> Drafting:
        """The requests that draft a strategy's file, nothing asked yet."""
        setting = of_expand(self.settings, self.chosen, self.task, self._prompt(name), tuple(seeds))
        return Drafting(KINDS[name], setting, self.folder.journal, self.settings.resample)

    def draft(self, name: str, source: Path, seeds: list[Seed]) -> Result:
        """Draft a strategy's file: writes it, rejected and failures."""
        strategy = strategies.load(name)
        names = (strategy.FILE, "rejected.jsonl", "failures.jsonl")
        paths = [self.folder.path / name for name in names]
        self._guard(paths)
        self._apart(source, names)
        drafting = self.drafting(name, seeds)
        used = _digests([drafting.setting.prompt])
        entry = self._begin(
            name, source, files.sha256_of(source), used, drafting.settled, drafting.left
        )
        stop = None
        if left := drafting.left():
            tally = self.engine.tally
            before = tally.answered + tally.failed

            def done() -> int:
                return tally.answered + tally.failed - before

            with self.watch.live(name, left, tally, done):
                stop = self.engine.fill(drafting.requests(), drafting.heard)
        found = drafting.read()
        with files.Whole(paths[0]) as out:
            if found.table:
                out.write_text(strategy.text(found.table))
        _write_among(paths[1], name, found.rejected)
        _write_among(paths[2], name, found.failures)
        kinds = Counter[str](failure.kind for failure in found.failures)
        result = Result(name, found.counts, stop=stop, written=paths, kinds=kinds)
        too_many = kinds.total() > self.settings.max_failed * found.counts["given"]
        result.code = stop.code if stop else FEWER if too_many else DONE
        result.ended = "" if stop else "done"
        result.notes = list(drafting.words(found))
        self._finish(entry, result)
        return result

    # -- expand ----------------------------------------------------------------------------

    def walk(self, seeds: list[Seed]) -> Walk:
        """The walk along the sequence that these seeds fix, not yet begun."""
        parts, vision = [], sees(self.settings, self.chosen)
        used = strategies.used(self.settings.strategy, self.settings.operations)
        for strategy, share, operations in used:
            prompt = self._prompt(strategy.PROMPT)
            setting = of_expand(self.settings, self.chosen, self.task, prompt, tuple(seeds))
            setting = replace(setting, operations=operations)
            if path := self._material(strategy):
                more = (vision,) if hasattr(strategy, "SEES") else ()
                setting = replace(setting, material=strategy.read(path, *more))
            if hasattr(strategy, "check"):
                strategy.check(setting, alone=len(used) == 1)
            parts.append(strategies.Part(strategy, setting, share))
        return Walk(parts, of_walk(self.settings, parts[0].setting), self.folder.journal)

    def _used_by(self, walk: Walk) -> dict[str, str]:
        used = _digests(part.setting.prompt for part in walk.parts)
        for part in walk.parts:
            if path := self._material(part.strategy):
                used[path.name] = digest(asdict(part.setting.material))
        return used

    def _material(self, strategy: ModuleType) -> Path | None:
        """The file that a strategy works from: the one that is named, else that of the run."""
        if not hasattr(strategy, "FILE"):
            return None
        name = strategy.FILE.partition(".")[0]
        named = getattr(self.settings, name)
        path = Path(named) if named else self.folder.path / strategy.FILE
        if named and not path.is_file():
            raise UserError(f"--{name} {named}: no such file")
        if not path.is_file():
            drafts = f"`distillgen {name} SEEDS` drafts one to edit, "
            raise UserError(
                f"{strategy.FILE}: there is none in the run folder yet;"
                f" {drafts if hasattr(strategy, 'text') else ''}--{name} FILE names yours"
            )
        return path

    def expand(self, source: Path, seeds: list[Seed]) -> Result:
        """Grow seeds into inputs: writes inputs, rejected and failures."""
        names = ("inputs.jsonl", "rejected.jsonl", "failures.jsonl")
        paths = [self.folder.path / name for name in names]
        self._guard(paths)
        self._apart(source, (*names, "seeds.jsonl", "task.toml"))
        walk = self.walk(seeds)
        walk.advance()
        entry = self._begin(
            "expand", source, files.sha256_of(source), self._used_by(walk),
            settled_of_expand(walk.setting),
            lambda: 0 if walk.ended else walk.needed() - walk.folded,
        )  # fmt: skip
        self._keep_task(source, seeds)

        def fill(asks: Iterable[Ask | None], read: Read) -> Stop | None:
            tally, n = self.engine.tally, walk.options.n
            with self.watch.live("expand", n, tally, lambda: len(walk.kept)):
                return self.engine.fill(asks, read)

        found = expand(walk, fill)
        _write(paths[0], found.inputs)
        _write_among(paths[1], "expand", found.rejected)
        _write_among(paths[2], "expand", found.failures)
        kinds = Counter[str](failure.kind for failure in found.failures)
        result = Result(
            "expand", found.ledger, stop=found.stop, ended=found.ended, written=paths, kinds=kinds
        )
        result.code = found.stop.code if found.stop else DONE if found.ended == "done" else FEWER
        if found.ended in _SHORT:
            result.notes.append(_SHORT[found.ended].format(walk=walk, options=walk.options))
        if found.ended in _SHORT and any(part.capped for part in walk.parts):
            n = walk.setting.per_parent
            result.notes.append(f"{n} inputs of one example are kept at most; more: --per-parent N")
        self._finish(entry, result)
        return result

    # -- answer ----------------------------------------------------------------------------

    def answering(self, given: Iterable[Example], seeds: list[Seed] | None = None) -> Answering:
        """The requests of these inputs, nothing asked yet; seeds are read from the folder."""
        kept = self.folder.path / "seeds.jsonl"
        shown = seeds or (inputs.read_seeds(kept, bare=True) if kept.exists() else [])
        setting = of_answer(self.settings, self.chosen, self.task, self._prompt(PROMPT), shown)
        return Answering(given, setting, self.folder.journal)

    def answer(self, source: Path, given: inputs.Inputs) -> Result:
        """Answer the inputs: writes answers, rejected and failures."""
        names = ("answers.jsonl", "rejected.jsonl", "failures.jsonl")
        paths = [self.folder.path / name for name in names]
        self._guard(paths)
        self._apart(source, names)
        examples = Limited(given, self.settings.limit)
        answering = self.answering(examples)
        if given.with_images:
            images.check(examples, answering.setting.vision, source)
        entry = self._begin(
            "answer", source, given.sha256, _digests([answering.setting.prompt]),
            settled_of_answer(answering.setting),
            lambda: sum(1 for _ in answering.requests()),
        )  # fmt: skip
        stop = None
        with files.Whole(paths[0]) as good, files.Whole(paths[2]) as bad:

            def write(records: Iterable[Answer | Failure]) -> None:
                for record in records:
                    (good if isinstance(record, Answer) else bad).write(record.row())

            for row in _others(paths[2], "answer"):
                bad.write(row)
            write(answering.read(to_first_open=True))
            if answering.at < len(examples):
                stop = self._ask(answering, len(examples), lambda: write(answering.landed()))
            if answering.at < len(examples):
                write(answering.read())
        _write_among(paths[1], "answer", given.invalid)
        answered = answering.answered
        counts = {name: answered.counts[name] for name in ("given", "kept", "failed", "open")}
        counts["rejected"] = len(given.invalid)
        counts["given"] += len(given.invalid)
        result = Result("answer", counts, stop=stop, written=paths, kinds=dict(answered.kinds))
        failed_share = counts["failed"] / max(1, len(examples))
        too_many = failed_share > self.settings.max_failed
        result.code = stop.code if stop else FEWER if too_many else DONE
        result.ended = "" if stop else "done"
        missing = answered.counts["no_rationale"]
        if counts["kept"] and missing / counts["kept"] > FEW_RATIONALES:
            result.notes.append(
                f"WARNING: {missing} of {counts['kept']} answers came without a rationale;"
                " ask for it in the prompt, or take another teacher"
            )
        self._finish(entry, result)
        return result

    def _ask(self, answering: Answering, total: int, between: Callable[[], None]) -> Stop | None:
        """Have every open request of the answers asked, and shown how it gets on.

        `between` is called again and again meanwhile, and once at the end.
        """
        tally = self.engine.tally
        before = tally.answered + tally.failed

        def asks() -> Iterator[Ask]:
            for ask in answering.requests():
                yield ask
                between()

        with self.watch.live(
            "answer", total, tally,
            lambda: answering.found + tally.answered + tally.failed - before,
        ):  # fmt: skip
            stop = self.engine.fill(asks(), self._showing_first(answering))
            between()
            return stop

    def _showing_first(self, answering: Answering) -> Callable[[Ask, Completion], Reading]:
        """The stage's reader, which also shows the first pair as soon as there is one."""
        shown = False

        def read(ask: Ask, completion: Completion) -> Reading:
            nonlocal shown
            reading = answering.heard(ask.request, completion)
            if not shown and (pair := answering.pair(ask.request)):
                shown = True
                self.watch.first_pair(pair)
            return reading

        return read

    # -- export ----------------------------------------------------------------------------

    def export(self, source: Path, out: Path) -> Result:
        """Write the answers as trainers read them, into `out/<format>/`."""
        options = replace(export_options(self.settings), images=answers.with_images(source))
        closed = bool(self.task.labels) or answers.closed(source)
        export.settle(options, closed)
        paths = export.paths(out, options.formats)
        self._guard(paths)
        entry = self._begin("export", source, files.sha256_of(source))
        exported = export.export(answers.read(source), closed, options, out)
        counts: Counter[str] = Counter()
        for one in exported[:1]:
            counts.update({str(split): n for split, n in one.records.items()})
            counts["rejected"] = sum(one.left_out.values())
            counts["kept"] = sum(one.records.values())
            counts["given"] = counts["kept"] + counts["rejected"]
        result = Result("export", dict(counts), ended="done", written=paths, exported=exported)
        self._finish(entry, result)
        return result

    # -- decontaminate ---------------------------------------------------------------------

    def decontaminate(self, source: Path, against: EvalSets, drop: bool) -> Result:
        """Write the records that give a test set away; with `drop` also the file without them."""
        names = (FLAGS, KEPT) if drop else (FLAGS,)
        paths = [self.folder.path / name for name in names]
        for path in (source, *(one.path for one in against.all)):
            self._apart(path, names)
        self._guard(paths)
        asked = {"against": [str(one.path) for one in against.all], "field": dict(against.fields)}
        entry = new_entry(str(source), files.sha256_of(source), asked | {"drop": drop})
        self._enter("decontaminate", entry)
        done = Decontaminated(against.all)
        with self.watch.counting("decontaminate", lambda: done.given):
            decontaminate(source, against, self.folder.path, drop, done)
        counts = {"given": done.given, "kept": done.given - done.flagged, "flagged": done.flagged}
        result = Result("decontaminate", counts, ended="done", written=paths, decontaminated=done)
        if done.blank:
            result.notes.append(f"kept: {done.blank:,} records have no question to compare")
        for one in against.all:
            if one.blank:
                result.notes.append(f"left out: {one.blank:,} items of {one.path} have no question")
        if not drop and (self.folder.path / KEPT).exists():
            result.notes.append(f"{self.folder.path / KEPT} is of an earlier run; --drop renews it")
        self._finish(entry, result)
        return result

    # -- dedupe ----------------------------------------------------------------------------

    def dedupe(self, records: inputs.Records, on: tuple[str, ...]) -> Result:
        """Write the records that repeat none before them; with `--embeddings` asked twice."""
        source = records.path
        paths = [self.folder.path / name for name in FILES]
        self._apart(source, FILES)
        self._guard(paths)
        asked: dict[str, JSON] = {"on": list(on), "field": dict(records.fields)}
        asked["embeddings"] = self.settings.embeddings
        entry = new_entry(str(source), files.sha256_of(source), asked, {})
        self._enter("dedupe", entry)
        embed = self._embed if self.settings.embeddings else None
        done = dedupe(records, on, self.folder.path, embed)
        result = Result("dedupe", {}, stop=done.stop, written=paths, deduped=done)
        if done.stop:
            result.code = done.stop.code
        else:
            counts = {name: done.counts[name] for name in ("kept", "duplicate", "template")}
            result.counts = {"given": done.counts.total()} | counts
            result.ended = "done"
        if done.unread:
            result.code = result.code or FEWER
            result.notes.append(
                f"{done.unread:,} texts have no embedding: nothing was dropped for them"
            )
        self._finish(entry, result)
        return result

    def _embed(self, texts: Iterable[str]) -> dict[str, embedding.Vector] | Stop:
        """The vectors of texts, those that the journal does not hold asked for."""
        terms = Terms(self.chosen.identity, self.settings.server)
        requests = list(embedding.batches(texts, terms))
        journal = self.folder.journal
        found: dict[str, embedding.Vector] = {}
        there: set[str] = set()

        def look() -> None:
            for request in requests:
                for outcome in journal.look(request.key) if request.key not in there else ():
                    if outcome:
                        there.add(request.key)
                    if outcome and outcome.body:
                        found.update(embedding.vectors(request, outcome.body))

        look()
        left = [Ask(request) for request in requests if request.key not in there]
        if left:
            tally = self.engine.tally
            before = tally.answered + tally.failed
            self.watch.say(f"{len(requests):,} requests for embeddings, {len(left):,} to be sent")

            def done() -> int:
                return len(requests) - len(left) + tally.answered + tally.failed - before

            with self.watch.live("dedupe", len(requests), tally, done):
                if stop := self.engine.fill(left, lambda *_: None):
                    return stop
            look()
        return found

    def check_ahead(self, out: Path) -> None:
        """Find what is wrong with the stages after expand before anything is paid."""
        self._prompt(PROMPT)
        options = export_options(self.settings)
        export.settle(options, bool(self.task.labels))
        self._guard([self.folder.path / "answers.jsonl", *export.paths(out, options.formats)])

    # -- what it would cost ------------------------------------------------------------------

    def estimate_expand(self, seeds: list[Seed]) -> dry_run.Estimate:
        """What is left to ask of the sequence."""
        return dry_run.of_expand(self.walk(seeds), self.folder.journal, self.chosen.price)

    def estimate_draft(self, name: str, seeds: list[Seed]) -> dry_run.Estimate:
        """What is left to ask of a draft."""
        drafting = self.drafting(name, seeds)
        return dry_run.of_draft(drafting, self.folder.journal, self.chosen.price)

    def estimate_answer(self, given: inputs.Inputs) -> dry_run.Estimate:
        """What is left to ask of the answers."""
        examples = Limited(given, self.settings.limit)
        answering = self.answering(examples)
        return dry_run.of_answer(answering, self.folder.journal, self.chosen.price)

    def estimate_answers(self, seeds: list[Seed]) -> dry_run.Estimate:
        """What the answers of a whole run would ask, known inputs and those to come."""
        walk = self.walk(seeds)
        walk.advance()
        answering = self.answering(walk.kept, seeds)
        return dry_run.of_answers_to_come(
            answering, self.settings.n, seeds, self.folder.journal, self.chosen.price
        )

    def worst(self, keys: Iterable[str]) -> str:
        """The most that asking these requests once can cost, in words."""
        requests = [request for key in keys if (request := self.folder.journal.asked(key))]
        worst = [self.engine.purse.worst(request) for request in requests]
        return "an unknown sum" if None in worst else dollars(sum(cost or 0 for cost in worst))

    # -- inside ----------------------------------------------------------------------------

    def _prompt(self, name: str) -> prompts.Prompt:
        folders = [Path(self.settings.prompts)] if self.settings.prompts else []
        if folders and not folders[0].is_dir():
            raise UserError(f"--prompts {folders[0]}: no such folder")
        folders.append(Path("prompts"))
        return prompts.find(name, self.task.name, self.chosen.small, folders)

    def _guard(self, paths: Iterable[Path]) -> None:
        if not self.overwrite:
            self.folder.guard(paths)

    def _apart(self, source: Path, names: Iterable[str]) -> None:
        """Refuse to write over what is read, whatever the user allows."""
        if source.resolve() in [(self.folder.path / name).resolve() for name in names]:
            raise UserError(f"{source}: would be written over; name another folder with -o")

    def _begin(
        self,
        command: str,
        source: Path,
        sha256: str,
        used: Mapping[str, str] | None = None,
        settled: Mapping[str, JSON] | None = None,
        to_ask: Callable[[], int] = lambda: 0,
    ) -> Entry:
        """Write that a command begins; say first what a change since its last run asks anew.

        `used` holds the digests of the files besides the source that go into requests.
        """
        asked = self.settings.model_dump(mode="json") | {"task": self.task.model_dump(mode="json")}
        entry = new_entry(str(source), sha256, asked, used, settled)
        old = self.folder.manifest.commands.get(command)
        if old and used:
            if not self.overwrite:
                _refuse_other_source(self.folder, command, old, entry)
            changes = changed_since(old, entry)
            if changes and (n := to_ask()):
                self.watch.say(
                    f"{', '.join(changes)} changed since the last {command}:"
                    f" {n:,} requests are asked anew"
                )
        self._enter(command, entry)
        return entry

    def _enter(self, command: str, entry: Entry) -> None:
        self.folder.begin(command, entry)
        self._before = self._used()

    def _keep_task(self, source: Path, seeds: list[Seed]) -> None:
        """Copy the task file and the seeds as they are used, for the commands that follow."""
        _write(self.folder.path / "seeds.jsonl", seeds)
        beside = "task.toml" if is_run(source.parent) else f"{self.task.name}.toml"
        if source.with_name(beside).is_file():
            shutil.copyfile(source.with_name(beside), self.folder.path / "task.toml")

    def _finish(self, entry: Entry, result: Result) -> None:
        result.usage = {name: n - self._before[name] for name, n in self._used().items()}
        cost = result.usage.pop("cost")
        result.cost = None if self.chosen.price is None else cost
        what = {
            "ended": result.ended or (result.stop.reason if result.stop else ""),
            "counts": result.counts,
            "usage": result.usage,
            "cost_usd": None if result.cost is None else result.cost / NANO,
            "models": tuple(sorted(self._engine.tally.models if self._engine else ())),
        }
        self.folder.finish(result.command, entry.model_copy(update=what), result.written)

    def _used(self) -> dict[str, int]:
        """What this process has used so far; `cost` in nanodollars."""
        tally = self._engine.tally if self._engine else Tally()
        return {
            "requests": tally.sends,
            "input_tokens": tally.input_tokens,
            "cached_tokens": tally.cached_tokens,
            "output_tokens": tally.output_tokens,
            "cost": self._engine.purse.spent if self._engine else self.folder.journal.spent().cost,
        }


class Limited:
    """The first `limit` of some examples, again and again."""

    def __init__(self, given: inputs.Inputs, limit: int | None) -> None:
        self._given, self._limit = given, limit

    def __iter__(self) -> Iterator[Example]:
        return islice(iter(self._given), self._limit)

    def __len__(self) -> int:
        return min(self._given.count, self._limit or self._given.count)


def export_options(settings: Settings) -> export.Options:
    """What the user wants exported, and how."""
    return export.Options(
        formats=settings.format,
        rationale=settings.rationale,
        layout=settings.layout,
        preset=settings.preset,
        shares=export.shares(settings.split) if settings.split else export.DEFAULT_SHARES,
        random_seed=settings.random_seed,
    )


MEANING = (
    "teacher",
    "server",
    "temperature",
    "top_p",
    "max_tokens",
    "strategy",
    "operations",
    "generations",
    "per_parent",
    "per_call",
    "shots",
    "human_shots",
    "random_seed",
    "vision",
)
"""Options that go into requests."""


def _digests(used: Iterable[prompts.Prompt]) -> dict[str, str]:
    return {prompt.path.name: prompt.sha256 for prompt in used}


def changed_since(old: Entry, new: Entry) -> list[str]:
    """What is no longer as it was and goes into requests: prompt files, options, the task."""
    changes = [name for name, sha256 in new.prompts.items() if old.prompts.get(name) != sha256]
    changes += [
        f"--{name.replace('_', '-')}"
        for name in MEANING
        if old.options.get(name, new.options.get(name)) != new.options.get(name)
    ]
    tasks = [entry.options.get("task", {}) for entry in (old, new)]
    changes += [
        f"`{name}` of the task"
        for name in ("expert", "language", "labels")
        if tasks[0].get(name) != tasks[1].get(name)
    ]
    return changes


_SHORT = {
    "saturated": "the last {options.patience} proposals brought at most 3 new inputs: more or other"
    " seeds help most; to go on all the same: --patience 0",
    "ceiling": "{walk.folded} requests were made, the ceiling; to go on: --max-requests N",
}


def _refuse_other_source(folder: Folder, command: str, old: Entry, new: Entry) -> None:
    """Stop when the run folder belongs to another file, or to other seeds; a file may move."""
    if old.source_sha256 == new.source_sha256:
        return
    if Path(old.source).absolute() != Path(new.source).absolute():
        raise UserError(
            f"{folder.path}: made from {old.source}, not from {new.source}. Name another folder"
            " with -o, or take this one over with --overwrite"
        )
    if command == "expand" and folder.journal.any():
        raise UserError(
            f"{new.source}: changed since {folder.path} was made from it, so nearly all of expand"
            " would be asked anew. Name another folder with -o, or go on here with --overwrite"
        )


def _write(path: Path, records: Iterable[Seed | Example]) -> None:
    with files.Whole(path) as out:
        for record in records:
            out.write(record.row())


def _others(path: Path, stage: str) -> Iterator[dict[str, JSON]]:
    """The lines of the other stages."""
    return (row for row in files.rows_of(path) if row.get("stage") != stage)


def _write_among(path: Path, stage: str, records: Iterable[Failure | Rejection]) -> None:
    """Replace the lines of one stage, and stream the others through; expand's stand first."""
    with files.Whole(path) as out:
        if stage != "expand":
            for row in _others(path, stage):
                out.write(row)
        for record in records:
            out.write(record.row())
        if stage == "expand":
            for row in _others(path, stage):
                out.write(row)
