"""Measure a review of 100,000 records: to open them, the next one, a search, and the memory.

Seconds of the clock and of the CPU, each in a process of its own, without the page. The limits are
a second for the first record, 50 ms for the next, and 200 MB. Half of the second run is decided:
50,000 decisions in the file. With a number as its argument it takes as many records.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
RECORDS = 100_000
WORDS = [
    "fund", "gold", "bond", "cash", "save", "loan", "risk", "tax", "rent", "plan", "share",
    "market", "house", "money", "year", "rate", "buy", "sell", "keep", "wait",
]  # fmt: skip


def main() -> None:
    if len(sys.argv) > 2:
        measure(Path(sys.argv[2]))
        return
    n = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        write(run, n)
        size = (run / "answers.jsonl").stat().st_size / 1e6
        print(f"{n:,} records, {size:,.0f} MB\n{'':<34}{'clock':>10}{'CPU':>10}")
        for decided in (0, n // 2):
            decide(run, decided)
            print(f"{decided:,} decided")
            subprocess.run([sys.executable, __file__, "-", str(run)], check=True)


def write(run: Path, n: int) -> None:
    """Answers with two candidates each, their checks and scores."""
    dice = random.Random(0)

    def words(k: int) -> str:
        return " ".join(dice.choices(WORDS, k=k))

    (run / "manifest.json").write_text("{}")
    with (
        (run / "answers.jsonl").open("w") as answers, (run / "checks.jsonl").open("w") as checks,
        (run / "scores.jsonl").open("w") as scores,
    ):  # fmt: skip
        for i in range(n):
            id, request, question = f"{i:016x}", f"{i:064x}", words(12)
            drawn = [{"teacher": "openai:t", "sample": k, "rationale": words(30),
                      "answer": words(10), "request": request} for k in range(2)]  # fmt: skip
            row = {
                "question": question, "user_context": words(30), "rationale": words(60),
                "answer": words(25), "rationale_source": "requested",
                "agreement": round(dice.random(), 3), "candidates": drawn, "id": id,
                "strategy": "topics", "topic": ["finance", f"topic {i % 40}"],
                "teacher": "openai:t", "request": request,
            }  # fmt: skip
            passed = {"grounded": {"passed": dice.random() > 0.1}, "refused": {"passed": True}}
            score = {"correct": dice.randint(1, 5), "clear": dice.randint(3, 5)}
            put(answers, row)
            put(checks, {"question": question, "checks": passed, "line": i + 1, "id": id})
            put(scores, {"question": question, "analysis": words(40), "scores": score, "id": id,
                         "judge": "openai:j", "line": i + 1, "of": "0" * 16,
                         "request": request})  # fmt: skip


def put(file: object, row: dict[str, object]) -> None:
    print(json.dumps(row, separators=(",", ":")), file=file)  # type: ignore[call-overload]


def decide(run: Path, n: int) -> None:
    """The first `n` in the order of work, an edit among three."""
    from distillgen.review.desk import Desk

    desk = Desk(run)
    with (run / "reviews.jsonl").open("w") as out:
        places = desk.order.places[:n]
        for i, (place, of) in enumerate(zip(places, desk.pile.of(places), strict=True)):
            row = {"id": desk.pile.ids[place], "reviewer": "Anna", "decision": "accept",
                   "version": f"{of}.0"}  # fmt: skip
            if i % 3 == 0:
                texts = {"answer": " ".join(WORDS * 2)}
                row |= {"decision": "edit", "fields": texts, "was": texts}
            put(out, row)


def timed(name: str, work: Callable[[], T]) -> T:
    clock, cpu = time.perf_counter(), time.process_time()
    found = work()
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    print(f"  {name:<32}{clock * 1000:>7,.1f} ms{cpu * 1000:>7,.1f} ms")
    return found


def measure(run: Path) -> None:
    from distillgen.review import texts
    from distillgen.review.desk import Desk, Filter

    desk = timed("open", lambda: Desk(run))
    shown = timed("the first record", lambda: desk.next("Anna"))
    assert shown
    timed("the next", lambda: desk.next("Anna", after=shown.place))
    version = desk.version(shown.place)
    made = texts.decision(shown.record, "accept", reviewer="Anna", version=version)
    timed("a decision, on the disk", lambda: desk.decide(made, shown.place))
    for wanted in (Filter(failed="any"), Filter(topic="topic 7"), Filter(text="gold fund bond")):
        name = next(f"{k} {v!r}" for k, v in vars(wanted).items() if v)
        timed(f"a filter: {name}"[:32], lambda one=wanted: desk.next("Anna", one))
        timed("  the next of it", lambda one=wanted: desk.next("Anna", one, shown.place))
    timed("what it tells so far", desk.summary)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"  memory at its peak {peak / (1 << 20 if sys.platform == 'darwin' else 1 << 10):,.0f} MB"
    )


if __name__ == "__main__":
    main()
