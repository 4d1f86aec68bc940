"""Answers of several draws and teachers: what is asked, what is chosen, what follows."""

from collections import Counter
from pathlib import Path

import pytest
from jobs import balanced, bodies, content, lines, questions, rows_in, sent_again, teacher

from distillgen.asking import Asked, Reading, betrays
from distillgen.combine import choose, divided, key, standing
from distillgen.errors import ParseError, UserError
from distillgen.prompts import find as prompt
from distillgen.records import Candidate, Completion, Example
from distillgen.styles import find, group, named, order
from distillgen.task import Task

LABELS = ["--labels", "yes,no,open"]
N = 24


def asks(folder: Path, server, *options: object) -> list[object]:
    """The command that answers `N` questions, each with a gold answer."""
    path = folder / "q.jsonl"
    if not path.exists():
        rows = lines(questions(path, N))
        tags = ["risk", "tax"]
        rows_in(path, [{**row, "gold": f"{i} euros", "tags": [tags[i % 2]]}
                       for i, row in enumerate(rows)])  # fmt: skip
    return ["answer", path, *teacher(server), *options, "--json"]


JOBS = {
    "samples": ["--samples", 5],
    "best": ["--samples", 3, "--combine", "best"],
    "union": ["--samples", 3, "--combine", "union"],
    "closest-gold": ["--samples", 3, "--combine", "closest-gold"],
    "agree": [*LABELS, "--samples", 3, "--combine", "agree"],
    "two": ["--teacher", "openai:teacher-1-mini", "--samples", 2],
    "escalate": ["--samples", 2, "--escalate", "openai:teacher-1-mini"],
    "rationalize": ["--rationalize"],
    "refine": ["--refine", 2],
    "styles": ["--samples", 4, "--style", "all"],
    "probe": ["--style", "probe"],
    "logprobs": [*LABELS, "--soft", "logprobs"],
    "votes": [*LABELS, "--samples", 4, "--soft", "votes"],
    "verbal": [*LABELS, "--soft", "verbal"],
    "smooth": [*LABELS, "--smooth", 0.9],
    "much": [
        *LABELS, "--samples", 2, "--teacher", "openai:teacher-1-mini", "--style", "all",
        "--soft", "logprobs", "--rationalize", "--refine", 1,
    ],
}  # fmt: skip
"""The options of a job by its name."""


@pytest.fixture(params=JOBS, ids=str)
def job(request, tmp_path, server):
    return asks(tmp_path, server, *JOBS[request.param])


def test_a_job_asks_nothing_twice_and_the_same_comes_at_any_concurrency(cli, server, tmp_path, job):
    server.set(latency_s=0.001, spread=1.0)
    told = cli(*job, "--concurrency", 32, code=None).told
    assert balanced(told)
    first = content(tmp_path / "runs/q")
    assert sent_again(server.asked) == 0
    with server.counting() as again:
        cli(*job, code=None)
    assert again == []
    assert content(tmp_path / "runs/q") == first
    cli(*job, "--concurrency", 1, "-o", tmp_path / "runs/other", code=None)
    assert content(tmp_path / "runs/other") == first


def test_a_job_that_stops_goes_on(cli, server, tmp_path, job):
    """A teacher that breaks down in the middle; nothing that came is asked again."""
    with server.counting() as all_asked:
        cli(*job, "-o", tmp_path / "whole", code=None)
    known = content(tmp_path / "whole")
    server.set(fail_share=0.15, fail_status=401)
    with server.counting() as first:
        cli(*job, code=None)
    server.set(fail_share=0.0)
    with server.counting() as rest:
        cli(*job, code=None)
    assert content(tmp_path / "runs/q") == known
    answered = [one for one in [*first, *rest] if one.status == 200]
    assert sent_again(answered) == 0
    assert bodies(answered) == bodies(all_asked)


def test_more_samples_ask_only_for_the_new_draws(cli, server, tmp_path):
    cli(*asks(tmp_path, server))
    with server.counting() as more:
        cli(*asks(tmp_path, server, "--samples", 3))
    assert len(more) == 2 * N
    with server.counting() as other:
        cli(*asks(tmp_path, server, "--samples", 3, "--teacher", "openai:teacher-1-mini"))
    assert len(other) == 3 * N
    assert {one.body["model"] for one in other} == {"teacher-1-mini"}
    with server.counting() as none:
        cli(*asks(tmp_path, server))
    assert none == []


def test_each_candidate_says_whose_it_is_and_the_votes_add_up(cli, server, tmp_path):
    job = asks(tmp_path, server, *LABELS, "--samples", 3, "--teacher", "openai:teacher-1-mini")
    cli(*job)
    answers = lines(tmp_path / "runs/q/answers.jsonl")
    assert len(answers) == N
    for answer in answers:
        assert [(c["teacher"], c.get("sample", 0)) for c in answer["candidates"]] == [
            (f"openai:{name}", n) for name in ("teacher-1", "teacher-1-mini") for n in range(3)
        ]
        votes = Counter(c["label"] for c in answer["candidates"])
        assert answer["votes"] == votes[answer["label"]] == max(votes.values())
        assert answer["vote_share"] == round(answer["votes"] / 6, 4)
        majorities = [
            Counter(c["label"] for c in answer["candidates"][k : k + 3]).most_common(1)[0][0]
            for k in (0, 3)
        ]
        assert answer["agreement"] == majorities.count(answer["label"]) / 2


def test_only_what_is_divided_is_escalated(cli, server, tmp_path):
    job = asks(tmp_path, server, *LABELS, "--samples", 2, "--escalate", "openai:teacher-1-mini")
    cli(*job)
    further = [one for one in server.asked if one.body["model"] == "teacher-1-mini"]
    answers = lines(tmp_path / "runs/q/answers.jsonl")
    split = [a for a in answers if len({c["label"] for c in a["candidates"][:2]}) == 2]
    assert 0 < len(further) == len(split) < N
    for answer in split:
        assert answer["teacher"] == "openai:teacher-1-mini"
        assert "escalated" in answer["flags"]
        assert answer["label"] == answer["candidates"][2]["label"]
        assert answer["votes"] == [c["label"] for c in answer["candidates"]].count(answer["label"])
    assert all("escalated" not in a.get("flags", []) for a in answers if a not in split)


def test_what_does_not_agree_is_rejected_with_all_that_was_said(cli, server, tmp_path):
    told = cli(*asks(tmp_path, server, *LABELS, "--samples", 2, "--combine", "agree")).told
    kept, out = (lines(tmp_path / f"runs/q/{n}.jsonl") for n in ("answers", "rejected"))
    assert told["counts"]["rejected"] == len(out) > 0
    assert told["counts"]["kept"] == len(kept) > 0
    assert all(row["reason"] == "divided" and len(row["candidates"]) == 2 for row in out)
    assert all(len({c["label"] for c in row["candidates"]}) == 2 for row in out)
    assert all(row["votes"] == 2 for row in kept)


def test_union_keeps_each_answer_once_under_an_id_of_its_own(cli, server, tmp_path):
    cli(*asks(tmp_path, server, *LABELS, "--samples", 4, "--combine", "union"))
    answers = lines(tmp_path / "runs/q/answers.jsonl")
    assert len({a["id"] for a in answers}) == len(answers) > N
    for question in {a["question"] for a in answers}:
        same = [a for a in answers if a["question"] == question]
        assert Counter(a["label"] for a in same).most_common(1)[0][1] == 1
        assert sum(a["votes"] for a in same) == 4


def test_a_hint_that_shows_is_not_kept(cli, server, tmp_path):
    cli(*asks(tmp_path, server, "--rationalize"))
    answers = lines(tmp_path / "runs/q/answers.jsonl")
    made = [a for a in answers if "rationalized" in a.get("flags", [])]
    missed = [a for a in answers if "not_rationalized" in a.get("flags", [])]
    assert len(made) + len(missed) == N
    assert made
    assert missed
    assert all(a["answer"] == a["gold"] for a in made)
    assert all("given answer" not in a["rationale"] for a in answers)
    hints = [a for a in server.asked if "is known" in a.body["messages"][-1]["content"]]
    assert len(hints) == N


def test_a_refined_answer_keeps_what_it_was_and_why(cli, server, tmp_path):
    cli(*asks(tmp_path, server, "--refine", 2))
    answers = lines(tmp_path / "runs/q/answers.jsonl")
    plain = [a for a in answers if "refinements" not in a]
    once = [a for a in answers if len(a.get("refinements", [])) == 1]
    twice = [a for a in answers if len(a.get("refinements", [])) == 2]
    assert plain
    assert once
    assert twice
    assert twice[0]["answer"] != twice[0]["refinements"][0]["answer"]
    for answer in once + twice:
        assert "refined" in answer["flags"]
        said = [r["answer"] for r in answer["refinements"]] + [answer["answer"]]
        assert len(set(said)) == len(said)
        assert all(r["criticism"] and r["rationale"] and len(r["requests"]) == 2
                   for r in answer["refinements"])  # fmt: skip
    with server.counting() as first:
        cli(*asks(tmp_path, server))
    assert first == [], "the first draws are those of a plain run"


def test_soft_labels_come_from_the_letters_whatever_their_order(cli, server, tmp_path):
    cli(*asks(tmp_path, server, *LABELS, "--soft", "logprobs"))
    letters = [a for a in server.asked if a.body.get("logprobs")]
    assert len(letters) == 3 * N, "each label stands once under each letter"
    assert all(a.body["top_logprobs"] == 20 and a.body["max_tokens"] == 1 for a in letters)
    for answer in lines(tmp_path / "runs/q/answers.jsonl"):
        assert list(answer["soft_label"]) == ["yes", "no", "open"]
        assert abs(sum(answer["soft_label"].values()) - 1) < 1e-9
        assert answer["covered_mass"] == 0.9
        assert answer["soft_method"] == "logprobs"
        assert answer["rationale"], "the rationale keeps its place before the label"


def test_labels_that_hold_too_little_are_refused_with_the_mass(cli, server, tmp_path):
    server.set(covered=0.4)
    ran = cli(*asks(tmp_path, server, *LABELS, "--soft", "logprobs"))
    for answer in lines(tmp_path / "runs/q/answers.jsonl"):
        assert "soft_label" not in answer
        assert answer["covered_mass"] == 0.4
        assert "soft_refused" in answer["flags"]
        assert answer["label"]
    assert f"{N} without a soft label: the labels hold < 0.50 of the probability" in ran.err


def test_a_teacher_without_logprobs_is_found_out_with_the_first_requests(cli, server, tmp_path):
    server.set(logprobs=False)
    ran = cli(*asks(tmp_path, server, *LABELS, "--soft", "logprobs"), code=4)
    assert "no top_logprobs: this teacher gives none; --soft votes does without" in ran.err
    assert len(server.asked) <= 5, "a field is given up, and then three replies are of no use"


def test_smoothing_asks_only_where_no_gold_label_is_known(cli, server, tmp_path):
    rows = [{"question": f"Q{i}?", "gold": "no" if i % 2 else ""} for i in range(10)]
    path = rows_in(tmp_path / "s.jsonl", rows)
    cli("answer", path, *teacher(server), *LABELS, "--smooth", 0.8)
    assert len(server.asked) == 5
    answers = lines(tmp_path / "runs/s/answers.jsonl")
    for row, answer in zip(rows, answers, strict=True):
        assert answer["soft_label"][answer["label"]] == 0.8
        assert answer["soft_method"] == "smooth"
        assert not row["gold"] or (answer["label"] == "no" and "teacher" not in answer)


def test_styles_are_taken_in_turn_and_leave_no_trace_in_an_export(cli, server, tmp_path):
    cli(*asks(tmp_path, server, "--samples", 2, "--style", "direct,rule-out"))
    known, _ = find("", [])
    for answer in lines(tmp_path / "runs/q/answers.jsonl"):
        assert {c["style"] for c in answer["candidates"]} == {"direct", "rule-out"}
        assert answer["style"] in known
    systems = Counter(a.body["messages"][0]["content"] for a in server.asked)
    assert len(systems) == 2
    assert all(any(text in said for text in known.values()) for said in systems)
    cli("export", tmp_path / "runs/q", "--format", "trl-messages", "--format", "openai-chat")
    written = "".join(p.read_text() for p in (tmp_path / "runs/q/export").rglob("*.jsonl"))
    assert "rule out all but one" not in written


def test_a_probe_tries_all_styles_on_some_and_takes_one_a_tag(cli, server, tmp_path):
    ran = cli(*asks(tmp_path, server, "--style", "probe"))
    answers = lines(tmp_path / "runs/q/answers.jsonl")
    styles = {}
    for answer in answers:
        styles.setdefault(answer["meta"]["tags"][0], set()).add(answer["style"])
    assert {tag: len(found) for tag, found in styles.items()} == {"risk": 1, "tax": 1}
    known, _ = find("", [])
    assert len(server.asked) == 12 * len(known) + (N - 12)
    assert "style for risk: " in ran.err


def test_a_draw_that_failed_is_kept_as_such_and_asked_again_by_retry(cli, server, tmp_path):
    server.set(useless_share=0.3)
    cli(*asks(tmp_path, server, "--samples", 3, "--resample", 0), code=None)
    answers = lines(tmp_path / "runs/q/answers.jsonl")
    lost = [c for a in answers for c in a["candidates"] if c.get("problem")]
    assert lost
    server.set(useless_share=0.0)
    with server.counting() as again:
        cli("retry", tmp_path / "runs/q", code=None)
    mended = lines(tmp_path / "runs/q/answers.jsonl")
    assert not any(c.get("problem") for a in mended for c in a["candidates"])
    whole_items = N - len(answers)
    assert len(again) == len(lost) + 3 * whole_items


def test_what_does_not_go_together_is_refused(tmp_path, server, refused):
    def said(*options):
        return refused(*asks(tmp_path, server, *options))

    assert "--soft: a soft label needs labels" in said("--soft", "logprobs")
    assert "take one of them" in said(*LABELS, "--soft", "verbal", "--smooth", 0.9)
    assert "needs several draws" in said("--escalate", "openai:teacher-1-mini")
    assert "needs several draws" in said("--combine", "agree")
    assert "needs several draws" in said(*LABELS, "--soft", "votes")
    assert "named twice" in said("--teacher", "openai:teacher-1")
    assert "no such style, do you mean direct?" in said("--style", "dirct")
    assert "--labels yes: one label is no choice" in said("--labels", "yes")
    many = ",".join(f"l{n}" for n in range(21))
    assert "21 labels" in said("--labels", many, "--soft", "logprobs")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/answer.j2").write_text("{% block user %}{{ question }}{% endblock %}")
    assert "does not use `style`, so --style would change nothing" in said("--style", "direct")
    assert "does not use `hint`" in said("--rationalize")


def test_a_dry_run_counts_what_each_teacher_is_asked(cli, server, tmp_path):
    ran = cli(*asks(tmp_path, server, "--samples", 3, "--teacher", "openai:teacher-1-mini",
                    "--refine", 1, "--dry-run"))  # fmt: skip
    assert server.asked == []
    estimate = ran.told["estimate"]
    assert {name: one["requests"] for name, one in estimate.items()} == {
        "answer, openai:teacher-1": 3 * N,
        "answer, openai:teacher-1-mini": 3 * N,
    }
    assert all("without what --refine may add" in one["assumed"] for one in estimate.values())


def test_a_dry_run_counts_the_trial_of_styles(cli, server, tmp_path):
    estimate = cli(*asks(tmp_path, server, "--style", "probe", "--dry-run")).told["estimate"]
    known, _ = find("", [])
    asked = {name: one["requests"] for name, one in estimate.items()}
    assert asked == {"styles": 12 * len(known), "answer": N}
    assert server.asked == []


def test_a_teacher_may_have_a_server_of_its_own(cli, server, tmp_path):
    path = questions(tmp_path / "q.jsonl", 3)
    at = f"openai:teacher-1-mini@{server.url}"
    cli("answer", path, *teacher(server), "--teacher", at)
    assert Counter(a.body["model"] for a in server.asked) == {"teacher-1": 3, "teacher-1-mini": 3}


# Choosing, by hand


def said(*answers: str, teacher: str = "a") -> list[Candidate]:
    return [Candidate(teacher=teacher, sample=n, answer=text, request=str(n))
            for n, text in enumerate(answers)]  # fmt: skip


def picked(how, candidates, gold="", rate=lambda _: 0.0):
    return [c.answer for c in choose(how, candidates, gold, rate)]


def test_a_vote_goes_by_value_and_ties_go_to_the_first():
    assert picked("vote", said("5", "It is 7.", "7.0")) == ["It is 7."]
    assert picked("vote", said("5", "7")) == ["5"]
    assert standing("2", said("1", "2", "2", "3")) == (2, 0.5, None)
    assert standing("9", said("1", "2")) == (0, 0.0, None)
    assert standing("1", said("1", "1", "2") + said("2", teacher="b")) == (2, 0.5, 0.5)


def test_the_best_passes_most_checks_and_then_has_most_votes():
    candidates = said("1", "2", "2", "3")
    assert picked("best", candidates, rate=lambda c: c.sample == 3) == ["3"]
    assert picked("best", candidates) == ["2"]


def test_the_closest_is_nearest_to_gold_and_without_gold_it_is_a_vote():
    candidates = said("Sell it all", "Keep the gold for now", "Sell it all")
    assert picked("closest-gold", candidates, "keep your gold") == ["Keep the gold for now"]
    assert picked("closest-gold", candidates) == ["Sell it all"]


def test_teachers_are_divided_by_their_majorities_and_one_teacher_by_its_own():
    assert not divided(said("1"))
    assert divided(said("1", "2"))
    assert not divided(said("1", "1", "2"))
    assert divided(said("1", "1", "2", "3"))
    assert not divided(said("1", "1", "2") + said("1", "3", "1", teacher="b"))
    assert divided(said("1", "1", "2") + said("2", "2", "1", teacher="b"))


def test_labels_are_their_own_key():
    assert key(Candidate(teacher="a", label="A 1", answer="x", request="")) == "A 1"


@pytest.mark.parametrize(
    "text",
    ["As the hint says, 5.", "The correct answer is 5.", "Since the answer is given as 5",
     "Knowing that the answer is 5", "We are told that the answer is 5", "The expected label fits"],
)  # fmt: skip
def test_a_trace_of_the_hint_is_seen(text):
    assert betrays(Reading(text, "5", None, "requested", ()))


@pytest.mark.parametrize(
    "text",
    ["3 + 2 = 5, so the answer is 5.", "Given that she has 3, it is 5.", "The answer follows."],
)
def test_a_plain_rationale_holds_no_trace(text):
    assert not betrays(Reading(text, "5", None, "requested", ()))


# Styles


def test_inputs_begin_at_different_styles():
    names = ["a", "b", "c"]
    first = [order(names, Example(question="q", id=str(n)))[0] for n in range(60)]
    assert min(Counter(first).values()) > 8
    assert order(names, Example(question="q", id="7")) == order(
        names, Example(question="r", id="7")
    )


def test_a_group_is_the_first_tag_or_the_root_of_the_topic():
    assert group(Example(question="q", id="1", meta={"tags": ["a", "b"]})) == "a"
    assert group(Example(question="q", id="1", meta={"tags": "a;b"})) == "a"
    assert group(Example(question="q", id="1", topic=("root", "leaf"))) == "root"
    assert group(Example(question="q", id="1")) == ""


def test_a_style_file_of_ones_own_is_used_and_its_faults_are_named(tmp_path):
    (tmp_path / "styles.toml").write_text('mine = "Answer in verse."\n')
    known, digests = find("task", [tmp_path])
    assert known == {"mine": "Answer in verse."}
    assert set(digests) == {"styles.toml"}
    assert named("mine, mine", known) == ("mine",)
    (tmp_path / "task").mkdir()
    (tmp_path / "task/styles.toml").write_text("\nmine = 3\nall = 'x'\n")
    with pytest.raises(UserError) as caught:
        find("task", [tmp_path])
    assert "styles.toml:2: `mine` must be a text" in str(caught.value)
    assert "styles.toml:3: `all` is a word of --style" in str(caught.value)


def test_a_trace_names_every_draw_and_what_was_mended(cli, server, tmp_path):
    cli(*asks(tmp_path, server, "--samples", 3, "--refine", 1))
    answers = lines(tmp_path / "runs/q/answers.jsonl")
    mended = next(a for a in answers if a.get("refinements"))
    told = cli("trace", mended["id"]).out
    assert all(f"request {c['request'][:12]}" in told for c in mended["candidates"])
    assert all(key[:12] in told for key in mended["refinements"][0]["requests"])
    other = cli("trace", mended["candidates"][1]["request"][:12]).out
    assert "draw 1" in other


def test_labels_of_the_answers_are_known_to_what_comes_after(cli, server, tmp_path):
    cli(*asks(tmp_path, server, *LABELS))
    told = cli("check", tmp_path / "runs/q", "--checks", "label-in-set", "--json").told
    assert told["checks"]["label_in_set"]["passed"] == N
    server.set(useless_share=0.3)
    cli(*asks(tmp_path, server, *LABELS, "--samples", 2, "--resample", 0), code=None)
    server.set(useless_share=0.0)
    cli("retry", tmp_path / "runs/q", code=None)
    assert all(
        a["label"] in ("yes", "no", "open") for a in lines(tmp_path / "runs/q/answers.jsonl")
    )


def read(text: str, labels: dict[str, str], finish: str = "stop") -> Reading:
    task = Task(name="t", labels=labels)
    asked = Asked(0, "t", "t", None, task, {"answer": prompt("answer", "", False, [])}, {}, {})
    return asked.answer(Completion(text, finish_reason=finish))


def test_a_reply_without_json_is_read_where_it_marks_its_answer():
    found = read("He is 35. So the answer is (b) a fund.", {})
    assert (found.rationale, found.answer) == ("He is 35.", "a fund")
    assert read("It may be.\nAnswer: Neutral", {"neutral": "", "other": ""}).label == "neutral"
    on = "It is 2 + 3. The answer is 5.\n\nQ: What is 3 + 4?\nA: It is"
    assert read(on, {}, "length").answer == "5", "what it invented was cut off, not the answer"


@pytest.mark.parametrize(
    ("text", "finish", "kind"),
    [
        ("I would rather not say.", "stop", "bad_json"),
        ("It is 2 + 3. The answer is", "length", "truncated"),
        ('{"rationale": "The answer is 5.", "ans', "stop", "bad_json"),
    ],
)
def test_other_prose_fails_as_before(text, finish, kind):
    with pytest.raises(ParseError) as caught:
        read(text, {}, finish)
    assert caught.value.kind == kind


def test_a_gold_answer_that_cannot_be_compared_is_no_reason_to_ask_again(cli, server, tmp_path):
    gold = "It depends on many things, of which the horizon and the fees come first. " * 4
    path = rows_in(tmp_path / "p.jsonl", [{"question": f"Q{i}?", "gold": gold} for i in range(4)])
    ran = cli("answer", path, *teacher(server), "--rationalize")
    assert len(server.asked) == 4
    assert "no input has a gold answer that is short enough" in ran.err
