"""Answered examples become other tasks, and whatever was made of one stays in its split."""

import json
import random
from collections import Counter, defaultdict

import pytest
from jobs import balanced, lines, seeds, sent_again, teacher

from distillgen import replies
from distillgen.prompts import find
from distillgen.records import Completion, Seed, Terms, content_id
from distillgen.strategies import Setting, Turn, transform
from distillgen.task import Task

SEED = Seed(
    user_context="I keep bees in a valley.", question="Which hive?", answer="Take the large one.",
    rationale="A valley is cold.", label="large",
)  # fmt: skip


def setting(
    *given: Seed, labels: tuple[str, ...] = (), operations: tuple[str, ...] = ()
) -> Setting:
    return Setting(
        terms=Terms("t"), task=Task(name="t", labels=dict.fromkeys(labels, "")),
        prompt=find("expand.transform", "", False, []), seeds=given, per_call=2, shots=3,
        human_shots=3, steady=1, short=False, random_seed=0, generations=3, per_parent=2,
        operations=operations,
    )  # fmt: skip


class Nothing(tuple):
    """A pool without inputs."""

    __slots__ = ()

    def children(self, _: str) -> int:
        return 0


def planned(wanted: Setting, place: int = 0):
    return transform.plan(Turn(place, place), Nothing(), wanted)


def read(wanted: Setting, **item: str):
    asked = planned(wanted)
    said = json.dumps({"examples": [item]})
    return transform.parse(Completion(said, finish_reason="stop"), asked.lineage)[0]


@pytest.mark.parametrize(
    ("operation", "told", "gold"),
    [
        ("summary", "Question: Which hive?|Reasons: A valley is cold.|Answer: It is", ""),
        ("title", "Question: Which hive?|Answer: It is", ""),
        ("question", "Answer: It is", "Which hive?"),
        ("extract", "Question: Which hive?|Answer: It is", ""),
        ("counterfactual", "Question: Which hive?|Answer: It is", ""),
    ],
)  # fmt: skip
def test_the_example_stands_before_what_is_asked_about_it(operation, told, gold):
    made = read(setting(SEED, operations=(operation,)), question="And what now?")
    assert made.question == "And what now?"
    assert made.user_context.split("\n\n") == [
        "I keep bees in a valley.",
        *told.replace("It is", SEED.answer or "").split("|"),
    ]
    assert made.origin == {
        "operation": operation, "generation": 1, "parents": (SEED.id,), "gold": gold,
    }  # fmt: skip
    assert not made.problem


def test_a_critique_is_of_an_answer_that_is_not_the_right_one():
    wanted = setting(SEED, operations=("critique",))
    made = read(wanted, question="Is that so?", flawed="Take none, bees need no hive.")
    assert made.user_context.endswith("Which hive?\n\nAnswer: Take none, bees need no hive.")
    assert "Take the large one" not in made.user_context
    assert read(wanted, question="Critique, please", flawed="Take none.").problem == "no request"
    assert (
        "right one says"
        in read(wanted, question="Is that so?", flawed="take the large one").problem
    )
    with pytest.raises(replies.ParseError, match="flawed"):
        read(wanted, question="Is that so?")


def test_of_a_closed_task_the_label_is_asked_for_and_nothing_else():
    """Whatever is asked there is answered with a label."""
    closed = setting(SEED, labels=("large", "small"))
    assert {planned(closed, place).lineage["operation"] for place in range(20)} == {"label"}
    made = read(closed, question="Which label follows?")
    assert made.user_context.endswith("Which hive?\n\nReasons: A valley is cold.")
    assert made.origin["gold"] == "large"
    told = SEED.model_copy(update={"rationale": "So the large one."})
    assert planned(setting(told, labels=("large", "small"))).request is None


def test_examples_without_an_answer_are_no_parents():
    bare = Seed(user_context="I am 40.", question="Buy gold?")
    for place in range(20):
        assert planned(setting(bare, SEED), place).lineage["parents"] == [SEED.id]


def test_seeds_without_answers_are_refused_before_anything_is_asked(refused, server, tmp_path):
    path = tmp_path / "bare.jsonl"
    path.write_text('{"user_context": "I am 40.", "question": "Buy gold?"}\n')
    for strategy in ("transform", "few_shot=0.5,transform=0.5"):
        said = refused("expand", path, *teacher(server), "--strategy", strategy)
        assert "no seed has what that needs: an `answer`" in said


def test_the_answers_of_a_run_are_transformed_under_their_own_ids(cli, server, tmp_path):
    questions = tmp_path / "mine.jsonl"
    rows = [{"id": f"no-{i}", "question": f"What becomes of share {i}?"} for i in range(30)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    cli("answer", questions, *teacher(server))
    job = ["expand", "runs/mine/answers.jsonl", "--strategy", "transform", "--per-call", 4,
           "-n", 50, *teacher(server), "--json"]  # fmt: skip
    told = cli(*job).told
    assert (told["run"], told["counts"]["kept"]) == ("runs/mine.answers", 50)
    assert balanced(told)
    made = lines(tmp_path / "runs/mine.answers/inputs.jsonl")
    children = Counter(row["parents"][0] for row in made)
    assert set(children) <= {row["id"] for row in rows}
    assert max(children.values()) == 2
    texts = {row["id"]: row for row in lines(tmp_path / "runs/mine/answers.jsonl")}
    for row in made:
        parent = texts[row["parents"][0]]
        assert row["family"] == content_id("", parent["question"])
        assert (parent["answer"] in row["user_context"]) == (row["operation"] != "critique")
    cli("answer", "runs/mine.answers", *teacher(server))
    cli("export", "runs/mine.answers")
    with server.counting() as asked:
        cli(*job)
    assert sent_again(asked) == len(asked) == 0


def test_what_is_made_of_another_runs_answers_goes_where_that_put_them(cli, server, tmp_path):
    questions = tmp_path / "mine.jsonl"
    rng = random.Random(1)
    words = ["".join(rng.choices("aeioubdglmnst", k=6)) for _ in range(300)]
    rows = [{"id": f"no-{i}", "question": " ".join(rng.sample(words, 9))} for i in range(30)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    split = ("--split", "train=0.4,validation=0.3,test=0.3")
    cli("answer", questions, *teacher(server))
    cli("export", "runs/mine", *split)
    cli("expand", "runs/mine/answers.jsonl", "--strategy", "transform", "-n", 50, *teacher(server))
    cli("answer", "runs/mine.answers", *teacher(server))
    cli("export", "runs/mine.answers", *split)
    theirs, ours = (
        {row["id"]: row["split"] for row in lines(tmp_path / "runs" / run / "splits.jsonl")}
        for run in ("mine", "mine.answers")
    )
    made = lines(tmp_path / "runs/mine.answers/inputs.jsonl")
    assert set(ours.values()) == {"train", "validation", "test"}
    assert [ours[row["id"]] for row in made] == [theirs[row["parents"][0]] for row in made]


def test_the_cap_is_the_same_at_any_concurrency_and_is_told(cli, server, tmp_path):
    """Twice as many items as were asked for: those beyond the cap are listed with their parent."""
    server.set(latency_s=0.002, spread=0.6)
    job = ["expand", seeds(tmp_path, "arithmetic"), "--strategy", "transform", "--per-call", 4,
           "-n", 24, *teacher(server), "--json"]  # fmt: skip
    code = (
        "from distillgen.strategies import transform\n"
        "parse = transform.parse\n"
        "def twice(completion, lineage):\n"
        "    found = parse(completion, lineage)\n"
        "    more = [p._replace(question=f'Again: {p.question[::-1]}') for p in found]\n"
        "    return found + more + [p._replace(question=p.question.upper()[::-1]) for p in found]\n"
        "transform.parse = twice\n"
    )
    kept = []
    for concurrency in (1, 16):
        told = cli(*job, "--concurrency", concurrency, "-o", f"at-{concurrency}",
                   **cli.patched(code)).told  # fmt: skip
        assert balanced(told)
        assert told["counts"]["kept"] == 24
        assert told["counts"]["capped"] > 5
        run = tmp_path / f"at-{concurrency}"
        made, rejected = lines(run / "inputs.jsonl"), lines(run / "rejected.jsonl")
        assert set(Counter(row["parents"][0] for row in made).values()) == {2}
        capped = [row for row in rejected if row["reason"] == "capped"]
        assert len(capped) == told["counts"]["capped"]
        assert all(row["of"] in {r["parents"][0] for r in made} for row in capped)
        assert all(row["detail"].startswith("2 of ") for row in capped)
        kept.append((made, rejected))
    assert kept[0] == kept[1]


# -- families --------------------------------------------------------------------------------------


@pytest.mark.parametrize("random_seed", [0, 1, 2])
@pytest.mark.parametrize(
    "split", ["train=0.5,test=0.5", "train=0.4,validation=0.3,test=0.3", "train=0.9,test=0.1"]
)
def test_no_family_is_parted_between_splits(cli, family_runs, tmp_path, random_seed, split):
    """Seeds, what was made of them in a second run, and what of that in a third, in one file."""
    places = defaultdict(set)
    shares = Counter()
    whole = tmp_path / "whole.jsonl"
    whole.write_bytes(b"".join((run / "answers.jsonl").read_bytes() for run in family_runs))
    out = tmp_path / "out"
    cli("export", whole, "-o", out, "--split", split, "--random-seed", random_seed)
    for file in out.glob("*/*.meta.jsonl"):
        for row in lines(file):
            places[row["id"]].add(file.name)
            shares[file.name] += 1
    parents = {
        row["id"]: row["parents"][0]
        for run in family_runs[1:]
        for row in lines(run / "inputs.jsonl")
        if row.get("operation")
    }
    assert len(shares) == split.count("=")
    grandchildren = 0
    for child, parent in parents.items():
        assert places[child] == places[parent]
        assert len(places[child]) == 1
        grandchildren += parent in parents
    assert len(parents) >= 60
    assert grandchildren >= 20


@pytest.fixture(scope="module")
def family_runs(tmp_path_factory):
    """A run of the seeds themselves, one of their children and grandchildren, and one of theirs."""
    from conftest import CLI
    from teacher_server import TeacherServer

    folder, server = tmp_path_factory.mktemp("families"), TeacherServer()
    cli = CLI(folder)
    told = teacher(server)
    source = seeds(folder, "arithmetic")
    cli("answer", source, *told, "-o", "seeds")
    cli("run", source, *told, "-n", 60, "--per-call", 4, "--per-parent", 4, "-o", "children",
        "--strategy", "evolve=0.4,augment=0.4,transform=0.2")  # fmt: skip
    cli("run", "children/answers.jsonl", *told, "-n", 60, "--per-call", 4, "-o", "theirs",
        "--strategy", "augment=0.3,transform=0.7")  # fmt: skip
    server.close()
    cli.close()
    return [folder / name for name in ("seeds", "children", "theirs")]


def test_shots_are_no_parents(cli, server, tmp_path):
    cli("expand", seeds(tmp_path), "-n", 30, "--per-call", 4, "--shots", 1, "--strategy",
        "few_shot=0.5,personas=0.5", *teacher(server))  # fmt: skip
    rows = lines(tmp_path / "runs/stock_advisor/inputs.jsonl")
    assert {len(row["parents"]) for row in rows} == {1}
    assert not any("family" in row for row in rows)
