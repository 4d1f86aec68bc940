"""`topics` and `attributes`: files that the teacher drafts and people edit."""

import json

import pytest
from jobs import balanced, lines, seeds, sent_again, teacher

from distillgen.strategies import attributes, topics

FILES = {"topics": 26, "attributes": 1}
"""The requests that a strong teacher is asked."""


@pytest.mark.parametrize("name", FILES)
def test_a_draft_is_the_same_at_any_concurrency_and_asked_once(cli, server, tmp_path, name):
    server.set(latency_s=0.002, spread=0.6, useless_share=0.05)
    job = [name, seeds(tmp_path), *teacher(server), "--json", "-o"]
    for concurrency in (1, 32):
        told = cli(*job, f"at-{concurrency}", "--concurrency", concurrency).told
        assert balanced(told)
        assert told["counts"]["open"] == told["counts"]["failed"] == 0
        assert told["counts"]["given"] <= FILES[name]
    files = [tmp_path / f"at-{n}" / f"{name}.toml" for n in (1, 32)]
    assert files[0].read_bytes() == files[1].read_bytes()
    with server.counting() as asked:
        cli(*job, "at-1")
    assert asked == []


def test_a_draft_is_read_by_its_strategy_and_expand_goes_on_from_it(cli, server, tmp_path):
    source = seeds(tmp_path)
    run = tmp_path / "runs/stock_advisor"
    for name, strategy in (("topics", topics), ("attributes", attributes)):
        ran = cli(name, source, *teacher(server))
        assert f"expand {source} --strategy {name}" in ran.err
        assert strategy.read(run / f"{name}.toml")
        cli("expand", source, "-n", 8, "--strategy", name, *teacher(server), "-o", f"by-{name}",
            f"--{name}", run / f"{name}.toml")  # fmt: skip
        cli("expand", source, "-n", 8, "--strategy", name, *teacher(server))
        by = [lines(folder / "inputs.jsonl") for folder in (run, tmp_path / f"by-{name}")]
        assert by[0] == by[1]
    told = cli("topics", source, *teacher(server), "--json").told
    assert told["counts"]["leaves"] == len(topics.read(run / "topics.toml").leaves)


def test_names_that_come_twice_are_left_out_with_their_reason(cli, server, tmp_path):
    source = seeds(tmp_path)
    told = cli("topics", source, *teacher(server), "--json").told
    path = tmp_path / "runs/stock_advisor/rejected.jsonl"
    left_out = lines(path)
    assert len(left_out) == told["counts"]["left_out"] > 0
    assert {(row["stage"], row["reason"]) for row in left_out} == {("topics", "near_duplicate")}
    cli("expand", source, "-n", 20, *teacher(server))
    assert [row for row in lines(path) if row["stage"] == "topics"] == left_out


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_a_person_changed_is_kept(cli, server, tmp_path, name):
    job = [name, seeds(tmp_path), *teacher(server)]
    cli(*job)
    path = tmp_path / f"runs/stock_advisor/{name}.toml"
    drafted = path.read_bytes()
    path.write_bytes(drafted + b"# mine\n")
    with server.counting() as asked:
        assert "was changed by hand" in cli(*job, "--temperature", 0.5, code=2).err
    assert asked == []
    assert path.read_bytes() == drafted + b"# mine\n"
    cli(*job, "--overwrite")
    assert path.read_bytes() == drafted


def test_a_draft_without_money_writes_what_is_there_and_goes_on(cli, server, tmp_path):
    job = ["topics", seeds(tmp_path), *teacher(server), "--price-in", 1, "--price-out", 1,
           "--json", "--concurrency", 1]  # fmt: skip
    path = tmp_path / "runs/stock_advisor/topics.toml"
    with server.counting() as asked:
        ran = cli(*job, "--max-cost", 0.01, code=3)
        assert balanced(ran.told)
        assert ran.told["counts"]["open"] > 0
        part = set(topics.read(path).leaves)
        cli(*job, "--max-cost", 1)
        assert part < set(topics.read(path).leaves)
    assert sent_again(asked) == 0


def scripted(folder, replies):
    """Options for a teacher that has one reply to each request, named by its level and path."""
    (folder / "p").mkdir()
    (folder / "p/topics.j2").write_text(
        "{% block user %}JSON: {{ level }} {{ path | join('/') }}.{% endblock %}"
    )
    rows = [{"when": f"JSON: {when}.", "reply": reply} for when, reply in replies.items()]
    (folder / "said.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return ["--teacher", f"scripted:{folder / 'said.jsonl'}", "--prompts", folder / "p"]


def names(*given):
    return {"topics": [{"name": name} for name in given]}


def test_a_branch_that_fails_is_left_out_and_told(cli, tmp_path):
    syllabus = {"topics": [{"name": "One", "concepts": ["a", " b  c\n", "A"]}, {"name": "Two"}]}
    said = {
        "disciplines ": names("Shares", "Funds", "shares"), "subjects Shares": names("X", "Shares"),
        "subjects Funds": names("Y", "Z"), "sessions Shares/X": syllabus,
        "sessions Funds/Y": "I do not know.", "sessions Funds/Z": syllabus,
    }  # fmt: skip
    ran = cli("topics", seeds(tmp_path), *scripted(tmp_path, said), "--json", code=1)
    run = tmp_path / "runs/stock_advisor"
    assert balanced(ran.told)
    assert topics.read(run / "topics.toml").leaves == tuple(
        (*subject, "One", concept)
        for subject in (("Shares", "X"), ("Funds", "Z"))
        for concept in ("a", "b c")
    )
    lost = [(row["stage"], row["kind"], row["question"]) for row in lines(run / "failures.jsonl")]
    assert lost == [("topics", "bad_json", "Funds > Y")]
    left_out = [(row["question"], row["reason"]) for row in lines(run / "rejected.jsonl")]
    assert left_out == [
        ("shares", "near_duplicate"), ("Shares > Shares", "near_duplicate"),
        ("Shares > X", "invalid"), ("Shares > X > One > A", "near_duplicate"),
        ("Funds > Z", "invalid"), ("Funds > Z > One > A", "near_duplicate"),
    ]  # fmt: skip
    counts = ran.told["counts"]
    assert (counts["given"], counts["failed"], counts["leaves"]) == (6, 1, 4)


def test_a_dry_run_asks_nothing_and_counts_what_each_level_brings(cli, server, tmp_path):
    source = seeds(tmp_path)
    ran = cli("topics", source, *teacher(server), "--dry-run", "--json")
    assert ran.told["estimate"]["topics"]["requests"] == 1 + 5 + 5 * 4
    assert "disciplines" in json.dumps(ran.told["prompts"])
    assert server.asked == []
    assert not (tmp_path / "runs").exists()


def test_what_a_draft_took_is_not_taken_for_what_others_will_take(cli, server, tmp_path):
    source = seeds(tmp_path)
    cli("topics", source, *teacher(server))
    job = ["run", source, "-n", 10, *teacher(server), "--dry-run", "--json"]
    for stage in cli(*job).told["estimate"].values():
        assert "not yet measured" in stage["assumed"]
        assert "as measured" not in stage["assumed"]
    told = cli("topics", source, *teacher(server), "--dry-run", "--json").told
    assert "as measured" in told["estimate"]["topics"]["assumed"]
