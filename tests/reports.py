"""Run folders with everything that a report can show, made without any teacher."""

import json
from pathlib import Path
from typing import Any

from jobs import rows_in

from distillgen.records import digest

Row = dict[str, Any]
REQUEST = "ab" * 32
LABELS = ("yes", "no", "perhaps")
STEADY = {"version": "0.1.0", "started": "2026-01-01T00:00:00+00:00",
          "finished": "2026-01-01T00:01:30+00:00", "ended": "done"}  # fmt: skip


def full(run: Path, n: int = 40, text: str = "", closed: bool = False) -> Path:
    """A run of `n` answers with verdicts, scores, duplicates, failures; `text` stands in every
    field that a model, or whoever brought the data, writes."""
    run.mkdir(parents=True)
    answers = [_answer(i, text, closed) for i in range(n)]
    rows_in(run / "answers.jsonl", answers)
    rows_in(run / "inputs.jsonl", [_input(one) for one in answers])
    rows_in(run / "seeds.jsonl", [
        {"question": f"Should I buy gold at {i}? {text}", "user_context": f"I am {40 + i} {text}"}
        for i in range(3)
    ])  # fmt: skip
    rows_in(run / "checks.jsonl", [_checked(i, one, text) for i, one in enumerate(answers)])
    rows_in(run / "scores.jsonl", [_score(i, one, text) for i, one in enumerate(answers)])
    rows_in(run / "rejected.jsonl", [
        {"stage": "expand", "reason": "near_duplicate", "question": f"Buy gold? {text}",
         "user_context": text or "I am 40", "repeats": f"Buy some gold? {text}", "similarity": 0.8,
         "place": 1, "request": REQUEST}
    ])  # fmt: skip
    rows_in(run / "failures.jsonl", [
        {"stage": "answer", "kind": "timeout", "detail": f"no reply {text}", "id": "x",
         "request": REQUEST}
    ])  # fmt: skip
    rows_in(run / "contaminated.jsonl", [
        {"question": "q", "line": 1, "id": "1", "matches": [
            {"against": f"test.jsonl {text}", "tier": "exact", "score": 1, "question": "q",
             "line": 1}]}
    ])  # fmt: skip
    rows_in(run / "reviews.jsonl", [{"id": "0", "decision": "accept"}])
    (run / "manifest.json").write_text(json.dumps({"commands": _commands(run, n, text)}))
    return run


def _answer(i: int, text: str, closed: bool) -> Row:
    row: Row = {
        "question": f"What is {i} and {i + 7}? {text}",
        "user_context": f"I am {20 + i} years old. {text}",
        "rationale": f"Counting gives {2 * i + 7}. {text}",
        "rationale_source": "requested", "id": str(i), "strategy": "few_shot",
        "teacher": f"openai:teacher-1{text}", "request": REQUEST,
        "flags": ["refined", *([text] * bool(text))],
    }  # fmt: skip
    if not closed:
        return row | {"answer": f"It is {2 * i + 7 + (i % 4 == 0)}. {text}", "gold": str(2 * i + 7)}
    label = LABELS[i % 3] + text
    sure = 0.4 + 0.5 * (i % 7) / 7
    others = [one + text for one in LABELS if one + text != label]
    return row | {
        "label": label, "gold": LABELS[i % 2] + text, "soft_method": "votes",
        "soft_label": {label: sure, **dict.fromkeys(others, (1 - sure) / 2)},
    }  # fmt: skip


def _input(answer: Row) -> Row:
    return {
        name: answer[name] for name in ("question", "user_context", "id", "strategy", "request")
    }


def _checked(i: int, answer: Row, text: str) -> Row:
    checks = {
        "context_used": {"passed": i % 3 > 0, "value": [f"{20 + i} {text}"] * (i % 3)},
        "refused": {"passed": i % 9 > 0, "value": text or None},
    }
    return {"question": "q", "checks": checks, "line": i + 1, "id": answer["id"]}


def _score(i: int, answer: Row, text: str) -> Row:
    texts = [answer["user_context"].strip(), answer["question"].strip(), answer["rationale"],
             (answer.get("label") or answer["answer"]).strip()]  # fmt: skip
    texts[:2] = answer["user_context"], answer["question"]
    return {
        "question": "q", "analysis": f"It is fine. {text}", "line": i + 1, "id": answer["id"],
        "scores": {f"correct{text[:9]}": 1 + i % 5, "safe": 1 + (i // 5) % 5},
        "judge": f"openai:judge-1{text}", "of": digest(texts)[:16], "request": REQUEST,
    }  # fmt: skip


def _commands(run: Path, n: int, text: str) -> Row:
    def entry(source: str, **more: Any) -> Row:
        return STEADY | {"source": source + text, "options": {"teacher": f"openai:t{text}"}} | more

    sums = {"given": n, "kept": n}
    return {
        "expand": entry("seeds/gold.jsonl", prompts={f"expand.j2{text}": "0" * 64}, counts={
            "asked": n + 4, "extra": 0, "kept": n + 1, "duplicate": 1, "failed": 2,
        }),
        "answer": entry(f"{run}/inputs.jsonl", counts={"given": n + 1, "kept": n, "failed": 1}),
        "check": entry(f"{run}/answers.jsonl", counts={"given": n, "passed": n - 3, "failed": 3},
                       options={"checks": ["context_used", "refused"]}),
        "judge": entry(f"{run}/answers.jsonl", counts=sums),
        "decontaminate": entry(f"{run}/answers.jsonl",
                               counts={"given": n, "kept": n - 1, "flagged": 1}),
        "export": entry(f"{run}/answers.jsonl", counts=sums | {"train": n, "rejected": 0}),
    }  # fmt: skip
