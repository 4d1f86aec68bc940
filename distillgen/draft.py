"""Have the teacher draft a file that people then edit: topics level by level, or attributes.

GLAN asks for a list in free text and has it put into JSON by a second request, as the lists were
worse otherwise (Li et al. 2024). A reply that must fit a JSON schema is asked for once here: that
halves the requests, and a person reads the list anyway.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from distillgen import replies
from distillgen.journal import Journal, Place
from distillgen.outcomes import Failed, settle
from distillgen.prompts import VARIABLES
from distillgen.records import JSON, Completion, Failure, Rejection, Request, digest
from distillgen.sending import Ask
from distillgen.strategies import Setting, Turn, draw


@dataclass(frozen=True)
class Kind:
    """What a file holds: names in levels, and a list of parts for each name of the last one."""

    name: str
    """The command and the prompt."""
    levels: tuple[str, ...]
    parts: str
    sizes: tuple[int, ...]
    """Names that are asked for in one request of each level, and parts of each."""
    small: tuple[int, ...]
    """The same for small teachers."""
    least: int
    """With fewer parts a name is of no use."""


TOPICS = Kind("topics", ("disciplines", "subjects", "sessions"), "concepts", (5, 4, 4, 4),
              (3, 2, 2, 3), 0)  # fmt: skip
ATTRIBUTES = Kind("attributes", ("attributes",), "values", (8, 5), (5, 3), 2)
KINDS = {kind.name: kind for kind in (TOPICS, ATTRIBUTES)}

Entry = tuple[str, list[str]]
"""A name and its parts."""


@dataclass
class Draft:
    """What the journal holds of a draft."""

    table: dict[str, JSON] = field(default_factory=dict)
    """By name what is below it: again a table, or a list of parts; nothing is empty."""
    open: list[tuple[int, Ask]] = field(default_factory=list)
    """What can be asked now, each with its level."""
    answered: int = 0
    failures: list[Failure] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    """Names that cannot be used."""
    names: list[int] = field(default_factory=list)
    """How many there are on each level, and how many parts; a name without any is one itself."""

    @property
    def counts(self) -> dict[str, int]:
        """In requests: given = kept + failed + open; `leaves` and `left_out` are names."""
        failed, still = len(self.failures), len(self.open)
        return {
            "given": self.answered + failed + still, "kept": self.answered, "failed": failed,
            "open": still, "leaves": self.names[-1], "left_out": len(self.rejected),
        }  # fmt: skip


class Drafting:
    """The requests that draft a file: those of a level follow when their names have come."""

    def __init__(self, kind: Kind, setting: Setting, journal: Journal, resample: int) -> None:
        self.kind, self.setting, self.journal = kind, setting, journal
        self.resample = resample
        *self._sizes, self._parts = kind.small if setting.short else kind.sizes
        self._shots = draw(Turn(0, 0), (), setting)
        self._sequence = digest({"draft": self._plan((), ()).key})

    @property
    def settled(self) -> dict[str, JSON]:
        """What the manifest says of it."""
        sizes = [*self._sizes, self._parts]
        return {"sizes": sizes, "shots": len(self._shots), **self.setting.terms.sampling}

    def requests(self) -> Iterator[Ask | None]:
        """Each open request as soon as it can be planned; None while others must come first."""
        asked: set[str] = set()
        while still := self.read().open:
            new = next((ask for _, ask in still if ask.request.key not in asked), None)
            if new:
                asked.add(new.request.key)
            yield new

    def left(self) -> int:
        """The requests that are still to be asked, if each brings all that it is asked for."""
        below = [1]
        for size in reversed(self._sizes[:-1]):
            below.insert(0, 1 + size * below[0])
        return sum(below[level] for level, _ in self.read().open)

    def words(self, draft: Draft) -> Iterator[str]:
        """What is in a draft, in a few lines."""
        levels = zip((*self.kind.levels, self.kind.parts), draft.names, strict=True)
        yield ", ".join(f"{n:,} {name}" for name, n in levels)
        for name, below in draft.table.items():
            yield f"{name}: {', '.join(below)}"
        if draft.rejected:
            yield f"{len(draft.rejected)} names left out, see rejected.jsonl"
        if draft.table:
            yield "read it, delete what nobody would ask about, add what is missing"

    def heard(self, ask: Ask, completion: Completion) -> list[Entry]:
        """The names of a reply; ParseError when none can be used."""
        assert ask.place
        return self._parse(json.loads(ask.place.lineage)["level"], completion)[0]

    def read(self) -> Draft:
        """What the journal holds so far."""
        draft = Draft(names=[0] * (len(self._sizes) + 1))
        draft.table = self._below(draft, (), (), 0)
        return draft

    # -- inside ----------------------------------------------------------------------------

    def _below(
        self, draft: Draft, path: tuple[str, ...], others: Sequence[str], i: int
    ) -> dict[str, JSON]:
        """What stands below a name; `others` stand beside it, `i` is the number of its request."""
        level = len(path)
        request = self._plan(path, others)
        parse = partial(self._parse, level)
        result = settle(self.journal.look(request.key), parse, self.resample)
        if result is None:
            lineage = json.dumps({"draft": self.kind.name, "level": level})
            draft.open.append((level, Ask(request, Place(self._sequence, i, lineage))))
            return {}
        if isinstance(result, Failed):
            draft.failures.append(
                Failure(stage=self.kind.name, kind=result.kind, detail=result.detail,
                        question=" > ".join(path), request=request.key)
            )  # fmt: skip
            return {}
        draft.answered += 1
        entries = self._usable(draft, path, request.key, *result)
        draft.names[level] += len(entries)
        if level + 1 == len(self._sizes):
            draft.names[-1] += sum(max(1, len(parts)) for parts in entries.values())
            return dict(entries)
        table = {}
        for n, name in enumerate(entries, 1):
            beside = [other for other in entries if other != name]
            # a reply brings far fewer than a thousand names
            if below := self._below(draft, (*path, name), beside, 1000 * i + n):
                table[name] = below
        return table

    def _usable(
        self, draft: Draft, path: tuple[str, ...], key: str, found: list[Entry], problems: list[str]
    ) -> dict[str, list[str]]:
        """The entries of a reply that say something new; the others are rejected."""
        least = self.kind.least if len(path) + 1 == len(self._sizes) else 0

        def reject(reason: str, path: tuple[str, ...], detail: str) -> None:
            row = {"stage": self.kind.name, "reason": reason, "question": " > ".join(path),
                   "detail": detail, "request": key}  # fmt: skip
            draft.rejected.append(Rejection.model_validate(row))

        def new(path: tuple[str, ...], names: list[str]) -> Iterator[str]:
            seen = {one.casefold() for one in path}
            for name in names:
                if name.casefold() in seen:
                    reject("near_duplicate", (*path, name), "stands there already")
                else:
                    yield name
                seen.add(name.casefold())

        for problem in problems:
            reject("invalid", path, problem)
        first = {name.casefold(): parts for name, parts in reversed(found)}
        usable = {}
        for name in new(path, [name for name, _ in found]):
            here = (*path, name)
            parts = list(new(here, first[name.casefold()]))
            if len(parts) < least:
                reject("invalid", here, f"fewer than {least} {self.kind.parts}")
            else:
                usable[name] = parts
        return usable

    def _plan(self, path: tuple[str, ...], others: Sequence[str]) -> Request:
        level, task = len(path), self.setting.task
        last = level + 1 == len(self._sizes)
        prompt = self.setting.prompt
        variables = {
            "expert": task.expert,
            "language": task.language,
            "labels": task.labels,
            "shots": self._shots,
            "level": self.kind.levels[level],
            "path": list(path),
            "others": list(others),
            "count": self._sizes[level],
            "parts": self._parts,
        }
        messages = prompt.render(**{name: variables[name] for name in VARIABLES[prompt.name]})
        wanted = schema(self.kind, self._sizes[level], self._parts if last else 0)
        return Request(replace(self.setting.terms, json_schema=wanted), messages)

    def _parse(self, level: int, completion: Completion) -> tuple[list[Entry], list[str]]:
        last = level + 1 == len(self._sizes)
        fields = ("name", self.kind.parts) if last else ("name",)
        items, problems = replies.items(completion, self.kind.name, fields)
        return [
            (_line(item["name"]), list(map(_line, item.get(self.kind.parts, "").splitlines())))
            for item in items
        ], problems


def _line(text: str) -> str:
    return " ".join(text.split())


def schema(kind: Kind, count: int, parts: int) -> dict[str, JSON]:
    """JSON Schema of a reply with so many names, each with so many parts, if any."""
    text: dict[str, JSON] = {"type": "string", "minLength": 1}
    fields: dict[str, JSON] = {"name": text}
    if parts:
        fields[kind.parts] = {"type": "array", "items": text, "minItems": parts, "maxItems": parts}
    item = {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
    names = {"type": "array", "items": item, "minItems": count, "maxItems": count}
    return {
        "type": "object",
        "properties": {kind.name: names},
        "required": [kind.name],
        "additionalProperties": False,
    }
