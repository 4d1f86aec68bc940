"""TRL trains what is meant of every row, whole, and the lines of our READMEs run."""

import pytest
from datasets import Dataset
from jinja2.exceptions import TemplateError
from meant import FORMS, SETS, SPLITS, TEXT_FORMS, answer, export, opening, question, told, trained
from students import EOS, asked
from trainers import FEW, read, readme, sft, trained_two_steps
from trl import SFTConfig, SFTTrainer


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("set", SETS)
def test_of_prompt_and_completion_the_completion_is_learned(set, form, student, tmp_path):
    given = export(set, "trl-prompt-completion", form)
    trainer = sft(student, tmp_path, given.rows("train"))
    meant = [(asked(one, form), f"{trained(one, form)}{EOS}\n") for one in given.meant("train")]
    assert list(read(trainer)) == meant


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("set", SETS)
def test_of_messages_what_the_assistant_says_is_learned(set, form, student, tmp_path):
    given = export(set, "trl-messages", form)
    trainer = sft(student, tmp_path, given.rows("train"), assistant_only_loss=True)
    assert list(read(trainer)) == [
        (f"{asked(one, form)}\n", f"{trained(one, form)}{EOS}") for one in given.meant("train")
    ]


@pytest.mark.parametrize("form", TEXT_FORMS)
@pytest.mark.parametrize("set", SETS)
def test_of_a_text_all_is_learned(set, form, student, tmp_path):
    given = export(set, "trl-text", form)
    trainer = sft(student, tmp_path, given.rows("train"))
    assert list(read(trainer)) == [
        ("", "\n\n".join([*told(form), question(one), answer(one, form)]) + EOS)
        for one in given.meant("train")
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("set", SETS)
def test_what_unsloth_trains_through_trl_is_as_its_own_format(set, form):
    """Unsloth itself wants a GPU."""
    given, same = (export(set, format, form) for format in ("unsloth", "trl-prompt-completion"))
    assert [given.rows(split) for split in SPLITS] == [same.rows(split) for split in SPLITS]


@pytest.mark.parametrize(
    ("format", "variant"),
    [
        ("trl-prompt-completion", "field"), ("trl-messages", "field"), ("trl-text", "think"),
    ],
)  # fmt: skip
def test_the_lines_of_the_readme_train_every_row(format, variant, student, copied):
    given = copied("open", format, variant)
    trainer = readme(given, student)["trainer"]
    assert len(trainer.train_dataset) == len(given.meant("train"))
    assert len(trainer.eval_dataset) == len(given.meant("validation"))
    for (_, learned), one in zip(read(trainer), given.meant("train"), strict=True):
        assert trained(one, "think") in learned
    assert trained_two_steps(trainer)


@pytest.mark.parametrize("variant", ["only", "system"])
def test_a_student_answers_every_prompt_itself(variant, student, copied):
    given = copied("open", "trl-prompts", variant)
    meant = [{"prompt": opening(one, variant)} for one in given.meant("train")]
    assert given.rows("train") == meant
    trainer = readme(given, student, max_completion_length="8")["trainer"]
    assert len(trainer.train_dataset) == len(meant)
    assert trained_two_steps(trainer)


def test_a_role_that_the_student_does_not_know_is_refused(student, tmp_path):
    rows = export("open", "trl-messages", "after").rows("train")
    rows[3]["messages"][0]["role"] = "expert"
    with pytest.raises(TemplateError, match="Unknown role: expert"):
        sft(student, tmp_path, rows, assistant_only_loss=True)


def test_questions_without_answers_are_refused(student, tmp_path):
    rows = [
        {"messages": row["messages"][:1]}
        for row in export("open", "trl-messages", "after").rows("train")
    ]
    with pytest.raises(RuntimeError, match="assistant"):
        sft(student, tmp_path, rows, assistant_only_loss=True)


def test_columns_that_it_does_not_know_are_refused(student, tmp_path):
    with pytest.raises(KeyError, match="text"):
        sft(student, tmp_path, export("open", "jsonl", "after").rows("train"))


def test_without_a_word_about_the_length_the_end_of_a_long_row_is_not_learned(student, tmp_path):
    """Why the READMEs set `max_length`: the first rows lose an end, the last is left out."""
    rows = export("open", "trl-prompt-completion", "first").rows("train")
    trainer = sft(student, tmp_path, rows)
    whole = list(read(trainer))
    args = SFTConfig(output_dir=tmp_path / "cut", **FEW)
    cut = SFTTrainer(model=str(student), train_dataset=Dataset.from_list(rows), args=args)
    assert any(
        len(short) < len(long) for (_, short), (_, long) in zip(read(cut), whole, strict=True)
    )
