"""Exports: which files, which split, what is left out, and that all of it adds up."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from distillgen import formats
from distillgen.errors import UserError
from distillgen.export import SPLITS, Options, export, paths, settle, shares, split_of
from distillgen.files import sha256_of
from distillgen.records import JSON, Answer


def answers(n: int, start: int = 0) -> Iterator[Answer]:
    """Open answers; every fourth has no rationale."""
    for i in range(start, start + n):
        yield Answer(
            question=f"What is {i} + {i}?",
            user_context="I learn to count",
            rationale=f"{i} and as much again." if i % 4 else "",
            answer=str(i + i),
            id=f"id-{i}",
            strategy="few_shot",
            parents=("seed-1",),
            teacher="openai:large",
            request=f"key-{i}",
        )


def doubtful(n: int) -> Iterator[Answer]:
    """Closed answers with soft labels in the proportion 36 : 9 : 1; at T = 2 it is 6 : 3 : 1."""
    for answer in answers(n):
        yield answer.model_copy(
            update={
                "label": "small",
                "rationale": "It is.",
                "soft_label": {"small": 36 / 46, "large": 9 / 46, "neither": 1 / 46},
                "soft_method": "logprobs",
            }
        )


def lines(path: Path) -> list[dict[str, JSON]]:
    return [json.loads(line) for line in path.read_bytes().decode().split("\n")[:-1]]


def content(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_every_answer_is_in_one_split_or_left_out_with_its_reason(tmp_path: Path) -> None:
    wanted = Options(formats=("step-by-step", "trl-messages"))
    pairs, chat = export(answers(400), False, wanted, tmp_path)
    assert pairs.left_out == {"no_rationale": 100}
    assert sum(pairs.records.values()) == 300
    assert pairs.rows == 600
    assert (sum(chat.records.values()), chat.left_out, chat.rows) == (400, {}, 400)
    for done in (pairs, chat):
        rows = {s: len(lines(tmp_path / done.format / f"{s}.jsonl")) for s in SPLITS}
        assert rows == {s: n * (2 if done is pairs else 1) for s, n in done.records.items()}


def test_the_sidecar_says_where_each_row_comes_from(tmp_path: Path) -> None:
    export(answers(40), False, Options(formats=("step-by-step",)), tmp_path)
    folder = tmp_path / "step-by-step"
    rows, meta = lines(folder / "train.jsonl"), lines(folder / "train.meta.jsonl")
    assert [m["row"] for m in meta] == list(range(1, len(rows) + 1))
    assert [m["id"] for m in meta] == [row["pair_id"] for row in rows]
    assert [m["id"] for m in meta[::2]] == [m["id"] for m in meta[1::2]]
    assert meta[0] == {
        "row": 1,
        "id": rows[0]["pair_id"],
        "teacher": "openai:large",
        "strategy": "few_shot",
        "parents": ["seed-1"],
        "request": rows[0]["pair_id"].replace("id", "key"),
    }


def test_an_answer_without_words_teaches_nothing_and_is_left_out(tmp_path: Path) -> None:
    blank = [
        Answer(question="Why?", answer=" \n", id="1", teacher="t", request="r"),
        Answer(question=" ", answer="Yes.", id="2", teacher="t", request="r"),
    ]
    (done,) = export(blank, False, Options(), tmp_path)
    assert done.left_out == {"no_answer": 1, "no_question": 1}
    assert [path.name for path in done.files] == ["README.md"]


def test_a_split_stays_when_other_answers_come_and_go(tmp_path: Path) -> None:
    def place(out: Path) -> dict[str, str]:
        files = [(s, out / f"trl-messages/{s}.meta.jsonl") for s in SPLITS]
        return {m["id"]: split for split, file in files for m in lines(file)}

    wanted = Options(formats=("trl-messages",))
    export(answers(200), False, wanted, tmp_path / "few")
    export(answers(300, start=100), False, wanted, tmp_path / "other")
    few, other = place(tmp_path / "few"), place(tmp_path / "other")
    assert len(few.keys() & other.keys()) == 100
    assert all(few[id] == other[id] for id in few.keys() & other.keys())


def test_equal_prompts_are_never_in_two_splits(tmp_path: Path) -> None:
    twice = [a.model_copy(update={"id": f"{a.id}-{k}"}) for a in answers(400) for k in (1, 2)]
    export(twice, False, Options(formats=("jsonl",)), tmp_path)
    met = [{r["question"] for r in lines(tmp_path / f"jsonl/{s}.jsonl")} for s in SPLITS]
    assert sum(len(one) for one in met) == len(set.union(*met)) == 400


def test_the_shares_are_met_and_another_seed_splits_otherwise() -> None:
    share = shares("train=0.8, validation=0.15, test=0.05")
    first = [split_of(f"prompt {i}", share, 0) for i in range(20_000)]
    assert first.count("train") / 20_000 == pytest.approx(0.8, abs=0.01)
    assert first.count("test") / 20_000 == pytest.approx(0.05, abs=0.01)
    assert first[:100] != [split_of(f"prompt {i}", share, 1) for i in range(100)]


def test_an_empty_split_has_no_file_and_takes_its_old_one_away(tmp_path: Path) -> None:
    export(answers(200), False, Options(), tmp_path)
    folder = tmp_path / "trl-prompt-completion"
    assert (folder / "test.meta.jsonl").exists()
    (done,) = export(answers(200), False, Options(shares=shares("train=1")), tmp_path)
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md",
        "train.jsonl",
        "train.meta.jsonl",
    ]
    assert sorted(done.files) == sorted(folder.iterdir())
    assert done.records == {"train": 200}
    assert 'files = {"train": "train.jsonl"}\n' in (folder / "README.md").read_text()


def test_an_export_that_breaks_off_changes_no_file(tmp_path: Path) -> None:
    export(answers(50), False, Options(), tmp_path)
    before = content(tmp_path)

    def torn() -> Iterator[Answer]:
        yield from answers(10)
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        export(torn(), False, Options(), tmp_path)
    assert content(tmp_path) == before


def test_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    wanted = Options(formats=tuple(formats.names()))
    export(answers(60), False, wanted, tmp_path / "a")
    export(answers(60), False, wanted, tmp_path / "b")
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_the_files_it_may_write_are_known_beforehand(tmp_path: Path) -> None:
    wanted = tuple(formats.names())
    for done in export(doubtful(200), True, Options(formats=wanted), tmp_path):
        assert set(done.files) == set(paths(tmp_path, [done.format]))
    beside = [tmp_path / "soft-labels/labels.json"]
    assert len(paths(tmp_path, wanted)) == 7 * len(wanted) + len(beside)
    assert set(beside) <= set(paths(tmp_path, wanted))


def test_soft_labels_have_one_order_and_say_what_they_are(tmp_path: Path) -> None:
    """The third answer has no soft label, the fourth one of another task, the fifth its labels
    turned round."""
    given = list(doubtful(100))
    given[2] = given[2].model_copy(update={"soft_label": {}, "soft_method": None})
    given[3] = given[3].model_copy(update={"soft_label": {"even": 0.5, "odd": 0.5}})
    turned = dict(reversed(given[4].soft_label.items()))
    given[4] = given[4].model_copy(update={"soft_label": turned, "soft_method": "votes"})
    options = Options(formats=("soft-labels",), soft_temperature=2, hard_weight=0.25)
    (done,) = export(given, True, options, tmp_path)
    assert done.left_out == {"no_soft_label": 1, "other_labels": 1}
    folder = tmp_path / "soft-labels"
    assert json.loads((folder / "labels.json").read_bytes()) == {
        "labels": ["small", "large", "neither"],
        "temperature": 2,
        "hard_weight": 0.25,
        "methods": {"logprobs": 97, "votes": 1},
    }
    rows = [row for split in done.records for row in lines(folder / f"{split}.jsonl")]
    assert len(rows) == 98
    for row in rows:
        assert row["probs"] == pytest.approx([0.6, 0.3, 0.1], abs=1e-6)
        assert row["weight_hard"] == 0.25


def test_without_soft_labels_there_is_no_list_of_labels(tmp_path: Path) -> None:
    options = Options(formats=("soft-labels",))
    export(doubtful(20), True, options, tmp_path)
    assert (tmp_path / "soft-labels/labels.json").exists()
    (done,) = export(answers(20), False, options, tmp_path)
    assert done.left_out == {"no_soft_label": 20}
    assert [path.name for path in done.files] == ["README.md"]
    assert not (tmp_path / "soft-labels/labels.json").exists()


def test_a_format_named_twice_is_written_once(tmp_path: Path) -> None:
    wanted = Options(formats=("jsonl", "trl-messages", "jsonl"))
    done = export(answers(5), False, wanted, tmp_path)
    assert [one.format for one in done] == ["jsonl", "trl-messages"]


def test_the_stamps_are_those_of_the_files(tmp_path: Path) -> None:
    (done,) = export(answers(50), False, Options(), tmp_path)
    for path, stamp in done.files.items():
        assert stamp.sha256 == sha256_of(path)


@pytest.mark.parametrize(
    ("name", "closed", "form"),
    [
        ("trl-prompt-completion", False, "after"),
        ("trl-messages", True, "none"),
        ("openai-chat", True, "none"),
        ("jsonl", False, "field"),
        ("jsonl", True, "field"),
        ("step-by-step", False, None),
    ],
)
def test_each_format_has_its_default_form(
    name: str, closed: bool, form: str | None, tmp_path: Path
) -> None:
    (done,) = export(answers(4), closed, Options(formats=(name,)), tmp_path)
    assert done.rationale == form


def test_a_form_that_a_format_cannot_hold_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UserError, match=r"openai-chat .* takes after, first, none, think") as field:
        settle(Options(formats=("trl-messages", "openai-chat"), rationale="field"), closed=False)
    with pytest.raises(UserError, match="never joined to the answer") as joined:
        settle(Options(formats=("step-by-step",), rationale="first"), closed=True)
    with pytest.raises(UserError, match="does not go with soft-labels"):
        settle(Options(formats=("soft-labels",), rationale="first"), closed=True)
    assert field.value.code == joined.value.code == 2


@pytest.mark.parametrize(
    "text",
    ["", "train", "train=0.5", "train=0.9,valid=0.1", "train=x", "train=nan", "train=0.5,train=1",
     "train=1.5,test=-0.5", "train=0.6,test=0.6"],
)  # fmt: skip
def test_a_split_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--split"):
        shares(text)


def test_the_readme_counts_loads_and_warns(tmp_path: Path) -> None:
    export(answers(200), False, Options(formats=("step-by-step",)), tmp_path)
    readme = (tmp_path / "step-by-step/README.md").read_text()
    assert f"| train | {(n := len(lines(tmp_path / 'step-by-step/train.jsonl'))) // 2} | {n} |" in (
        readme
    )
    assert "| left out: no_rationale | 50 |" in readme
    assert formats.load("step-by-step").snippet in readme
    assert "200 answers of `openai:large` to questions made by `few_shot`" in readme
    assert "not advice" in readme
    assert str(tmp_path) not in readme


def test_the_lines_in_the_readme_load_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of `jsonl`, which need no trainer; a line separator in a text must not cut a row."""
    torn = [a.model_copy(update={"answer": "one\u2028two\x85three"}) for a in answers(50)]
    export(torn, False, Options(formats=("jsonl",)), tmp_path)
    readme = (tmp_path / "jsonl/README.md").read_text()
    names: dict[str, JSON] = {}
    monkeypatch.chdir(tmp_path / "jsonl")
    exec(readme.split("```python\n")[1].split("```")[0], names)
    assert names["rows"] == lines(tmp_path / "jsonl/train.jsonl")
    assert set(names["files"]) == {s for s in SPLITS if (tmp_path / f"jsonl/{s}.jsonl").exists()}


def test_memory_does_not_grow_with_the_answers(tmp_path: Path) -> None:
    def peak(n: int) -> int:
        tracemalloc.start()
        export(answers(n), False, Options(formats=("jsonl", "trl-messages")), tmp_path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(5_000) < peak(500) + 200_000
