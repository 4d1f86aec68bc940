"""One session at the terminal: what a command is given, its first lines and its last."""

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import NoReturn

import typer

from distillgen import answers, ledger, screen, settings, strategies
from distillgen.defaults import max_cost
from distillgen.dry_run import Estimate
from distillgen.errors import BUDGET, UserError
from distillgen.folder import Folder
from distillgen.prices import NANO, dollars
from distillgen.program import program
from distillgen.records import JSON
from distillgen.screen import Screen
from distillgen.show import visible
from distillgen.task import Task, columns
from distillgen.teachers import NOBODY, Chosen, choose_all
from distillgen.work import Result, Work

OWN = (
    "seeds", "inputs", "run", "file", "field", "out", "overwrite", "dry_run", "as_json", "quiet",
    "kind", "runs", "against", "more", "drop", "on", "checks", "labels",
)  # fmt: skip
"""Options that are about the command, not about what is asked."""


class Session:
    """What every command that works in a run folder needs, checked before anything is paid."""

    def __init__(
        self,
        given: Mapping[str, JSON],
        found: Task,
        path: Path,
        plain_every_s: float | None = None,
        *,
        expands: bool = False,
    ) -> None:
        """`expands` says that nothing else is done: a strategy may need no teacher."""
        self.given, self.path = given, path
        chosen = {name: value for name, value in given.items() if name not in OWN}
        for name in ("prompts", "topics", "attributes", "rubric"):
            if chosen.get(name) is not None:
                chosen[name] = str(chosen[name])
        self.settings = settings.settle(chosen, found)
        if "embeddings" not in given:  # a default for another command
            self.settings = self.settings.model_copy(update={"embeddings": None})
        if "samples" not in given:  # one teacher is enough
            self.settings = self.settings.model_copy(update={"also": (), "escalate": None})
        used = strategies.used(self.settings.strategy, self.settings.operations)
        for name in ("topics", "attributes", "images"):
            if chosen.get(name) and name not in strategies.shares(self.settings.strategy):
                raise UserError(f"--{name}: is read by --strategy {name}, which is not asked for")
        self.reused = [Path(name) / "journal.sqlite" for name in self.settings.reuse]
        for other in self.reused:
            if not other.is_file():
                raise UserError(f"--reuse {other.parent}: no run folder with a journal")
        self.fields = found.fields | columns(given.get("field") or [])
        self.task = found.model_copy(update={"fields": self.fields})
        every = screen.PLAIN_EVERY_S if plain_every_s is None else plain_every_s
        self.screen = Screen(quiet=bool(given.get("quiet")), plain_every_s=every)
        asks = not expands or any(strategies.asks(one, named) for one, _, named in used)
        self.everybody = choose_all(self.settings, os.environ, Path()) if asks else [NOBODY]
        self.teacher: Chosen = self.everybody[0]
        self.bare_seeds = all(hasattr(one, "CAPPED") for one, _, _ in used)
        limit = self.settings.max_cost
        for one in self.everybody if limit is not None else ():
            if one.price is None:
                raise UserError(
                    f"--max-cost {limit}: the price of {one.shown} is not known; state it with"
                    " --price-in and --price-out (dollars per million tokens)"
                )

    @property
    def paid(self) -> bool:
        """Whether anybody bills for these teachers, as far as is known."""
        return any(one.price is None or not one.price.free for one in self.everybody)

    @property
    def priced(self) -> bool:
        """Whether the price of every teacher is known."""
        return all(one.price is not None for one in self.everybody)

    @contextmanager
    def opened(self) -> Iterator[Work]:
        """The run folder, locked, with all that works in it; a dry run of a new one leaves none."""
        with ExitStack() as stack:
            path = self.path
            if self.given.get("dry_run") and not path.exists():
                path = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            run_folder = stack.enter_context(Folder(path))
            work = Work(run_folder, self.settings, self.task, self.everybody, self.screen)
            for other in self.reused:
                run_folder.journal.reuse(other)
            work.overwrite = bool(self.given.get("overwrite"))
            stack.callback(work.close)
            yield work

    def estimate(self, stages: list[Estimate]) -> NoReturn:
        """What would be asked: the figures as words, three prompts of each stage on stdout."""
        say = self.screen.say
        say("            to ask  in journal   tokens in / out     estimate")
        for one in stages:
            cost = "price unknown" if one.cost is None else dollars(one.cost)
            lengths = f"{screen.short(one.tokens_in)} / {screen.short(one.tokens_out)}"
            name, _, who = one.stage.partition(", ")
            say(f"{name:<8} {one.requests:>9,} {one.there:>11,}   {lengths:<18}  {cost}")
            if who:
                say(f"         {who}")
            say(f"         assumed: {one.assumed}")
        if self.given.get("as_json"):
            asked = {
                one.stage: [[m.row() for m in request.messages] for request in one.samples]
                for one in stages
            }
            figures = {one.stage: one.as_json() for one in stages}
            found = {"command": "dry-run", "run": str(self.path), "estimate": figures}
            print(json.dumps(found | {"prompts": asked}, ensure_ascii=False))
            raise typer.Exit
        for one in stages:
            for n, request in enumerate(one.samples, 1):
                for message in request.messages:
                    print(
                        f"--- {one.stage}, prompt {n}, {message.role}\n{visible(message.shown)}\n"
                    )
        raise typer.Exit

    def begin(self, what: str) -> None:
        """The first lines: what will happen, with whom, in which folder, up to which limit."""
        everybody = self.everybody
        names = [one.shown for one in everybody]
        who = f"teacher {names[0]}"
        if self.settings.escalate:
            names[-1] = f"{names[-1]} where they are divided"
        if len(everybody) > 1:
            who = f"teachers {', '.join(names)}"
        self.screen.hang(f"{what}, {who}, in {self.path}")
        self.introduce()
        key = "OPENAI_API_KEY"
        if all(one.url == "embedded" for one in everybody) and os.environ.get(key):
            self.screen.say(f"{key} is set and not used; --teacher openai:MODEL would")

    def introduce(self) -> None:
        """What embedded models are good for, and whether nobody else is asked."""
        for one in self.everybody:
            if one.good_for:
                self.screen.say(f"{one.shown}: {one.good_for}")
        if all(one.stays_here for one in self.everybody):
            self.screen.say("nothing leaves this machine")

    def goes_on(self, work: Work) -> None:
        """What an earlier process left: its replies, its money, its attempts of unknown outcome."""
        journal = work.folder.journal
        spent = journal.spent()
        if spent.answered or spent.unknown:
            line = f"goes on: {spent.answered:,} replies are in the journal"
            limit = max_cost(self.settings, self.everybody)
            if self.priced and limit is not None:
                line += f"; {dollars(spent.cost)} of {dollars(limit)} spent so far"
            self.screen.say(line)
        if journal.left_in_flight and self.paid:
            self.screen.say(
                f"{journal.left_in_flight} requests were under way when the last process ended:"
                f" up to {dollars(spent.maybe)} possibly billed; they are asked again"
            )
        for one in self.everybody if not self.settings.server else ():
            newest = journal.newest(one.identity)
            if newest and newest[1] not in one.url.split():
                self.screen.say(
                    f"replies from {newest[1]} are reused for {one.url}; --server NAME keeps"
                    " servers apart"
                )

    def end(self, work: Work, results: list[Result], next_command: str) -> None:
        """The ledger, the money, two results to read, the files, the next command; then exit."""
        say = self.screen.say
        spent = work.folder.journal.spent()
        cost = None if not self.priced or spent.unpriced else spent.cost
        stop = next((result.stop for result in results if result.stop), None)
        if any(any(result.counts.values()) for result in results):
            say()
            self._sums(work, results, cost, spent.unknown)
        if stop:
            self.screen.error(f"stopped  {stop.message}")
            say(f"go on    {self.again(stop.code)}")
        elif next_command:
            say(f"\nNext: {program()} {next_command}")
        code = next((r.stop.code for r in results if r.stop), max(r.code for r in results))
        if self.given.get("as_json"):
            print(json.dumps(self.as_json(results, cost, spent.unknown), ensure_ascii=False))
        raise typer.Exit(code)

    def _sums(
        self, work: Work, results: list[Result], cost: int | None, possibly_twice: int
    ) -> None:
        """Everything between the live area and the last line."""
        say = self.screen.say
        brief = len(results) > 1
        for line in (line for one in results for line in ledger.of(one, brief=brief)):
            self.screen.hang(line)
        pairs = next((r.counts["kept"] for r in results if r.command == "answer"), 0)
        self.screen.hang(ledger.used(results, cost, pairs))
        if possibly_twice and self.paid:
            say(f"         {possibly_twice:,} requests possibly paid twice (outcome unknown)")
        if taken := work.folder.journal.taken:
            say(f"         {taken:,} replies taken from {', '.join(self.settings.reuse)}")
        for note in (note for result in results for note in result.notes):
            self.screen.hang(f"         {note}")
        answered = self.path / "answers.jsonl"
        if any(result.command == "answer" for result in results) and answered.exists():
            say("\ntwo of the pairs:\n")
            self.screen.pairs(islice(answers.read(answered), 2), lines=6)
        say(ledger.shown_files(path for result in results for path in result.written))

    def again(self, code: int) -> str:
        """The command that goes on, quoted for the shell."""
        words = [*program().split(), *sys.argv[1:]]
        if code == BUDGET:
            limit = self.settings.max_cost or settings.DEFAULT_MAX_COST
            words = [*_without(words, "--max-cost"), "--max-cost", f"{limit * 2:g}"]
        return shlex.join(words)

    def as_json(self, results: list[Result], cost: int | None, unknown: int) -> dict[str, JSON]:
        """What `--json` prints; the same keys for every command."""
        usage: dict[str, int] = {}
        for result in results:
            for name, n in result.usage.items():
                usage[name] = usage.get(name, 0) + n
        used = [result.cost for result in results]
        written = dict.fromkeys(path for result in results for path in result.written)
        compared = [ledger.compared(result) for result in results if result.deduped]
        tested = [row for result in results for row in ledger.tested(result)]
        whole: dict[str, JSON] = {
            "command": results[0].command if len(results) == 1 else "run",
            "run": str(self.path),
            "counts": results[0].counts
            if len(results) == 1
            else {result.command: result.counts for result in results},
            "usage": usage,
            "cost_usd": None if None in used else sum(c or 0 for c in used) / NANO,
            "spent_usd": None if cost is None else cost / NANO,
            "possibly_paid_twice": unknown,
            "files": [str(path) for path in written if path.exists()],
            "failures": {r.command: r.kinds for r in results if r.kinds},
            **({"against": tested} if tested else {}),
            **(compared[0] if compared else {}),
            **{name: found for result in results for name, found in result.measured.items()},
            **{name: one for result in results for name, one in ledger.verdicts(result).items()},
            "ended": {r.command: r.ended or (r.stop.reason if r.stop else "") for r in results},
        }
        return whole


def _without(words: list[str], option: str) -> list[str]:
    """A command line without one option and its value."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip or word.startswith(f"{option}="):
            skip = False
        elif word == option:
            skip = True
        else:
            kept.append(word)
    return kept
