"""Read raw outputs of PaLM-540B, and vote with a second teacher: `python benchmarks/palm.py DIR`.

DIR holds `cqa/` (the first 2,000 questions of CommonsenseQA's train split) and `svamp/` (its train
split) as google-research/distilling-step-by-step lays them out, each with the outputs
`train_CoT_*.json`, parts of one list; and `svamp/svamp_train_llama3.json`, the outputs of
Llama3-ChatQA-1.5-8B, which was shown solved problems of the same split.

A label of SVAMP is right if its calculation comes to what the gold one does. The authors take the
part in brackets for the whole, `(3 * 8)` of `(3 * 8) + 9`: so the figures are held against theirs.
"""

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from distillgen import equations, marked
from distillgen.errors import ParseError
from distillgen.marked import Marked
from distillgen.records import JSON
from distillgen.soft import Soft, of_votes, smoothed

ANOTHER = "an answer that no teacher gave"
BRACKETS = re.compile(r"\(.*\)")
SIGNED = re.compile(r"(-?)\s?\$?\s?(\d[\d,]*(?:\.\d+)?)")


def lines(path: Path) -> list[dict[str, JSON]]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def outputs(folder: Path) -> list[str]:
    """What PaLM wrote, in the order of the questions."""
    parts = sorted(folder.glob("train_CoT_*.json"))
    return [text for part in parts for text in json.loads(part.read_text("utf-8"))]


def read(texts: Iterable[str]) -> tuple[list[Marked | None], Counter[str]]:
    """What each text says; and why, where it says nothing."""
    found: list[Marked | None] = []
    faults = Counter[str]()
    for text in texts:
        try:
            found.append(marked.read(text))
        except ParseError as fault:
            faults[fault.kind] += 1
            found.append(None)
    return found, faults


def told(name: str, texts: Sequence[str]) -> list[Marked | None]:
    """Read them, and print how that went."""
    found, faults = read(texts)
    went_on = sum(marked.cut(text) != text.strip() for text in texts)
    words = [len(one.rationale.split()) for one in found if one]
    print(
        f"{name}   {len(texts):,} outputs: {went_on / len(texts):.1%} went on and were cut,"
        f" {faults.total()} unparsed {dict(faults) or ''}, {sum(words) / len(words):.1f} words a"
        " rationale"
    )
    return found


def calculated(text: str) -> Fraction | None:
    """What a calculation comes to."""
    found = equations.read(text)
    return found.result if found else None


def number(text: str) -> Fraction | None:
    """The number that an answer in words comes to: the first behind the last equals sign."""
    last = text.rpartition("=")[2]
    found = SIGNED.search(last)
    plain = Fraction((found[1] + found[2]).replace(",", "")) if found else None
    return value if (value := calculated(last)) is not None else plain


def share(right: Iterable[bool]) -> str:
    """Of how many it holds."""
    held = list(right)
    return f"{sum(held) / len(held):.4f} ({sum(held):,} of {len(held):,})"


def nll(given: Iterable[tuple[Soft, str]]) -> float:
    """Mean negative log-likelihood of the right labels, in nats."""
    found = [-math.log(soft.probabilities[gold]) for soft, gold in given]
    return math.fsum(found) / len(found)


def cqa(folder: Path) -> None:
    """Labels that are texts; one teacher."""
    rows = lines(folder / "cqa_train_first_2000.json")
    found = told("CommonsenseQA", outputs(folder))
    pairs = [(one.answer if one else "", row) for one, row in zip(found, rows, strict=True)]
    print(f"   label right {share(said == row['answer'] for said, row in pairs)};")
    cased = (said.casefold() == row["answer"].casefold() for said, row in pairs)
    print(f"   small and capital letters alike {share(cased)}")
    known = [(said, row["choices"], row["answer"]) for said, row in pairs if said in row["choices"]]
    for epsilon in (0.01, 0.1):
        loss = nll((smoothed(said, options, 1 - epsilon), gold) for said, options, gold in known)
        print(f"   NLL of one-hot labels with epsilon {epsilon}: {loss:.3f} ({len(known):,} items)")


def svamp(folder: Path) -> None:
    """Labels that are calculations; two teachers."""
    gold = [calculated(row["label"]) for row in lines(folder / "svamp_train.json")]
    found = told("SVAMP train", outputs(folder))
    whole = [calculated(one.answer) if one else None for one in found]
    parts = [BRACKETS.search(one.answer) if one else None for one in found]
    palm = [calculated(part[0]) if part else None for part in parts]
    print(f"   label right, of what is in brackets {share(map(same, palm, gold))};")
    print(f"   of the whole calculation {share(map(same, whole, gold))}")
    theirs = json.loads((folder / "svamp_train_llama3.json").read_text("utf-8"))
    second = told("SVAMP train, Llama3", [row["gen_label"] for row in theirs])
    llama = [number(one.answer) if one else None for one in second]
    print(f"   answer right {share(map(same, llama, gold))}")
    agree = list(map(same, palm, llama))
    print(f"   the two agree on {share(agree)};")
    both = (same(a, g) for a, g, alike in zip(palm, gold, agree, strict=True) if alike)
    print(f"   then they are right on {share(both)}")
    votes(palm, llama, gold)


def same(one: Fraction | None, other: Fraction | None) -> bool:
    """Whether both have an answer, and the same."""
    return one is not None and one == other


def votes(*answers: Sequence[Fraction | None]) -> None:
    """Print how well votes foretell the right answer, and PaLM's answer alone; gold stands last.

    The labels of a problem are what its teachers said, and any other answer.
    """
    items = []
    for *drawn, gold in zip(*answers, strict=True):
        if None not in drawn:
            said = [str(answer) for answer in drawn]
            labels = [*dict.fromkeys(said), ANOTHER]
            items.append((said, labels, str(gold) if str(gold) in said else ANOTHER))
    soft = nll((of_votes(said, labels), gold) for said, labels, gold in items)
    print(f"   NLL of the two teachers' votes {soft:.3f} ({len(items)} problems with two answers);")
    for epsilon in (0.01, 0.1, 0.25):
        loss = nll((smoothed(said[0], labels, 1 - epsilon), gold) for said, labels, gold in items)
        print(f"   of one-hot labels of PaLM with epsilon {epsilon}: {loss:.3f}")


if __name__ == "__main__":
    cqa(Path(sys.argv[1]) / "cqa")
    svamp(Path(sys.argv[1]) / "svamp")
