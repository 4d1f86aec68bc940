"""The lines of our READMEs bring the two tasks of distilling step-by-step, and soft labels."""

import math

import pytest
import torch
from meant import SETS, question
from students import EOS
from trainers import asked, read, sft, two_steps

PREFIXES = {"only": ("[label] ", "[rationale] "), "google": ("predict: ", "explain: ")}


@pytest.mark.parametrize("variant", PREFIXES)
@pytest.mark.parametrize("set", SETS)
def test_both_tasks_of_every_record_are_trained(set, variant, student, copied, tmp_path):
    given = copied(set, "step-by-step", variant)
    names = {}
    exec(given.snippet(), names)
    trainer = sft(student, tmp_path, names["sft"]["train"].to_list())
    meant = []
    records = given.meant("train")
    assert records[::2] == records[1::2]
    for one in records[::2]:
        for prefix, said in zip(PREFIXES[variant], (one.answer, one.rationale), strict=True):
            alone = one._replace(question=prefix + question(one), context="")
            meant.append((asked(alone), f"{said.strip()}{EOS}\n"))
    assert list(read(trainer)) == meant
    assert two_steps(trainer)


def test_the_weights_of_a_pair_make_one_loss(copied):
    rows = copied("open", "step-by-step", "only").rows("train")
    for label, rationale in zip(rows[::2], rows[1::2], strict=True):
        assert label["pair_id"] == rationale["pair_id"]
        assert label["weight"] + rationale["weight"] == 1


@pytest.mark.parametrize("set", SETS)
def test_the_flat_layout_has_the_columns_that_the_authors_read(set, copied):
    given = copied(set, "step-by-step", "flat")
    names = {}
    lines = given.snippet().partition("# Layout `rows`")[0]
    exec(lines, names)
    assert names["data"]["train"].to_list() == [
        {"input": question(one), "label": one.answer.strip(), "rationale": one.rationale.strip()}
        for one in given.meant("train")
    ]


def test_the_loss_on_soft_labels_is_the_hard_one_where_the_student_is_as_sure_as_the_teacher(
    copied,
):
    given = copied("labels", "soft-labels", "only")
    names = {}
    exec(given.snippet(), names)
    batch = names["data"]["train"][:]
    assert batch["label"] == [one.answer for one in given.meant("train")]
    logits = torch.tensor(batch["probs"]).log()
    # 0.7 is every record's, and half of the loss the hard label's.
    assert names["loss"](logits, batch).item() == pytest.approx(-0.5 * math.log(0.7), rel=1e-4)


def test_soft_labels_pull_a_student_to_the_teachers_doubts(copied):
    names = {}
    exec(copied("labels", "soft-labels", "only").snippet(), names)
    batch = names["data"]["train"][:]
    logits = torch.zeros(len(batch["label"]), 3, requires_grad=True)
    steps = torch.optim.SGD([logits], lr=len(batch["label"]))
    for _ in range(300):
        steps.zero_grad()
        loss = names["loss"](logits, batch | {"weight_hard": [0.0] * len(batch["label"])})
        loss.backward()
        steps.step()
    assert torch.allclose(logits.softmax(-1), torch.tensor(batch["probs"]), atol=0.01)
