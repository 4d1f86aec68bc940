"""Requests that fail for good: the run ends all the same, and `retry` asks for what is missing."""

import pytest
from jobs import balanced, content, lines, questions, seeds, sent_again, teacher

FAULTS = [{"fail_status": 500}, {"fail_status": 400, "message": "We do not like this text."}]
JOB = ["-n", 80, "--per-call", 4]


@pytest.mark.parametrize("fault", FAULTS, ids=["500", "400"])
def test_a_run_with_failures_ends_repeats_nothing_and_is_mended_by_retry(
    cli, server, tmp_path, fault
):
    source = seeds(tmp_path)
    server.set(fail_share=0.05, **fault)
    job = ["run", source, *JOB, *teacher(server), "-o", "broken", "--json"]
    ran = cli(*job, code=1).told
    assert balanced(ran)
    assert ran["counts"]["expand"]["kept"] == 80
    assert ran["counts"]["expand"]["failed"] > 0
    failed = ran["counts"]["answer"]["failed"]
    assert failed == sum(ran["failures"]["answer"].values()) > 0

    with server.counting() as asked:
        again = cli(*job, code=1).told
    assert asked == []
    assert again["counts"] == ran["counts"]

    server.set(fail_share=0.0)
    missing = {r["question"] for r in lines(tmp_path / "broken/failures.jsonl") if "question" in r}
    with server.counting() as asked:
        mended = cli("retry", "broken", "--json").told
    assert balanced(mended)
    assert len(asked) == failed == len(missing)
    for question in missing:
        assert any(question in one.body["messages"][-1]["content"] for one in asked)

    server.set(fail_share=0.05)
    cli("expand", source, *JOB, *teacher(server), "-o", "whole")
    server.set(fail_share=0.0)
    cli("answer", "whole", *teacher(server))
    broken, whole = content(tmp_path / "broken"), content(tmp_path / "whole")
    for name in ("inputs.jsonl", "answers.jsonl", "rejected.jsonl", "failures.jsonl"):
        assert broken.get(name) == whole.get(name)


def test_retry_leaves_failed_requests_of_expand_alone_and_says_so(cli, server, tmp_path):
    server.set(fail_share=0.3, fail_status=413)
    cli("run", seeds(tmp_path), *JOB, *teacher(server), code=1)
    server.set(fail_share=0.0)
    with server.counting() as asked:
        ran = cli("retry", "runs/stock_advisor")
    assert "of expand are left alone" in ran.err
    assert not any('"examples"' in str(one.body["messages"]) for one in asked)
    failures = lines(tmp_path / "runs/stock_advisor/failures.jsonl")
    assert {row["stage"] for row in failures} == {"expand"}


def test_retry_says_beforehand_what_it_may_cost(cli, server, tmp_path):
    server.set(fail_share=0.5, fail_status=413)
    source = questions(tmp_path / "mine.jsonl", 10)
    money = ["--price-in", 1, "--price-out", 4, "--max-cost", 1]
    failed = cli("answer", source, *teacher(server), *money, "--json", code=1).told["counts"][
        "failed"
    ]
    with server.counting() as asked:
        ran = cli("retry", "runs/mine", "--dry-run")
    assert asked == []
    assert f"{failed} requests" in ran.err
    assert "may cost up to $" in ran.err


def test_an_interrupted_retry_is_finished_by_answer(cli, server, tmp_path):
    server.set(fail_share=0.5, fail_status=413)
    job = ["answer", questions(tmp_path / "mine.jsonl", 20), *teacher(server), "--json"]
    failed = cli(*job, code=1).told["counts"]["failed"]
    server.set(fail_share=0.0, status=401)
    cli("retry", "runs/mine", code=4)
    server.set(status=200)
    with server.counting() as asked:
        told = cli(*job).told
    assert balanced(told)
    assert (told["counts"]["kept"], len(asked)) == (20, failed)


def test_retry_draws_a_useless_reply_once_more(cli, server, tmp_path):
    server.set(useless_share=0.4)
    job = ["answer", questions(tmp_path / "mine.jsonl", 30), *teacher(server), "--resample", 0]
    failed = cli(*job, "--json", code=1).told["counts"]["failed"]
    assert failed
    server.set(useless_share=0.0)
    with server.counting() as asked:
        told = cli("retry", "runs/mine", "--json").told
    assert balanced(told)
    assert (told["counts"]["kept"], len(asked)) == (30, failed)
    assert sent_again(server.asked) == 0, "another draw sends another seed"


def test_retry_of_a_run_without_answers_says_what_to_do(cli, server, tmp_path):
    cli("expand", seeds(tmp_path), *JOB, *teacher(server))
    ran = cli("retry", "runs/stock_advisor", code=2)
    assert "distillgen answer runs/stock_advisor" in ran.err


# -- the code that reads is changed afterwards -------------------------------------------------

STRICTER = """
import distillgen.dedupe as d
old = d.Index.verdict
def verdict(index, fields, *more, **named):
    same = d.Verdict("near_duplicate", index._ids[0], 1.0)
    stricter = fields[1].startswith("Should I put it into")
    return old(index, fields, *more, **named) or (same if stricter else None)
d.Index.verdict = verdict
"""
OTHER_PARSER = """
import distillgen.strategies.few_shot as f
old = f.parse
f.parse = lambda *a: [p._replace(question=p.question + " Please.") for p in old(*a)]
"""
DEAF = """
import zlib
import distillgen.replies as r
from distillgen.errors import ParseError
old = r.fields
def fields(completion, *names):
    if zlib.crc32(completion.text.encode()) % 5 == 0:
        raise ParseError("schema", "a fifth is not understood")
    return old(completion, *names)
r.fields = fields
"""


@pytest.mark.parametrize("change", [STRICTER, OTHER_PARSER], ids=["duplicates", "parser"])
def test_a_changed_rule_reads_expand_anew_and_repeats_no_request(cli, server, tmp_path, change):
    job = ["expand", seeds(tmp_path), "-n", 150, "--per-call", 5, *teacher(server), "--json"]
    cli(*job)
    before = content(tmp_path / "runs/stock_advisor")["inputs.jsonl"]
    told = cli(*job, **cli.patched(change)).told
    assert balanced(told)
    assert told["counts"]["kept"] == 150
    assert content(tmp_path / "runs/stock_advisor")["inputs.jsonl"] != before
    assert sent_again(server.asked) == 0
    with server.counting() as asked:
        cli(*job)
    assert asked == []
    assert content(tmp_path / "runs/stock_advisor")["inputs.jsonl"] == before


def test_a_repaired_parser_reads_what_was_paid_for(cli, server, tmp_path):
    job = ["answer", questions(tmp_path / "mine.jsonl", 30), *teacher(server), "--json"]
    cli(*job, "-o", "healthy")
    deaf = cli(*job, "-o", "mended", **cli.patched(DEAF), code=1).told
    assert balanced(deaf)
    assert deaf["counts"]["failed"] > 0
    with server.counting() as asked:
        told = cli(*job, "-o", "mended").told
    assert asked == []
    assert told["counts"]["kept"] == 30
