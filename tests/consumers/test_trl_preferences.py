"""TRL learns from our pairs what is better and what is worse, of every row, whole."""

import pytest
from datasets import Dataset
from meant import FORMS, SETS, export, trained, untrained
from students import EOS, asked
from trainers import FEW, read_completions, readme, trained_two_steps
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

TRAINERS = {"trl-dpo": (DPOTrainer, DPOConfig), "trl-kto": (KTOTrainer, KTOConfig)}


def trainer_of(format, student, tmp_path, rows):
    """As in the README, for two short steps."""
    trainer, config = TRAINERS[format]
    args = config(output_dir=tmp_path / "student", max_length=None, **FEW)
    return trainer(
        model=str(student), train_dataset=Dataset.from_list(rows), args=args,
    )  # fmt: skip


def sides(one, form):
    """The prompt with the better answer, and with the worse."""
    texts = (trained(one, form), untrained(one, form))
    return [(asked(one, form), f"{text}{EOS}\n") for text in texts]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("set", SETS)
def test_dpo_compares_the_right_answer_with_the_wrong_one(set, form, student, tmp_path):
    given = export(set, "trl-dpo", form)
    trainer = trainer_of("trl-dpo", student, tmp_path, given.rows("train"))
    meant = [sides(one, form) for one in given.meant("train")]
    assert list(read_completions(trainer)) == meant


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("set", SETS)
def test_kto_learns_which_answers_are_right(set, form, student, tmp_path):
    given = export(set, "trl-kto", form)
    trainer = trainer_of("trl-kto", student, tmp_path, given.rows("train"))
    meant = [side for one in given.meant("train")[::2] for side in sides(one, form)]
    assert [side for (side,) in read_completions(trainer)] == meant
    assert list(trainer.train_dataset["label"]) == [True, False] * (len(meant) // 2)


@pytest.mark.parametrize("format", TRAINERS)
def test_the_lines_of_the_readme_train_every_pair(format, student, copied):
    given = copied("open", format, "field")
    trainer = readme(given, student)["trainer"]
    assert len(trainer.train_dataset) == len(given.meant("train"))
    assert len(trainer.eval_dataset) == len(given.meant("validation"))
    assert trained_two_steps(trainer)


@pytest.mark.parametrize(("format", "column"), [("trl-dpo", "rejected"), ("trl-kto", "label")])
def test_rows_without_a_verdict_are_refused(format, column, student, tmp_path):
    rows = export("open", format, "after").rows("train")
    for row in rows:
        del row[column]
    with pytest.raises((KeyError, ValueError), match=column):
        trainer_of(format, student, tmp_path, rows)
