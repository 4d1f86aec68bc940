"""`export` at the command line: system prompts, order, stages, lengths, pairs, refusals."""

import json
import random
from itertools import pairwise

import pytest
from jobs import answered, balanced, lines, rows_in, seeds, teacher


def rows(folder, split="train"):
    return lines(folder / f"{split}.jsonl")


def systems(folder):
    """The system prompts of all training rows; None where a row has none."""
    return {
        row["messages"][0]["content"] if row["messages"][0]["role"] == "system" else None
        for row in rows(folder)
    }


@pytest.fixture
def sums(cli, tmp_path):
    """Forty answered sums in a file of its own; `export` works in `runs/sums`."""
    source = answered(tmp_path / "sums.jsonl", 40)
    return source, tmp_path / "runs/sums/export"


def test_the_rows_have_the_system_prompt_that_is_wanted(cli, sums, tmp_path):
    source, out = sums
    given = lines(source)
    given[0]["system"] = "You count sheep."
    rows_in(source, given)
    (tmp_path / "sums.toml").write_text('expert = "a patient teacher"\n')
    chat = ("export", source, "--format", "trl-messages", "--split", "train=1")
    cli(*chat)
    assert systems(out / "trl-messages") == {None}
    cli(*chat, "--system", "keep")
    kept = {"You count sheep.", "You are a patient teacher."}
    assert systems(out / "trl-messages") == kept
    cli(*chat, "--system", "Answer in one line.")
    assert systems(out / "trl-messages") == {"Answer in one line."}


def test_the_style_that_the_teacher_was_asked_for_is_kept_without_the_form_of_its_reply(
    cli, server, tmp_path
):
    job = [seeds(tmp_path), "-n", 6, *teacher(server), "--style", "direct", "-o", tmp_path / "r"]
    cli("run", *job)
    cli("export", tmp_path / "r", "--format", "trl-messages", "--system", "keep")
    (said,) = systems(tmp_path / "r/export/trl-messages")
    assert said.startswith("You are ")
    assert "Be as brief as you can" in said
    assert "JSON" not in said


def test_a_shuffle_is_the_same_for_the_same_seed_and_loses_nothing(cli, sums):
    source, out = sums
    found = []
    for options in ([], ["--shuffle"], ["--shuffle"]):
        cli("export", source, "--format", "jsonl", "--split", "train=1", *options)
        found.append(
            ((out / "jsonl/train.jsonl").read_bytes(), lines(out / "jsonl/train.meta.jsonl"))
        )
    (plain, meta), (first, first_meta), second = found
    assert (first, first_meta) == second
    assert first != plain
    assert sorted(first.splitlines()) == sorted(plain.splitlines())
    by_id = dict(zip((m["id"] for m in meta), plain.splitlines(), strict=True))
    assert [by_id[m["id"]] for m in first_meta] == first.splitlines()
    assert [m["row"] for m in first_meta] == list(range(1, 41))


def test_a_curriculum_goes_from_easy_to_hard_beside_the_shuffled_whole(cli, sums):
    source, out = sums
    given = lines(source)
    hard = {row["id"]: random.Random(row["id"]).random() for row in given}
    rows_in(source, [row | {"vote_share": 1 - hard[row["id"]]} for row in given])
    told = cli(
        "export", source, "--format", "jsonl", "--split", "train=1", "--curriculum", "difficulty",
        "--stages", 4,
    )  # fmt: skip
    parts = [
        [m["id"] for m in lines(out / f"jsonl/train.stage-{n}.meta.jsonl")] for n in (1, 2, 3, 4)
    ]
    assert [len(part) for part in parts] == [10] * 4
    assert sorted(id for part in parts for id in part) == sorted(hard)
    for easy, harder in pairwise(parts):
        assert max(hard[id] for id in easy) <= min(hard[id] for id in harder)
    control = [m["id"] for m in lines(out / "jsonl/train.meta.jsonl")]
    assert control not in (sorted(control), [id for part in parts for id in part])
    assert "say something else" in told.err


def test_a_record_that_is_too_long_is_left_out_whole(cli, sums):
    source, out = sums
    given = lines(source)
    given[3]["rationale"] = "word " * 300
    rows_in(source, given)
    told = cli("export", source, "--format", "trl-text", "--max-length", 200, "--json").told
    assert told["counts"]["rejected"] == 1
    assert told["exports"]["trl-text"]["left_out"] == {"too_long": 1}
    ran = cli("export", source, "--format", "trl-text", "--max-length", 200, "--long", "warn")
    assert "trl-text: 1 records are longer than 200 tokens" in ran.err
    assert sum("word " * 299 in row["text"] for s in ("train", "validation", "test")
               for row in rows(out / "trl-text", s)) == 1  # fmt: skip


def test_formats_of_pairs_and_of_answers_are_written_from_one_store(cli, sums, tmp_path):
    source, _ = sums
    run = tmp_path / "runs/sums"
    said = cli("export", source, "--format", "trl-dpo", code=2).err
    assert "no pairs yet; distillgen pairs" in said
    cli("pairs", source)
    told = cli("export", source, "--format", "trl-dpo", "--format", "trl-kto", "--format",
               "trl-messages", "--split", "train=1", "--json").told  # fmt: skip
    assert balanced(told)
    assert told["usage"]["requests"] == 0
    pairs = len(lines(run / "pairs.jsonl"))
    assert pairs == len(rows(run / "export/trl-dpo"))
    assert 2 * pairs == len(rows(run / "export/trl-kto"))
    assert len(rows(run / "export/trl-messages")) == 40
    assert {name: one["records"] for name, one in told["exports"].items()} == {
        "trl-dpo": {"train": pairs}, "trl-kto": {"train": pairs}, "trl-messages": {"train": 40},
    }  # fmt: skip


def test_a_pair_has_the_system_prompt_of_its_record(cli, sums):
    source, out = sums
    given = lines(source)
    for one in given:
        one["system"] = f"You add to {one['user_context']}."
    rows_in(source, given)
    cli("pairs", source)
    cli("export", source, "--format", "trl-dpo", "--split", "train=1", "--system", "keep")
    found = [[turn["content"] for turn in row["prompt"]] for row in rows(out / "trl-dpo")]
    assert found
    for system, asked in found:
        assert system == f"You add to {asked.partition(chr(10))[0]}."


def test_of_an_answer_and_a_label_the_task_decides_which_is_learned(cli, sums, tmp_path):
    source, out = sums
    rows_in(source, [row | {"label": "sums"} for row in lines(source)])
    job = ("export", source, "--split", "train=1", "--format", "jsonl", "--format")
    told = cli(*job, "classification")
    assert "jsonl: 40 records have an answer and a label; the answer is what" in told.err
    assert all(row["answer"] and "label" not in row for row in rows(out / "jsonl"))
    assert all(row["label"] == "sums" for row in rows(out / "classification"))
    (tmp_path / "sums.toml").write_text('labels = ["sums", "other"]\n')
    told = cli(*job, "trl-text")
    assert "jsonl: 40 records have an answer and a label; the label is what" in told.err
    assert all(row["label"] == "sums" and "answer" not in row for row in rows(out / "jsonl"))


@pytest.mark.parametrize("first", [0, 1])
def test_where_some_have_a_label_and_some_an_answer_all_rows_have_both_columns(cli, sums, first):
    source, out = sums
    given = lines(source)
    for row in given[first::2]:
        del row["answer"], row["candidates"]
        row["label"] = "even"
    rows_in(source, given)
    cli("export", source, "--split", "train=1", "--format", "jsonl", "--format", "trl-text")
    found = rows(out / "jsonl")
    assert {(*row,) for row in found} == {
        ("question", "user_context", "answer", "label", "rationale")
    }
    assert [bool(row["label"]) for row in found] == [n % 2 == first for n in range(40)]
    assert all(bool(row["label"]) != bool(row["answer"]) for row in found)


def test_a_table_is_told_what_export_reads(refused, tmp_path):
    (tmp_path / "x.csv").write_text("question,answer\nWhy?,So.\n")
    said = refused("export", tmp_path / "x.csv")
    assert "export reads JSON Lines" in said


def test_too_few_for_the_service_is_said_and_the_last_export_stays(cli, tmp_path):
    source = answered(tmp_path / "few.jsonl", 8)
    told = cli("export", source, "--format", "openai-chat", "--split", "train=1", code=2)
    assert "8 rows to train on; OpenAI takes 10 at least" in told.err
    assert not (tmp_path / "runs/few/export/openai-chat").exists()


def test_that_too_few_are_asked_for_is_said_before_anything_is_paid(refused, server, tmp_path):
    said = refused("run", seeds(tmp_path), "-n", 8, "--format", "openai-chat", *teacher(server))
    assert "openai-chat" in said
    assert "10" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--layout", "round"], "no such layout"),
        (["--format", "step-by-step", "--system", "keep"], "has no place for a system prompt"),
        (["--format", "trl-dpo", "--rationale", "sideways"], "--rationale"),
        (["--stages", "1"], "--stages"),
        (["--curriculum", "age"], "--curriculum"),
        (["--max-length", "0"], "--max-length"),
        (["--long", "cut"], "--long"),
        (["--push", "me/it"], "--push"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_meant_are_refused(cli, sums, options, said):
    source, out = sums
    ran = cli("export", source, *options, code=2)
    assert said in ran.err
    assert not out.exists()


def test_what_json_says_of_an_export(cli, sums):
    source, _ = sums
    told = json.loads(cli("export", source, "--format", "openai-chat", "--json").out)
    one = told["exports"]["openai-chat"]
    assert sum(one["records"].values()) == one["rows"] == told["counts"]["kept"] == 40
    assert one["left_out"] == {}
    assert one["warnings"] == ["openai-chat: 36 rows to train on; OpenAI advises 50"]


def test_another_file_of_the_same_name_does_not_get_into_the_run_of_the_first(cli, tmp_path):
    first = answered(tmp_path / "mine.jsonl", 12)
    (tmp_path / "other").mkdir()
    answered(tmp_path / "other/mine.jsonl", 14)
    cli("export", first)
    kept = (tmp_path / "runs/mine/splits.jsonl").read_bytes()
    for command in ("export", "check"):
        said = cli(command, "other/mine.jsonl", code=2).err
        assert "mine.jsonl, not from other/mine.jsonl" in said
        assert ("with -o" in said) == (command == "check")
    assert (tmp_path / "runs/mine/splits.jsonl").read_bytes() == kept
    (tmp_path / "other/mine.jsonl").write_bytes(first.read_bytes())
    cli("export", "other/mine.jsonl")
    cli("export", answered(tmp_path / "other/mine.jsonl", 14), "--overwrite")
