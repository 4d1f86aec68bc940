"""Time splitting, and count what a random split of the same records leaks:
`python benchmarks/splits.py [RECORDS]`.

`varied` are the texts of `dedupe.py`: every tenth is an earlier one with up to 45 % of its words
changed. `template` is one text with other names and numbers: one family, which goes to `train`
whole. `mixed` is varied but for a tenth, which is such a family, and each twentieth record is the
child of another. The whole job is timed in a process of its own: reading the answers, clusters,
splits, writing, and the table. A random split, as of scikit-learn or `datasets`, takes no time; the
same table says what it leaks.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from dedupe import texts

from distillgen import answers
from distillgen.clusters import Prompts
from distillgen.leakage import Leakage, leakage, lines
from distillgen.lineage import Lineage, names
from distillgen.records import Answer
from distillgen.splits import DEFAULT_SHARES, SPLITS, assign

KINDS = "varied", "template", "mixed"
SYLLABLES = "ba", "den", "fi", "gor", "ku", "lam", "mi", "nos"


def family() -> Iterator[tuple[str, str]]:
    """Texts of one template."""
    rng = random.Random(3)
    while True:
        name = "".join(rng.choices(SYLLABLES, k=4)).title()
        age, income = rng.randint(18, 90), rng.randint(10, 900)
        price, months = rng.randint(1, 900), rng.randint(2, 40)
        yield (
            f"I am {name}, {age} years old, and I earn {income}00 dollars a month as a nurse in a"
            " small town by the sea.",
            f"Should I put {price}00 dollars into gold this year or wait {months} months?",
        )


def prompts(kind: str, count: int) -> Iterator[tuple[str, str]]:
    """User contexts and questions."""
    if kind == "template":
        yield from islice(family(), count)
        return
    many = family()
    for n, text in enumerate(texts(count, with_numbers=0.5)):
        yield next(many) if kind == "mixed" and n % 10 == 0 else text


def write(path: Path, kind: str, count: int) -> None:
    """A file of answers."""
    rng = random.Random(5)
    with path.open("w") as file:
        for n, (context, question) in enumerate(prompts(kind, count)):
            child = kind == "mixed" and n % 20 == 1
            made = Answer(
                id=f"{n:016x}", user_context=context, question=question, teacher="openai:large",
                rationale=f"{context} So it follows.", answer=f"No. {question}", request="0" * 64,
                rationale_source="requested", strategy="evolve" if child else "few_shot",
                parents=(f"{rng.randrange(n):016x}",) if child else (),
            )  # fmt: skip
            file.write(json.dumps(made.row()) + "\n")


def at_random(path: Path, count: int) -> Leakage:
    """What a random split with the same sizes leaks."""
    places = list(range(count))
    random.Random(0).shuffle(places)
    splits = bytearray(b"\1" * count)
    for place in places[: count // 20]:
        splits[place] = SPLITS.index("validation") + 1
    for place in places[count // 20 : count // 10]:
        splits[place] = SPLITS.index("test") + 1
    lineage = Lineage()
    with Prompts() as found:
        for n, answer in enumerate(answers.read(path)):
            found.add(answer.id, answer.user_context, answer.question)
            for name in names(answer):
                lineage.add(n, name)
        found.complete()
        return leakage(found, lineage, splits)


def measured(path: Path) -> None:
    """Print what splitting a file costs this process, start-up included."""
    done = assign(answers.read(path), DEFAULT_SHARES, 0, path.with_name("splits.jsonl"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.process_time():.1f} CPU-s, {peak:,.0f} MB, {done.groups:,} groups, largest"
          f" {done.largest:,}, {done.records}")  # fmt: skip
    print("\n".join(lines(done.leakage)), flush=True)


def main(counts: list[int]) -> None:
    """Every kind at every size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers.jsonl")
        for count in counts:
            for kind in KINDS:
                write(path, kind, count)
                print(f"\n{count:,} {kind}: ", end="", flush=True)
                subprocess.run([sys.executable, __file__, "--one", str(path)], check=True)
                path.with_name("splits.jsonl").unlink()
                if count <= 100_000:
                    print("at random:")
                    print("\n".join(lines(at_random(path, count))), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measured(Path(sys.argv[2]))
    else:
        main([int(sys.argv[1])] if len(sys.argv) > 1 else [10_000, 100_000])
