"""Exports: which files, which split, what is left out, and that all of it adds up."""

import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from distillgen import export as exporting
from distillgen import formats
from distillgen.card import About
from distillgen.delivery import Exported, Wanted, tokens
from distillgen.errors import UserError
from distillgen.export import Options, paths, settle
from distillgen.files import sha256_of
from distillgen.formats import LeftOut, Limits
from distillgen.records import JSON, Answer, Candidate, Preference, Side
from distillgen.splits import SPLITS, Split


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
            candidates=(
                Candidate(answer=f"{i + i}1", rationale="I guess.", teacher="t", request="r"),
            ),
        )


def pairs(answers: Iterable[Answer]) -> Iterator[Preference]:
    """A wrong answer beside each."""
    for n, answer in enumerate(answers, 1):
        yield Preference(
            question=answer.question,
            user_context=answer.user_context,
            chosen=Side(answer=formats.target(answer), rationale=answer.rationale, id=answer.id),
            rejected=Side(
                answer=answer.candidates[0].answer if answer.candidates else "Nothing.",
                rationale="I guess.",
                id=answer.id,
            ),
            reason="right_wrong",
            line=n,
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


def tenth(id: str) -> Split:
    """Of ten records one is for validation, and one for the test."""
    return {"8": "validation", "9": "test"}.get(id[-1], "train")  # type: ignore[return-value]


def export(
    answers: Iterable[Answer],
    closed: bool,
    options: Options,
    out: Path,
    pairs: Iterable[Preference] = (),
    split_of: Callable[[str], Split | LeftOut] = tenth,
) -> list[Exported]:
    return exporting.export(answers, pairs, closed, options, out, split_of, About("counting"))


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
        Answer(question="Why?", answer=" \n", id="a", teacher="t", request="r"),
        Answer(question=" ", answer="Yes.", id="b", teacher="t", request="r"),
    ]
    (done,) = export([*blank, *answers(1)], False, Options(), tmp_path)
    assert done.left_out == {"no_answer": 1, "no_question": 1}
    assert done.records == {"train": 1}


@pytest.mark.parametrize(
    ("name", "wanted", "why"),
    [
        ("soft-labels", Wanted(), "40 no_soft_label"),
        ("classification", Wanted(), "40 no_label"),
        ("trl-dpo", Wanted(), ""),
        ("trl-text", Wanted(max_length=1), "40 too_long"),
    ],
)
def test_a_format_that_no_record_is_left_for_stops_the_whole_export(
    name: str, wanted: Wanted, why: str, tmp_path: Path
) -> None:
    export(answers(40), False, Options(formats=("jsonl", "trl-text")), tmp_path)
    before = content(tmp_path)
    options = Options(formats=("jsonl", name) if why != "40 too_long" else (name,), wanted=wanted)
    with pytest.raises(UserError) as caught:
        export(answers(40), False, options, tmp_path)
    left_out = f". Left out: {why}" if why else ""
    said = f"{name}: no record for it; nothing was written, of no format{left_out}. Mend that"
    assert str(caught.value).startswith(said)
    assert caught.value.code == 2
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    "name",
    ["axolotl", "llamafactory", "mlx", "together", "openai-dpo", "gemini"],
)
def test_who_trains_on_the_folder_gets_none_without_records_to_train_on(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=rf"--split: {name} needs records in train; give it a"):
        settle(Options(formats=("jsonl", name), shares={"test": 1.0}), closed=False)
    long = [a.model_copy(update={"answer": "x" * 400}) if tenth(a.id) == "train" else a
            for a in answers(20)]  # fmt: skip
    options = Options(formats=("jsonl", name), wanted=Wanted(max_length=60))
    with pytest.raises(UserError, match=rf"{name}: no record in train; .*Left out: 16 too_long"):
        export(long, False, options, tmp_path, pairs(long))
    assert not list(tmp_path.iterdir())


def test_an_empty_split_has_no_file_and_takes_its_old_one_away(tmp_path: Path) -> None:
    export(answers(200), False, Options(), tmp_path)
    folder = tmp_path / "trl-prompt-completion"
    assert (folder / "test.meta.jsonl").exists()
    (done,) = export(answers(200), False, Options(), tmp_path, split_of=lambda id: "train")
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
    for out in (tmp_path / "a", tmp_path / "b"):
        export(doubtful(60), True, wanted, out, pairs(doubtful(60)))
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_the_files_it_may_write_are_known_beforehand(tmp_path: Path) -> None:
    wanted = Options(formats=tuple(formats.names()), wanted=Wanted(stages=2))
    known = paths(tmp_path, settle(wanted, closed=True), 2)
    assert len(known) == len(set(known))
    given = list(doubtful(200))
    train = [answer for answer in given if tenth(answer.id) == "train"]
    for done in exporting.export(
        given, pairs(given), True, wanted, tmp_path, tenth, About("x"), lambda: train
    ):
        lists = {path for path in done.files if path.parent.name == "llm"}
        assert set(done.files) - lists <= set(known)


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


def test_a_soft_label_that_is_no_distribution_stops_the_export(tmp_path: Path) -> None:
    given = [
        answer.model_copy(update={"soft_label": {"small": small, "large": large}})
        for answer, small, large in zip(
            doubtful(4), (-0.2, 0.0, 0.7, 0.66), (1.2, 0.0, 0.7, 0.33), strict=True
        )
    ]
    with pytest.raises(UserError) as caught:
        export(given, True, Options(formats=("soft-labels", "jsonl")), tmp_path)
    assert str(caught.value).splitlines()[:-1] == [
        "soft-labels: record id-0: `soft_label`: the probability of `small` is -0.2",
        "soft-labels: record id-1: `soft_label`: the probabilities make 0, not 1",
        "soft-labels: record id-2: `soft_label`: the probabilities make 1.4, not 1",
    ]
    assert caught.value.code == 2
    assert not list(tmp_path.iterdir())
    export(given[3:], True, Options(formats=("soft-labels",)), tmp_path)
    (row,) = lines(tmp_path / "soft-labels/train.jsonl")
    assert row["probs"] == pytest.approx([2 / 3, 1 / 3], abs=1e-6)


@pytest.mark.parametrize(
    "name", [n for n in formats.names() if not formats.load(n).images and formats.load(n).rows]
)
def test_of_a_set_with_images_a_format_without_them_takes_the_other_records(
    name: str, tmp_path: Path
) -> None:
    given = [a.model_copy(update={"images": ("a.png",)} if n == 3 else {})
             for n, a in enumerate(doubtful(20))]  # fmt: skip
    (done,) = export(given, True, Options(formats=(name,), images=True), tmp_path)
    assert done.left_out == {"images": 1}
    assert "images" not in lines(next(path for path in done.files if "train" in path.name))[0]


def test_an_image_that_is_not_there_stops_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"a picture")
    shown = {
        "id-1": ("a.png",),
        "id-2": ("a.png", "gone.png"),
        "id-3": ("https://x.example/b.png",),
    }
    given = [a.model_copy(update={"images": shown.get(a.id, ())}) for a in answers(5)]
    options = Options(formats=("hf", "jsonl"), images=True)
    with pytest.raises(
        UserError, match=r"^hf: record id-2: image gone.png: no such file"
    ) as caught:
        export(given, False, options, tmp_path / "out")
    assert "1 records break its rules" in str(caught.value)
    assert not list((tmp_path / "out").iterdir())
    del given[2]
    _, done = export(given, False, options, tmp_path / "out")
    assert sum(done.records.values()) == 4


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
    (done,) = export(answers(20), closed, Options(formats=(name,)), tmp_path)
    assert done.rationale == form


def test_a_form_that_a_format_cannot_hold_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UserError, match=r"openai-chat .* takes after, first, none, think") as field:
        settle(Options(formats=("trl-messages", "openai-chat"), rationale="field"), closed=False)
    with pytest.raises(UserError, match="never joined to the answer") as joined:
        settle(Options(formats=("step-by-step",), rationale="first"), closed=True)
    with pytest.raises(UserError, match="does not go with soft-labels"):
        settle(Options(formats=("soft-labels",), rationale="first"), closed=True)
    assert field.value.code == joined.value.code == 2


def test_the_readme_counts_loads_and_warns(tmp_path: Path) -> None:
    export(answers(200), False, Options(formats=("step-by-step",)), tmp_path)
    readme = (tmp_path / "step-by-step/README.md").read_text()
    assert f"| train | {(n := len(lines(tmp_path / 'step-by-step/train.jsonl'))) // 2} | {n} |" in (
        readme
    )
    assert "| left out: no rationale | 50 |" in readme
    assert formats.load("step-by-step").snippets[""] in readme
    assert "| `openai:large` | 150 |" in readme
    assert "| `few_shot`: written from examples | 150 |" in readme
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


# -- rules and limits ------------------------------------------------------------------------


def test_a_row_that_breaks_a_rule_stops_the_export_and_nothing_is_written(tmp_path: Path) -> None:
    wanted = Options(formats=("jsonl", "openai-chat"))
    export(answers(40), False, wanted, tmp_path)
    before = content(tmp_path)

    def bad(row: dict[str, JSON], options: object) -> str:
        return "it is about 6 + 6" if "6 + 6" in str(row) else ""

    found = replace(formats.load("openai-chat"), broken=bad)
    with pytest.MonkeyPatch.context() as patch:
        load = formats.load
        patch.setattr(formats, "load", lambda n: found if n == "openai-chat" else load(n))
        with pytest.raises(UserError) as caught:
            export(answers(80), False, wanted, tmp_path)
    said = str(caught.value).splitlines()
    assert said[0] == "openai-chat: record id-6: it is about 6 + 6"
    assert "2 records break its rules; nothing was written" in said[-1]
    assert caught.value.code == 2
    assert content(tmp_path) == before


@pytest.mark.parametrize("form", ["first", "after", "think", "field", "none"])
def test_thoughts_that_an_answer_begins_with_are_its_rationale_and_never_a_second_one(
    form: formats.Rationale, tmp_path: Path
) -> None:
    """As other tools write them; inside a text the tags are words like others."""
    one = next(answers(1, 4)).model_copy(
        update={"rationale": "", "answer": "<think>\nHalf of 16.\n</think>\n\nIt is 8."}
    )
    plain = one.model_copy(update={"rationale": "Half of 16.", "answer": "It is 8."})
    options = Options(formats=("trl-messages",), rationale=form)
    export([one], False, options, tmp_path / "a")
    export([plain], False, options, tmp_path / "b")
    found = content(tmp_path / "a")["trl-messages/train.jsonl"]
    assert found == content(tmp_path / "b")["trl-messages/train.jsonl"]
    double = one.model_copy(update={"rationale": "I guess."})
    with pytest.raises(UserError, match="record id-4: the answer begins with a `<think>` block"):
        export([double], False, options, tmp_path / "c")


def test_of_many_broken_rows_ten_are_named_and_all_counted(tmp_path: Path) -> None:
    found = replace(formats.load("openai-chat"), broken=lambda row, options: "it is bad")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "load", lambda name: found)
        with pytest.raises(UserError) as caught:
            export(answers(25), False, Options(formats=("openai-chat",)), tmp_path)
    said = str(caught.value).splitlines()
    assert len([line for line in said if line.endswith("it is bad")]) == 10
    assert said[10] == "… and 15 more"
    assert "25 records break" in said[11]
    assert list(tmp_path.iterdir()) == []


def test_too_few_rows_to_train_on_stop_and_few_for_validation_do_not(tmp_path: Path) -> None:
    wanted = Options(formats=("openai-chat",))
    with pytest.raises(UserError, match="9 rows to train on; OpenAI takes 10 at least"):
        export(answers(9), False, wanted, tmp_path, split_of=lambda id: "train")
    assert list(tmp_path.iterdir()) == []
    (done,) = export(answers(12), False, wanted, tmp_path)
    assert done.records == {"train": 10, "validation": 1, "test": 1}
    assert done.warnings == ("openai-chat: 10 rows to train on; OpenAI advises 50",)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(most=10, who="Us"), "train has 16 rows; Us takes 10 at most"),
        (Limits(bytes=1000), "train has 0 MB; the consumer takes 0 at most"),
    ],
)
def test_what_the_consumer_takes_at_most_stops_the_export(
    limits: Limits, said: str, tmp_path: Path
) -> None:
    found = replace(formats.load("openai-chat"), limits={"": limits})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "load", lambda name: found)
        with pytest.raises(UserError, match=said):
            export(answers(20), False, Options(formats=("openai-chat",)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_too_long_is_left_out_or_named_and_never_cut(tmp_path: Path) -> None:
    long = [a.model_copy(update={"answer": "x" * 400 if n < 3 else a.answer})
            for n, a in enumerate(answers(20))]  # fmt: skip
    drop = Options(formats=("trl-messages",), wanted=Wanted(max_length=100))
    (done,) = export(long, False, drop, tmp_path / "drop")
    assert done.left_out == {"too_long": 3}
    assert done.warnings == ()
    warn = Options(formats=("trl-messages",), wanted=Wanted(max_length=100, long="warn"))
    (done,) = export(long, False, warn, tmp_path / "warn")
    assert done.left_out == {}
    assert done.warnings == (
        "trl-messages: 3 records are longer than 100 tokens; a trainer that cuts there loses their"
        " ends",
    )
    rows = lines(tmp_path / "warn/trl-messages/train.jsonl")
    assert sum("x" * 400 in str(row) for row in rows) == 3


def test_tokens_are_four_characters_of_english_and_one_of_chinese() -> None:
    assert tokens({"a": "Buy gold", "b": [True, None, 3, {"c": "eight ch"}]}) == 4
    assert tokens("买黄金") == 3
    assert tokens("") == 0


# -- pairs, stages, layouts ------------------------------------------------------------------


def test_formats_of_pairs_and_of_answers_come_from_one_store(tmp_path: Path) -> None:
    given = list(answers(40))
    wanted = Options(formats=("trl-messages", "trl-dpo"))
    chat, dpo = export(given, False, wanted, tmp_path, pairs(given[:20]))
    assert sum(chat.records.values()) == 40
    assert sum(dpo.records.values()) == 20
    row, meta = (lines(tmp_path / f"trl-dpo/train{end}.jsonl")[0] for end in ("", ".meta"))
    assert row["prompt"][0]["content"].endswith("What is 0 + 0?")
    assert row["chosen"] != row["rejected"]
    assert meta["id"] == meta["rejected_id"] == "id-0"
    assert meta["reason"] == "right_wrong"


def test_a_pair_whose_answers_are_no_longer_in_the_file_is_left_out(tmp_path: Path) -> None:
    """Ten records are gone, one of the others has another answer, and one other candidates."""
    given = list(answers(20))
    now = given[:10]
    now[0] = now[0].model_copy(update={"answer": "Nought."})
    now[1] = now[1].model_copy(update={"candidates": ()})
    (done,) = export(now, False, Options(formats=("trl-dpo",)), tmp_path, pairs(given))
    assert done.left_out == {"outdated": 12}
    assert sum(done.records.values()) == 8


def test_a_record_without_a_split_is_left_out_with_its_reason(tmp_path: Path) -> None:
    def split_of(id: str) -> Split | LeftOut:
        return LeftOut("bridges_splits") if id == "id-3" else tenth(id)

    given = list(answers(20))
    wanted = Options(formats=("jsonl", "trl-dpo"))
    both = export(given, False, wanted, tmp_path, pairs(given), split_of)
    assert [done.left_out for done in both] == [{"bridges_splits": 1}] * 2


def test_the_stages_hold_what_the_shuffled_whole_holds(tmp_path: Path) -> None:
    given = list(answers(40))
    options = Options(formats=("trl-messages",), wanted=Wanted(stages=3))
    train = [answer for answer in given if tenth(answer.id) == "train"]
    (done,) = exporting.export(
        given, (), False, options, tmp_path, tenth, About("x"), lambda: train
    )  # fmt: skip
    folder = tmp_path / "trl-messages"
    parts = [lines(folder / f"train.stage-{n}.jsonl") for n in (1, 2, 3)]
    whole = lines(folder / "train.jsonl")
    assert sorted(map(str, whole)) == sorted(str(row) for part in parts for row in part)
    assert {len(part) for part in parts} <= {10, 11}
    ids = [m["id"] for m in lines(folder / "train.stage-3.meta.jsonl")]
    assert len(ids) == len(parts[2])
    assert sum(done.records.values()) == 40


def test_the_stages_are_of_what_the_format_takes_and_none_is_empty(tmp_path: Path) -> None:
    """The easiest third has no rationale, so that `step-by-step` takes none of it."""
    given = [a.model_copy(update={"rationale": "word " * n if n >= 12 else "", "answer": "Yes."})
             for n, a in enumerate(answers(36))]  # fmt: skip

    def staged(n: int, out: Path) -> None:
        options = Options(formats=("step-by-step",), wanted=Wanted(stages=n))
        exporting.export(
            given, (), False, options, out, lambda id: "train", About("x"), lambda: given
        )

    staged(3, tmp_path)
    folder = tmp_path / "step-by-step"
    assert [len(lines(folder / f"train.stage-{n}.jsonl")) for n in (1, 2, 3)] == [16, 16, 16]
    assert "`train.stage-1` to `train.stage-3`" in (folder / "README.md").read_text()
    with pytest.raises(UserError, match="--stages 25: step-by-step has 24 records to train on"):
        staged(25, tmp_path / "many")


def test_another_layout_takes_the_files_of_the_last_one_away(tmp_path: Path) -> None:
    export(answers(60), False, Options(formats=("hf",), layout="parquet"), tmp_path)
    assert (tmp_path / "hf/data/train.parquet").exists()
    (tmp_path / "hf/notes.txt").write_text("mine")
    (done,) = export(answers(60), False, Options(formats=("hf",), layout="jsonl"), tmp_path)
    there = {path for path in (tmp_path / "hf").rglob("*") if path.is_file()}
    assert there == {*done.files, tmp_path / "hf/notes.txt"}


def test_a_layout_goes_to_each_format_that_knows_it(tmp_path: Path) -> None:
    settled = settle(Options(formats=("step-by-step", "jsonl"), layout="flat"), closed=True)
    assert [told.layout for _, told in settled] == ["flat", ""]
    with pytest.raises(UserError, match=r"--layout round: no such layout; step-by-step: rows"):
        settle(Options(formats=("step-by-step", "jsonl"), layout="round"), closed=True)
    with pytest.raises(UserError, match=r"no such layout; jsonl has none"):
        settle(Options(formats=("jsonl",), layout="flat"), closed=True)


def test_a_format_without_a_place_for_a_system_prompt_refuses_one() -> None:
    with pytest.raises(UserError, match="step-by-step has no place for a system prompt"):
        settle(Options(formats=("step-by-step",), system={"": "Be kind."}), closed=True)
