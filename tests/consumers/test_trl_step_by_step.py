"""Both tasks of distilling step-by-step are trained, and labels with the teacher's doubts."""

import json
import math
from types import SimpleNamespace

import pytest
import torch
from datasets import load_dataset
from meant import LABELS, SETS, answer, question
from students import EOS, asked
from trainers import read, readme, sft, trained_two_steps

PREFIXES = {"only": ("[label] ", "[rationale] "), "google": ("predict: ", "explain: ")}
LISTS = {"train": 100, "valid": 2, "test": 2}
"""Files of raw texts that the e-SNLI loader of google-research/distilling-step-by-step opens."""


@pytest.mark.parametrize("variant", PREFIXES)
@pytest.mark.parametrize("set", SETS)
def test_both_tasks_of_every_record_are_trained(set, variant, student, copied, tmp_path):
    given = copied(set, "step-by-step", variant)
    names = {}
    exec(given.snippet(), names)
    trainer = sft(student, tmp_path, names["data"]["train"].to_list())
    meant = []
    records = given.meant("train")
    assert records[::2] == records[1::2]
    for one in records[::2]:
        for prefix, said in zip(PREFIXES[variant], (one.answer, one.rationale), strict=True):
            alone = one._replace(question=prefix + question(one), context="")
            meant.append((asked(alone, "none"), f"{said.strip()}{EOS}\n"))
    assert list(read(trainer)) == meant
    if variant == "only":
        trainer.train()
        assert trained_two_steps(trainer)


def test_the_weights_of_a_pair_make_one_loss(copied):
    rows = copied("open", "step-by-step", "only").rows("train")
    for label, rationale in zip(rows[::2], rows[1::2], strict=True):
        assert label["pair_id"] == rationale["pair_id"]
        assert label["weight"] + rationale["weight"] == 1


@pytest.mark.parametrize("set", SETS)
def test_the_flat_layout_has_the_columns_that_the_authors_read(set, copied):
    given = copied(set, "step-by-step", "flat")
    names = {}
    exec(given.snippet(), names)
    assert names["data"]["train"].to_list() == [
        {"input": question(one), "label": one.answer.strip(), "rationale": one.rationale.strip()}
        for one in given.meant("train")
    ]


@pytest.mark.parametrize("set", SETS)
def test_the_authors_loader_reads_back_what_the_teacher_said(set, copied):
    """By the rules of its data_utils.py: three files, lists of texts beside them, two cuts."""
    given = copied(set, "step-by-step", "google-research")
    home = given.path / "datasets/esnli"
    files = {split: str(home / f"esnli_{split}.json") for split in LISTS}
    data = load_dataset("json", data_files=files)
    data = data.remove_columns([f"explanation_{n}" for n in (1, 2, 3)])
    for split, n in LISTS.items():
        texts = [
            text
            for i in range(n)
            for text in json.loads((home / f"llm/{split}_CoT_{i}.json").read_bytes())
        ]
        meant = given.meant("validation" if split == "valid" else split)
        assert len(texts) == len(data[split]) == len(meant)
        for text, row, one in zip(texts, data[split], meant, strict=True):
            assert row == {
                "premise": one.context.strip(),
                "hypothesis": one.question.strip(),
                "label": answer(one, "none"),
            }
            assert text.split("Answer:")[0].rstrip() == one.rationale.strip()
            assert text.split("Answer: ")[1].split("Premise")[0].rstrip() == row["label"]


@pytest.mark.parametrize("format", ["classification", "soft-labels"])
def test_the_lines_of_the_readme_train_a_classifier_on_every_row(format, student, copied):
    given = copied("labels", format, "only")
    trainer = readme(given, student)["trainer"]
    words, model = trainer.processing_class, trainer.model
    read = [
        (words.decode(row["input_ids"]), model.config.id2label[row["labels"]])
        for row in trainer.train_dataset
    ]
    assert read == [(question(one), one.answer) for one in given.meant("train")]
    assert trained_two_steps(trainer)


def test_the_soft_loss_is_none_where_a_student_doubts_as_the_teacher(student, copied):
    given = copied("labels", "soft-labels", "only")
    names = readme(given, student)
    rows = names["trainer"].train_dataset
    assert sorted(names["labels"]) == sorted(LABELS)
    inputs = {name: torch.tensor(rows[name]) for name in ("labels", "probs", "weight_hard")}
    logits = inputs["probs"].log()

    def as_the_teacher(**_):
        return SimpleNamespace(logits=logits)

    # Of each record's label the teacher is sure by 0.7; half of the loss is the hard label's.
    loss = names["trainer"].compute_loss(as_the_teacher, inputs)
    assert loss.item() == pytest.approx(-0.5 * math.log(0.7), rel=1e-4)


def test_soft_labels_pull_a_student_to_the_teachers_doubts(student, copied):
    trainer = readme(copied("labels", "soft-labels", "only"), student)["trainer"]
    rows = trainer.train_dataset
    probs, labels = torch.tensor(rows["probs"]), torch.tensor(rows["labels"])
    logits = torch.zeros_like(probs, requires_grad=True)
    steps = torch.optim.SGD([logits], lr=len(labels))
    for _ in range(300):
        soft = {"labels": labels, "probs": probs, "weight_hard": torch.zeros(len(labels))}
        steps.zero_grad()
        trainer.compute_loss(lambda **_: SimpleNamespace(logits=logits), soft).backward()
        steps.step()
    assert torch.allclose(logits.softmax(-1), probs, atol=0.01)
