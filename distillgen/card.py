"""Say in a page beside the data what it is, how it was made, and what it is not."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from distillgen import card_figures, hub_yaml, remake, terms
from distillgen.delivery import Delivery
from distillgen.facts import Facts
from distillgen.markdown import Cell, code, fence, table
from distillgen.records import Entry
from distillgen.splits import SPLITS, Split


@dataclass
class About:
    """What the cards of an export have in common."""

    name: str = ""
    """Of the dataset in files for trainers: that of the run."""
    title: str = ""
    """Of the dataset in its card: that of the task, which no run folder changes."""
    expert: str = ""
    """Who the teacher was asked to be."""
    task_file: str = ""
    """Its name, where one said something of the task."""
    seeds: int = 0
    """Hand-written examples that the inputs were grown from; 0 where they came from elsewhere."""
    closed: bool = False
    """Answers are labels."""
    license: str | None = None
    """As the user declares it."""
    shares: Mapping[Split, float] = field(default_factory=dict)
    random_seed: int = 0
    shuffled: bool = False
    """The records stand in a random order."""
    commands: Mapping[str, Entry] = field(default_factory=dict)
    """What the manifest says; empty where nothing is known."""
    facts: Facts | None = None
    """Of the file that is exported."""
    splits_stayed: bool = False
    """Records were assigned to splits before, by an export of another file."""
    leakage: str = ""
    """A table of what the splits have in common, as Markdown."""


_PLACES = {
    "first": "The rationale stands before the answer, in the same text.",
    "after": "The rationale stands behind the answer, in the same text.",
    "think": "The rationale stands before the answer, between `<think>` and `</think>`.",
    "field": "The rationale stands in a field of its own.",
    "none": "The rationale is not in it.",
}
_FOR = """\
For: fine-tuning a small model (the student) so that it answers questions like these as the large
one (the teacher) does.

Not for:

- **Advice.** The texts are a model's. They can be wrong, out of date or one-sided, however sure
  they sound; no professional stands behind them, in whatever field they speak of.
- **Telling how good a model is.** What is held out for tests is the teacher's, too: it tells how
  well a student imitates the teacher, errors included. What is right must be measured on other
  data."""
_LIMITS = """\
- **Personal data.**
  {personal}
- **Errors.** A student learns the teacher's errors with the rest, and checks find only some.
- **Narrowing.** A student that is trained on one field alone loses others, and caution: with
  mathematics alone, general tasks fell from 45.7 to 21.1 (Huan et al. 2025); without examples of
  safety, harmful answers rose from 14.5 to 55.5 % (OpenThoughts, Guha et al. 2025). Mix in general
  data.
- **Style before ability.** Students take on how the teacher sounds first: imitating chats broadly
  took lists from 13 to 81 % of the answers and Natural Questions from 17 to 10, while examples
  grown for that one task took it to 22 (Gudibande et al. 2023). Do not judge a student by how it
  sounds."""
_GROWN = """\
What the seeds say of people was sent to the teacher as it was written, and may come back in the
  questions and answers; nobody has taken it out."""
_GIVEN = """\
The questions stand here as they were given, and the teacher was sent them, with whatever they say
  of people; nobody has taken it out."""
MADE_BY = {
    "": "came from elsewhere", "few_shot": "written from examples", "evolve": "rewritten, harder or"
    " broader", "personas": "as an imagined person", "topics": "on a topic of a tree",
    "attributes": "with drawn attributes", "augment": "a seed with other numbers, names or words",
    "transform": "another task made of an answered example", "images": "about an image",
    "seed": "a seed",
}  # fmt: skip
"""How questions came about, by strategy."""
MOST = 20
"""Rows of a table of teachers, strategies or labels."""


def text(folder: Delivery, about: About) -> str:
    """The whole page, the hub's lines at its head."""
    languages = about.facts.languages if about.facts else {}
    title = about.title or about.name or folder.found.name
    head = hub_yaml.head(folder, title, about.license, languages, about.closed)
    found = about.facts
    parts = {
        "": f"# {code(title)}, for {code(folder.found.name)}\n\n{_what(folder, about)}",
        "Load it": _load(folder),
        "What it is for, and what not": _FOR,
        "How it was made": _made(folder, about),
        "Make it again": _again(folder, about),
        "What was left out": card_figures.left_out(folder, found),
        "How the better answer is known": card_figures.preferences(folder),
        "Checks and judges": _of_all(folder, card_figures.verdicts(found, about.closed)),
        "How varied it is": _of_all(folder, card_figures.diversity(found)),
        "Test sets": card_figures.contamination(found, about.commands),
        "Splits": _splits(folder, about),
        "Known limits": _limits(folder),
    }
    sections = [f"## {name}\n\n{part}" if name else part for name, part in parts.items() if part]
    return "\n\n".join([head, *sections]) + "\n"


def _of_all(folder: Delivery, figures: str) -> str:
    """Says of what the figures are, where the format has not all records."""
    out = folder.left_out.total()
    if not (figures and out):
        return figures
    given = out + sum(folder.records.values())
    return f"Of all {given:,} records, before {out:,} were left out of this set.\n\n{figures}"


# -- what it is --------------------------------------------------------------------------------


def _what(folder: Delivery, about: About) -> str:
    given = [split for split in SPLITS if folder.records[split]]
    n = sum(folder.records.values())
    of_pairs = folder.found.of_pairs(folder.told)
    kind = "labelled texts" if about.closed else "questions with answers"
    kind = "questions with a better and a worse answer" if of_pairs else kind
    who = ", ".join(code(name) for name in sorted({name for name, _ in folder.made} - {""}))
    said = [f"{n:,} {kind}, written by {who or 'a model that is not named'}."]
    if folder.edited:
        said.append(
            f"{folder.edited:,} of them {'has' if folder.edited == 1 else 'have'} texts that"
            " reviewers wrote in place of the teacher's."
        )
    if about.expert:
        said.append(f"The teacher was asked to be {code(about.expert)}.")
    first = remake.first_source(about.commands)
    if about.seeds:
        said.append(f"The questions grew from the {about.seeds:,} seeds of {code(first)}.")
    elif first:
        said.append(f"The questions came from {code(first)}.")
    rows = [(split, folder.records[split], folder.data[split].rows) for split in given]
    form = [folder.found.help]
    if folder.found.rationales:
        form.append(_PLACES[folder.told.rationale])
    if system := folder.told.system.get(""):
        form.append(f"Rows have a system prompt: {code(system)}.")
    return "\n\n".join([" ".join(said), " ".join(form), table(("split", "records", "rows"), rows)])


def _load(folder: Delivery) -> str:
    snippet = folder.found.snippet(folder.told)
    parts = []
    if snippet:
        files = f"files = {json.dumps(folder.given())}\n"
        parts.append(fence(files + snippet, "python"))
    if hub_yaml.loadable(folder):
        parts.append(
            'Once it is on the hub, `load_dataset("USER/NAME")` of the library `datasets` loads all'
            " splits, and none of the files beside them. Of a folder on a disk it remembers the"
            " name alone, and may give the rows of an earlier export, or of another folder of that"
            " name: there load the files by their names."
        )
    if folder.longest:
        parts.append(
            f"The longest row takes about {folder.longest:,} tokens (one for 4 characters of"
            " English; a student's own count differs). A trainer with a smaller `max_length` cuts"
            " it, or drops it, without a word."
        )
    if folder.told.images:
        parts.append(
            "The images are not among these files. The rows name each by its path, as seen from the"
            " folder that the export was made in."
        )
    if stages := len(folder.staged):
        parts.append(
            f"`train.stage-1` to `train.stage-{stages}` hold the training rows once more, from easy"
            " to hard."
        )
    return "\n\n".join(parts)


# -- how it was made ---------------------------------------------------------------------------


def _made(folder: Delivery, about: About) -> str:
    teachers, strategies = Counter[str](), Counter[str]()
    for (teacher, strategy), n in folder.made.items():
        teachers[teacher] += n
        strategies[strategy] += n
    parts = [_licence(folder, about), _teachers(folder, about, teachers)]
    if not folder.worse:
        rows = [(_strategy(name), n) for name, n in ranked(strategies)]
        parts.append(table(("the question", "records"), rows))
    return "\n\n".join(part for part in [*parts, _sampling(about), _prompts(about)] if part)


def ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first; of more than are shown, the rest together."""
    rows = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    rest = sum(n for _, n in rows[MOST:])
    return rows[:MOST] + ([(f"{len(rows) - MOST} others", rest)] if rest else [])


def _strategy(name: str) -> str:
    words = MADE_BY.get(name, "")
    return f"{code(name)}: {words}" if name and words else words or code(name)


def _licence(folder: Delivery, about: About) -> str:
    if about.license:
        said = f"Licence or terms, as declared by whoever made it: {code(about.license)}."
    else:
        said = (
            "Licence or terms: nobody has stated any. The teacher's decide what may be trained with"
            " what it wrote; read them first."
        )
    names = sorted({teacher for teacher, _ in folder.made} | set(folder.worse))
    known = [(name, terms.restriction(name)) for name in [*names, about.license or ""]]
    warned = [f"- {code(name)}: {found}." for name, found in known if found]
    if warned:
        said += (
            "\n\nKnown to restrict training (as read at the date given; no legal advice):\n\n"
            + "\n".join(warned)
        )
    return said


def _teachers(folder: Delivery, about: About, teachers: Counter[str]) -> str:
    stated = code(about.license) if about.license else "not stated"
    names = teachers + folder.worse
    rows: list[Sequence[Cell]] = []
    for name, _ in ranked(names):
        own = f"{terms.of_weights(name)} (its weights)" if terms.of_weights(name) else stated
        counts = [teachers[name], folder.worse[name]] if folder.worse else [teachers[name]]
        rows.append((code(name) if name else "not named", *counts, own))
    columns = ("better answers", "worse answers") if folder.worse else ("records",)
    return table(("teacher", *columns, "licence or terms"), rows)


def _sampling(about: About) -> str:
    """What the requests were sent with."""
    found = []
    for stage in ("expand", "answer", "judge", "compare"):
        entry = about.commands.get(stage)
        if entry and stage in _stages(about) and entry.settled:
            names = ("temperature", "top_p", "min_p", "max_tokens", "shots", "per_call")
            said = [f"{name} {entry.settled[name]}" for name in names if name in entry.settled]
            found.append(f"{stage}: {', '.join(said)}")
    return f"Sampling: {'; '.join(found)}." if found else ""


def _stages(about: About) -> list[str]:
    """The commands that made the file, or looked at it."""
    return [*remake.way(about.commands), *remake.looked(about.commands)]


def _prompts(about: About) -> str:
    rows = [
        (stage, code(name), f"`{sha256[:16]}`")
        for stage in _stages(about)
        for name, sha256 in sorted(about.commands[stage].prompts.items())
    ]
    return table(("command", "prompt", "sha256 begins"), rows) if rows else ""


def _again(folder: Delivery, about: About) -> str:
    lines = remake.commands(about.commands, folder.found, folder.told)
    if not lines:
        return ""
    first = remake.first_source(about.commands)
    stages = [*remake.way(about.commands), "export"]
    entry = about.commands[stages[0]]
    needs = f"distillgen {entry.version} and {code(first)} (sha256 `{entry.source_sha256}`)"
    if about.task_file:
        needs += f", with its task file {code(about.task_file)} beside it"
    said = f"With {needs}:\n\n" + fence("\n".join(lines), "sh")
    if beside := _beside(folder, about):
        said += f"\n\n{beside}"
    if any(remake.SERVER in line for line in lines):
        said += f"\n\n`{remake.SERVER}` stands for the server of the teacher."
    if not any(stage in about.commands for stage in ("expand", "answer")):
        return said
    return (
        f"{said}\n\nA teacher need not say the same twice. With the run folder of those who made"
        " this set, whose journal holds its replies, nothing is asked, and the files are the same."
    )


def _beside(folder: Delivery, about: About) -> str:
    """What the files come from besides the commands."""
    reviews = folder.edited or (about.facts and about.facts.reviews)
    files = ["`reviews.jsonl` (what people decided)"] if reviews else []
    if about.splits_stayed:
        files.append("`splits.jsonl` (of an earlier export)")
    needed = f"In the run folder, it also needs {' and '.join(files)}." if files else ""
    if about.facts and about.facts.outdated:
        needed += " Answers were changed by hand, which no command does again."
    return needed.strip()


def _splits(folder: Delivery, about: About) -> str:
    shares = ", ".join(f"{split} {about.shares.get(split, 0):g}" for split in SPLITS)
    export = about.commands.get("export")
    held_out = export and export.options.get("seeds_for_test")
    seeds = "the seeds and what belongs with them are for test; " if held_out else ""
    said = (
        "Near duplicates (context and question both above a ROUGE-L of 0.7), and what was made of "
        f"one another, are in one split; {seeds}else chance decides ({shares}; random seed "
        f"{about.random_seed}), spread evenly over labels or topics. Line n of "
        "`<split>.meta.jsonl` says where row n of the split comes from."
    )
    if about.shuffled:
        said += " The records stand in a random order, by the same seed."
    if not about.leakage:
        return said
    return (
        f"{said}\n\n{_of_all(folder, about.leakage)}\n\nOf the first split's records, those whose"
        " prompt stands in the other (`equal`), with a near duplicate there (`near`), with a"
        " parent, child or sibling there (`kin`); and the ROUGE-L of their questions with the most"
        " like one there."
    )


def _limits(folder: Delivery) -> str:
    grown = all(strategy for _, strategy in folder.made) and not folder.worse
    return _LIMITS.format(personal=_GROWN if grown else _GIVEN)
