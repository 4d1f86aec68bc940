"""The formats of trainers and tables: their rules, and the files that go beside the rows."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyarrow import json as arrow
from pyarrow import types
from test_formats import (
    ANSWERS,
    GOLDEN,
    PAIRS,
    SEEN,
    SYSTEM,
    Options,
    cases,
    formats,
    rows_of,
)

from distillgen.card import About
from distillgen.errors import UserError
from distillgen.export import Options as Wanted
from distillgen.export import export, paths, settle
from distillgen.formats import LeftOut, Made
from distillgen.records import JSON, Answer

PLACES = {
    name: [
        Options(layout=layout, rationale=form)
        for layout in formats.load(name).layouts or ("",)
        for form in sorted(formats.load(name).rationales) or ("none",)
    ]
    for name in (
        "llamafactory", "axolotl", "mlx", "torchtune", "unsloth", "hf", "csv", "classification",
        "step-by-step", "soft-labels",
    )
}  # fmt: skip
"""Every layout and form of these formats."""


@pytest.mark.parametrize("name", PLACES)
def test_no_rule_is_broken_by_what_is_written(name: str) -> None:
    found = formats.load(name)
    for place in PLACES[name]:
        for told in (place, replace(place, system=SYSTEM if found.system else {})):
            rows = rows_of(name, ANSWERS, told)
            assert rows
            assert [found.broken(row, told) for row in rows] == [""] * len(rows)


def turn(**changes: JSON) -> JSON:
    return {"role": "assistant", "content": "No.", **changes}


ASKED = {"role": "user", "content": "Why?"}
CHAT = [
    ({"messages": [ASKED, turn(content=" \n")]}, "`content` is blank"),
    ({"messages": [ASKED, turn(), ASKED]}, "the last turn is the user's"),
    ({"messages": [ASKED, ASKED, turn()]}, "assistant is due"),
    ({"messages": [ASKED, {"role": "assistant"}]}, "`content` is blank"),
    ({"messages": [{"role": "system", "content": " "}, ASKED, turn()]}, "`content` is blank"),
    ({"messages": [ASKED, turn(reasoning_content="So.")]}, "a key `reasoning_content`"),
    ({"messages": [ASKED, turn()], "id": "1"}, "a column `id`"),
    ({"conversations": [ASKED, turn()]}, "no `messages`"),
]
COMPLETED = [
    ({"prompt": [ASKED], "completion": [turn(content="")]}, "`content` is blank"),
    ({"prompt": [ASKED, turn()], "completion": [turn()]}, "not the user's"),
    ({"prompt": [ASKED], "completion": []}, "no list of one turn"),
    ({"prompt": [ASKED], "completion": [ASKED]}, "is user, not assistant"),
    ({"prompt": "Why?", "completion": "No."}, "`prompt` is no list of turns"),
    ({"prompt": [ASKED], "completion": [turn()], "messages": []}, "a column `messages`"),
]
HUMAN, GPT = {"from": "human", "value": "Why?"}, {"from": "gpt", "value": "No."}
BAD = [
    *((name, "", row, said) for name in ("axolotl", "mlx", "torchtune") for row, said in CHAT),
    *((name, "", row, said) for name in ("unsloth", "hf") for row, said in COMPLETED),
    ("llamafactory", "sharegpt", {"conversations": [HUMAN, HUMAN]}, "assistant is due"),
    ("llamafactory", "sharegpt", {"conversations": [HUMAN]}, "not the assistant's"),
    ("llamafactory", "sharegpt", {"conversations": [HUMAN, {**GPT, "value": ""}]}, "is blank"),
    ("llamafactory", "sharegpt", {"conversations": [HUMAN, {**GPT, "from": "user"}]}, "`user`"),
    ("llamafactory", "sharegpt", {"conversations": [HUMAN, {**GPT, "id": 1}]}, "a key `id`"),
    ("llamafactory", "sharegpt", {"conversations": [HUMAN, GPT], "id": 1}, "a column `id`"),
    ("llamafactory", "sharegpt", {"messages": [HUMAN, GPT]}, "no `conversations`"),
    ("llamafactory", "sharegpt",
     {"conversations": [{**HUMAN, "value": "<image><image>Why?"}, GPT], "images": ["1.png"]},
     "2 times `<image>` in the user's text, and 1 images"),
    ("llamafactory", "alpaca", {"instruction": " ", "input": "", "output": "No."}, "is blank"),
    ("llamafactory", "alpaca", {"instruction": "Why?", "output": "No."}, "no `input`"),
    ("llamafactory", "dpo", {"conversations": [HUMAN, GPT], "chosen": GPT, "rejected": GPT},
     "not the user's"),
    ("llamafactory", "dpo", {"conversations": [HUMAN], "chosen": GPT, "rejected": HUMAN},
     "rejected: `role` is user"),
    ("llamafactory", "dpo", {"conversations": [HUMAN], "chosen": {**GPT, "value": " "},
                             "rejected": GPT}, "chosen: `content` is blank"),
    ("llamafactory", "kto", {"conversations": [HUMAN, GPT], "label": "true"}, "neither true"),
    ("llamafactory", "kto", {"conversations": [HUMAN, GPT]}, "no `label`"),
    ("classification", "", {"text": "Why?", "label": " "}, "`label` is blank"),
    ("classification", "", {"text": "Why?", "label": "a", "probs": []}, "a column `probs`"),
    ("soft-labels", "", {"text": "Why?", "label": "a", "probs": [0.5, 0.4], "weight_hard": 1},
     "no distribution"),
    ("soft-labels", "", {"text": "Why?", "label": "a", "probs": [1.5, -0.5], "weight_hard": 1},
     "no distribution"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "layout", "row", "said"), BAD)
def test_a_row_that_breaks_a_rule_is_refused_with_the_rule(
    name: str, layout: str, row: dict[str, JSON], said: str
) -> None:
    assert said in formats.load(name).broken(row, Options(layout=layout))


@pytest.mark.parametrize("name", ["axolotl", "mlx", "unsloth", "hf"])
def test_reasoning_is_known_in_the_form_that_has_it(name: str) -> None:
    found, told = formats.load(name), Options(rationale="field", layout="jsonl")
    (row,) = rows_of(name, ANSWERS[:1], told)
    assert found.broken(row, told) == ""
    assert "reasoning_content" in found.broken(row, replace(told, rationale="none"))


@pytest.mark.parametrize("layout", ["dpo", "kto"])
def test_a_pair_that_reads_the_same_or_has_images_is_left_out(layout: str) -> None:
    found, told = formats.load("llamafactory"), Options(layout=layout, rationale="none")
    same = PAIRS[0].rejected.model_copy(update={"answer": PAIRS[0].chosen.answer})
    for change, why in (({"rejected": same}, "same_answer"), ({"images": ("1.png",)}, "images")):
        with pytest.raises(LeftOut, match=f"^{why}$"):
            list(found.pairs(PAIRS[0].model_copy(update=change), told))


# -- step-by-step, as the authors read it ----------------------------------------------------

GOOGLE = Options(layout="google-research")


def parsed(llm: str) -> tuple[str, str]:
    """What the authors' e-SNLI parser makes of a text: it parts it at these marks."""
    label = llm.partition("Answer: ")[2].partition("Answer: ")[0].partition("Premise")[0]
    return llm.partition("Answer:")[0].rstrip(), label.rstrip()


def test_the_authors_parser_finds_rationale_and_label_again() -> None:
    for row, answer in zip(rows_of("step-by-step", ANSWERS[:2], GOOGLE), ANSWERS, strict=False):
        assert parsed(row["llm"]) == (answer.rationale, formats.target(answer)) == (
            answer.rationale, row["label"],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rationale": "Answer: it is, as he works."}, "the rationale holds `Answer:`"),
        ({"label": "Premise first"}, "the label holds `Premise`"),
        ({"label": "Answer: no"}, "the label holds `Answer:`"),
    ],
)
def test_what_the_authors_parser_would_cut_is_refused(change: dict[str, JSON], said: str) -> None:
    found, answer = formats.load("step-by-step"), ANSWERS[1].model_copy(update=change)
    (row,) = rows_of("step-by-step", [answer], GOOGLE)
    assert parsed(row["llm"]) != (answer.rationale, row["label"])
    assert said in found.broken(row, GOOGLE)
    for layout in ("rows", "flat"):
        told = Options(layout=layout)
        assert not any(found.broken(row, told) for row in rows_of("step-by-step", [answer], told))


def closed(n: int) -> Iterator[Answer]:
    for i in range(n):
        yield Answer(
            question=f"{i} runs", user_context=f"A man of {i}", rationale=f"He of {i} runs.",
            label=("entailment", "neutral")[i % 2], id=f"{i}", teacher="t", request="r",
        )  # fmt: skip


THIRDS = {0: "train", 1: "validation", 2: "test"}


def exported(out: Path, answers: list[Answer], **wanted: Any) -> Any:
    """An export of answers whose ids tell their split."""
    split_of = lambda id: THIRDS[int(id) % 3]  # noqa: E731
    (done,) = export(answers, [], True, Wanted(**wanted), out, split_of, About())
    return done


def test_the_authors_find_their_files(tmp_path: Path) -> None:
    wanted = {"formats": ("step-by-step",), "layout": "google-research"}
    done = exported(tmp_path, list(closed(30)), **wanted)
    known = set(paths(tmp_path, settle(Wanted(**wanted), closed=True)))
    assert set(done.files) == known
    home = tmp_path / "step-by-step/datasets/esnli"
    for split, count in (("train", 100), ("valid", 2), ("test", 2)):
        rows = [
            json.loads(line) for line in (home / f"esnli_{split}.json").read_text().splitlines()
        ]
        said = [
            text
            for n in range(count)
            for text in json.loads((home / f"llm/{split}_CoT_{n}.json").read_text())
        ]
        assert len(rows) == len(said) == 10
        for row, text in zip(rows, said, strict=True):
            assert text == f"He of {row['hypothesis'].split()[0]} runs. Answer: {row['label']}"
            assert "llm" not in row


def test_the_authors_need_all_three_splits(tmp_path: Path) -> None:
    some = [answer for answer in closed(30) if int(answer.id) % 3 != 1]
    with pytest.raises(UserError, match="no record in validation"):
        exported(tmp_path, some, formats=("step-by-step",), layout="google-research")
    assert not (tmp_path / "step-by-step").exists()


# -- what goes beside ------------------------------------------------------------------------


def beside(name: str, told: Options, *splits: str) -> dict[str, JSON]:
    found = formats.load(name)
    files = {split: found.file(split, told) for split in splits}
    return dict(found.beside(Made(told, "advice", files, {})))


@pytest.mark.parametrize("told", PLACES["llamafactory"], ids=str)
@pytest.mark.parametrize("more", [{}, {"system": SYSTEM}, {"own_system": True}])
def test_dataset_info_names_the_columns_that_are_in_every_row(
    told: Options, more: dict[str, Any]
) -> None:
    """LLaMA-Factory indexes each column that is named, and knows of no other."""
    told = replace(told, **more)
    info = beside("llamafactory", told, "train", "test")["dataset_info.json"]
    assert {split: one["file_name"] for split, one in info.items()} == {
        "train": "train.jsonl", "test": "test.jsonl",
    }  # fmt: skip
    for row in rows_of("llamafactory", ANSWERS, told):
        assert set(info["train"]["columns"].values()) == row.keys()


def test_dataset_info_names_images_where_rows_have_them() -> None:
    for layout in ("sharegpt", "alpaca"):
        told = Options(layout=layout, images=True)
        columns = beside("llamafactory", told, "train")["dataset_info.json"]["train"]["columns"]
        for row in rows_of("llamafactory", [*ANSWERS, SEEN], told):
            assert set(columns.values()) == row.keys()
    for layout in ("dpo", "kto"):  # pairs with images are left out
        files = beside("llamafactory", Options(layout=layout, images=True), "train")
        assert "images" not in files["dataset_info.json"]["train"]["columns"]
        assert "media_dir" not in str(files["train.yaml"])


@pytest.mark.parametrize(
    ("layout", "stage", "formatting", "ranking"),
    [
        ("sharegpt", "sft", "sharegpt", None),
        ("alpaca", "sft", "alpaca", None),
        ("dpo", "dpo", "sharegpt", True),
        ("kto", "kto", "sharegpt", None),
    ],
)
def test_llamafactory_is_told_the_stage_of_the_layout(
    layout: str, stage: str, formatting: str, ranking: bool | None
) -> None:
    files = beside("llamafactory", Options(layout=layout), "train", "validation")
    args = yaml.safe_load(files["train.yaml"])
    assert (args["stage"], args["dataset"], args["eval_dataset"]) == (stage, "train", "validation")
    about = files["dataset_info.json"]["train"]
    assert (about["formatting"], about.get("ranking")) == (formatting, ranking)
    alone = yaml.safe_load(beside("llamafactory", Options(layout=layout), "train")["train.yaml"])
    assert not {"eval_dataset", "eval_strategy"} & alone.keys()


def test_the_config_of_axolotl_names_the_files_that_there_are() -> None:
    config = yaml.safe_load(beside("axolotl", Options(), "train", "validation")["config.yml"])
    assert [one["path"] for one in config["datasets"]] == ["train.jsonl"]
    assert [one["path"] for one in config["test_datasets"]] == ["validation.jsonl"]
    assert {one["field_messages"] for one in config["datasets"]} == {"messages"}
    alone = yaml.safe_load(beside("axolotl", Options(), "train")["config.yml"])
    assert "test_datasets" not in alone
    assert "reasoning_content" in beside("axolotl", Options(rationale="field"))["config.yml"]


def test_mlx_finds_its_names() -> None:
    file = formats.load("mlx").file
    assert [file(s, Options()) for s in ("train", "validation", "test")] == [
        "train.jsonl", "valid.jsonl", "test.jsonl",
    ]  # fmt: skip


# -- tables ----------------------------------------------------------------------------------


def test_a_table_has_the_same_columns_where_labels_and_answers_mix() -> None:
    for form in ("field", "none", "after", "first", "think"):
        rows = rows_of("csv", ANSWERS, Options(rationale=form))
        assert len({tuple(row) for row in rows}) == 1
        assert ("label" in rows[0]) == (form in ("field", "none"))
    rows = rows_of("csv", ANSWERS, Options(rationale="field"))
    said = [(row["answer"], row["label"]) for row in rows]
    assert said == [(a.answer if not a.label else "", a.label or "") for a in ANSWERS]


def test_a_classifier_has_only_what_has_a_label() -> None:
    found = formats.load("classification")
    with pytest.raises(LeftOut, match=r"^no_label$"):
        list(found.rows(ANSWERS[0], Options()))
    assert [row["label"] for row in rows_of("classification", ANSWERS, Options())] == [
        "contradiction"
    ]


def untyped(kind: Any) -> bool:
    """Whether a type of Arrow says nothing of its values, in whatever depth."""
    if types.is_struct(kind):
        return any(untyped(field.type) for field in kind)
    return untyped(kind.value_type) if types.is_list(kind) else types.is_null(kind)


MIXED = ("openai-chat", "fireworks")
SHOWN = [file for file, name, told in cases() if name not in MIXED or not told.images]
"""OpenAI's contents are texts or lists, and Arrow has no type for both."""


@pytest.mark.parametrize("file", SHOWN)
def test_every_column_has_a_type(file: str) -> None:
    """One without would clash with the same column of another file."""
    for field in arrow.read_json(GOLDEN / file).schema:
        assert not untyped(field.type), field


def test_a_file_of_empty_texts_alone_still_has_types(tmp_path: Path) -> None:
    """Where JSON says nothing of a list that is empty throughout, Parquet does."""
    wanted = {"formats": ("hf",), "layout": "parquet", "images": True, "rationale": "field"}
    exported(tmp_path, list(closed(9)), **wanted)
    from pyarrow import parquet

    for path in (tmp_path / "hf/data").glob("*.parquet"):
        table = parquet.read_table(path)
        assert not any(untyped(field.type) for field in table.schema)
        assert table.column("images").to_pylist() == [[]] * 3


@pytest.mark.parametrize("images", [False, True])
@pytest.mark.parametrize("form", sorted(formats.load("hf").rationales))
def test_parquet_holds_the_rows_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, images: bool
) -> None:
    from pyarrow import parquet

    monkeypatch.chdir(tmp_path)
    for path in map(Path, SEEN.images):
        path.parent.mkdir(exist_ok=True)
        path.touch()

    told = Options(rationale=form, layout="parquet", images=images, system=SYSTEM)
    answers = [a.model_copy(update={"id": f"{3 * n}"}) for n, a in enumerate(ANSWERS)]
    if images:
        answers.append(SEEN.model_copy(update={"id": "99"}))
    exported(
        tmp_path, answers, formats=("hf",), layout="parquet", rationale=form, images=images,
        system=SYSTEM,
    )  # fmt: skip
    rows = parquet.read_table(tmp_path / "hf/data/train.parquet").to_pylist()
    wanted = rows_of("hf", answers, told)
    for row in wanted:  # a column of Parquet has its keys in every turn
        for said in row["prompt"]:
            assert said.keys() == {"role", "content"}
    assert rows == wanted


def test_no_format_of_trainers_names_a_place_of_this_machine() -> None:
    for name in PLACES:
        for snippet in formats.load(name).snippets.values():
            assert not re.search(r"/(home|tmp|root|opt)\b", snippet)
