"""What stages share: a run folder, teachers each behind an engine, and the manifest."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

from distillgen import embedding, prompts
from distillgen.budget import Money, Purse
from distillgen.decontaminate import Decontaminated
from distillgen.deduped import Deduped
from distillgen.defaults import max_cost
from distillgen.delivery import Exported
from distillgen.engine import Engine, Read, Stop
from distillgen.errors import DONE, UserError
from distillgen.folder import Folder, new_entry
from distillgen.leakage import Leakage
from distillgen.meaning import Embed
from distillgen.pacing import Pace, within_open_files
from distillgen.prices import NANO, dollars
from distillgen.records import JSON, Answer, Entry, Terms
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
    exported: list[Exported] = field(default_factory=list)
    leakage: Leakage = field(default_factory=Leakage)
    """What the splits of an export have in common."""
    decontaminated: Decontaminated | None = None
    deduped: Deduped | None = None
    measured: dict[str, JSON] = field(default_factory=dict)
    """What `--json` says beside the ledger."""


class Work:
    """A run folder with its teachers: stages run one after the other and share the engines."""

    def __init__(
        self,
        folder: Folder,
        settings: Settings,
        task: Task,
        everybody: Sequence[Chosen],
        watch: Watch,
    ) -> None:
        """The first of `everybody` is asked by all stages, the others by `answer` alone; last
        comes the one of `--escalate`, if any."""
        self.folder, self.settings, self.task = folder, settings, task
        self.everybody, self.watch = tuple(everybody), watch
        self.chosen = self.everybody[0]
        self._engines: dict[int, Engine] = {}
        self.overwrite = False
        """Write over files that a person changed, and go on with other seeds."""

    @cached_property
    def money(self) -> Money:
        """What the run folder may cost, and has cost; all teachers are paid of it."""
        limit = max_cost(self.settings, self.everybody)
        return Money(limit, self.folder.journal.spent().cost)

    @property
    def engine(self) -> Engine:
        """The engine of the first teacher."""
        return self.engine_of(0)

    def engine_of(self, who: int) -> Engine:
        """The engine of a teacher; nothing is contacted before its first request."""
        if who not in self._engines:
            settings, chosen = self.settings, self.everybody[who]
            most = within_open_files(chosen.concurrency)
            if most < chosen.concurrency:
                self.watch.say(f"open files are limited: {most} in flight; ulimit -n raises it")
            self._engines[who] = Engine(
                chosen.make(self.watch.weights, self.watch.say),
                self.folder.journal,
                purse=Purse(chosen.price, self.money),
                pace=Pace(most, settings.rpm, settings.tpm),
                say=self.watch.say,
                resample=settings.resample,
            )
        return self._engines[who]

    def close(self) -> None:
        """Let go of the teachers."""
        for engine in self._engines.values():
            engine.close()

    def worst(self, keys: Iterable[str]) -> str:
        """The most that asking these requests once can cost, in words."""
        requests = [request for key in keys if (request := self.folder.journal.asked(key))]
        prices = {chosen.identity: chosen.price for chosen in self.everybody}
        worst = [
            Purse(prices.get(request.terms.teacher), self.money).worst(request)
            for request in requests
        ]
        return "an unknown sum" if None in worst else dollars(sum(cost or 0 for cost in worst))

    # -- for the stages --------------------------------------------------------------------

    @property
    def prompt_folders(self) -> list[Path]:
        """Where the user's own prompts may lie.

        Raises:
            UserError: `--prompts` names no folder.
        """
        folders = [Path(self.settings.prompts)] if self.settings.prompts else []
        if folders and not folders[0].is_dir():
            raise UserError(f"--prompts {folders[0]}: no such folder")
        return [*folders, Path("prompts")]

    def prompt(self, name: str, who: int = 0) -> prompts.Prompt:
        """The prompt of that name in the form for a teacher, the user's own before the packaged."""
        return prompts.find(name, self.task.name, self.everybody[who].small, self.prompt_folders)

    def outputs(self, names: Iterable[str], *read: Path) -> list[Path]:
        """The files that a stage is to write.

        Raises:
            UserError: one of them is read, or a person changed it.
        """
        paths = [self.folder.path / name for name in names]
        for source in read:
            self.apart(source, names)
        self.guard(paths)
        return paths

    def guard(self, paths: Iterable[Path]) -> None:
        """Refuse to write over what a person changed, unless the user allows it."""
        if not self.overwrite:
            self.folder.guard(paths)

    def apart(self, source: Path, names: Iterable[str]) -> None:
        """Refuse to write over what is read, whatever the user allows."""
        if source.resolve() in [(self.folder.path / name).resolve() for name in names]:
            raise UserError(f"{source}: would be written over; name another folder with -o")

    def begin(
        self,
        command: str,
        source: Path,
        sha256: str,
        *,
        asked: Mapping[str, JSON] | None = None,
        used: Mapping[str, str] | None = None,
        settled: Mapping[str, JSON] | None = None,
        to_ask: Callable[[], int] = lambda: 0,
    ) -> Entry:
        """Write that a command begins; say first what a change since its last run asks anew.

        `asked` are its options, by default the settings and the task; `used` holds the digests of
        the files besides the source that go into requests.
        """
        if asked is None:
            task = self.task.model_dump(mode="json")
            asked = self.settings.model_dump(mode="json") | {"task": task}
        entry = new_entry(str(source), sha256, asked, used, settled)
        old = self.folder.manifest.commands.get(command)
        if not self.overwrite:
            _refuse_namesake(self.folder, command, entry)
        if old and used:
            if not self.overwrite:
                _refuse_other_source(self.folder, command, old, entry)
            changes = changed_since(old, entry)
            if changes and (n := to_ask()):
                self.watch.say(
                    f"{', '.join(changes)} changed since the last {command}:"
                    f" {n:,} requests are asked anew"
                )
        self.folder.begin(command, entry)
        self._before = self._used()
        return entry

    def fill(
        self, stage: str, total: int, asks: Iterable[Ask | None], read: Read,
        there: Callable[[], int] = lambda: 0, who: int = 0,
    ) -> Stop | None:  # fmt: skip
        """Have requests asked of a teacher, and shown how it gets on.

        `total` are all that the stage needs; `there` says how many of them were never open.
        """
        engine = self.engine_of(who)
        tally = engine.tally
        before = tally.answered + tally.failed

        def done() -> int:
            return there() + tally.answered + tally.failed - before

        with self.watch.live(stage, total, tally, done):
            return engine.fill(asks, read)

    def embed(self, stage: str) -> Embed | None:
        """Asks for embeddings, where the user named a model."""
        return partial(self._vectors, stage) if self.settings.embeddings else None

    def unread(self, count: int, done: str) -> str:
        """What to say of texts without an embedding."""
        return f"{count:,} texts have no embedding: nothing was {done} for them"

    def _vectors(self, stage: str, texts: Iterable[str]) -> dict[str, embedding.Vector] | Stop:
        """The vectors of texts, those that the journal does not hold asked for."""
        terms = Terms(self.chosen.identity, self.settings.server)
        prefix = self.chosen.prefix
        requests = list(embedding.batches(texts, terms, prefix))
        journal = self.folder.journal
        found: dict[str, embedding.Vector] = {}
        there: set[str] = set()

        def look() -> None:
            for request in requests:
                for outcome in journal.look(request.key) if request.key not in there else ():
                    if outcome:
                        there.add(request.key)
                    if outcome and outcome.body:
                        found.update(embedding.vectors(request, outcome.body, prefix))

        look()
        if left := [Ask(request) for request in requests if request.key not in there]:
            known = len(there)
            self.watch.say(f"{len(requests):,} requests for embeddings, {len(left):,} to be sent")
            if stop := self.fill(stage, len(requests), left, lambda *_: None, lambda: known):
                return stop
            look()
        return found

    def finish(self, entry: Entry, result: Result, command: str = "") -> None:
        """Write that a command ended, and what it used; the result learns it too.

        `command` is what the manifest calls it, where that is not what the result does.
        """
        result.usage = {name: n - self._before[name] for name, n in self._used().items()}
        cost = result.usage.pop("cost")
        unpriced = any(self.everybody[who].price is None for who in self._engines or (0,))
        result.cost = None if unpriced else cost
        what = {
            "ended": result.ended or (result.stop.reason if result.stop else ""),
            "counts": result.counts,
            "usage": result.usage,
            "cost_usd": None if result.cost is None else result.cost / NANO,
            "models": tuple(sorted({m for e in self._engines.values() for m in e.tally.models})),
        }
        self.folder.finish(command or result.command, entry.model_copy(update=what), result.written)

    def _used(self) -> dict[str, int]:
        """What this process has used so far; `cost` in nanodollars."""
        tallies = [engine.tally for engine in self._engines.values()]
        return {
            "requests": sum(tally.sends for tally in tallies),
            "input_tokens": sum(tally.input_tokens for tally in tallies),
            "cached_tokens": sum(tally.cached_tokens for tally in tallies),
            "output_tokens": sum(tally.output_tokens for tally in tallies),
            "cost": self.money.spent,
        }


MEANING = (
    "teacher",
    "style",
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


def _refuse_namesake(folder: Folder, command: str, new: Entry) -> None:
    """Stop when the run folder belongs to another file that has the same name."""
    source, own = Path(new.source).absolute(), folder.path.absolute()
    for old in folder.manifest.commands.values():
        other = Path(old.source).absolute()
        if own in (source.parent, other.parent):
            continue
        apart = other != source and old.source_sha256 != new.source_sha256
        if apart and other.name == source.name:
            how = "" if command == "export" else ", or name another folder with -o"
            raise UserError(
                f"{folder.path}: made from {old.source}, not from {new.source}. Rename one of"
                f" them{how}, or take this one over with --overwrite"
            )


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
