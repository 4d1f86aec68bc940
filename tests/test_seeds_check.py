"""`seeds`: what it says of a seeds file, and the part that no teacher sees."""

import json
import random

import pytest
from jobs import lines, seeds, teacher

from distillgen.errors import UserError
from distillgen.records import Seed
from distillgen.seeds import check, contexts_unused, hold_out
from distillgen.task import Task, task_beside

PEOPLE = ["nurse", "baker", "pilot", "teacher", "farmer", "judge", "miner", "roofer", "vet",
          "sailor", "tailor", "butcher"]  # fmt: skip
THINGS = ["gold", "a flat", "bonds", "a fund", "silver", "timber", "a vineyard", "shares", "art",
          "an annuity", "francs", "oil"]  # fmt: skip


def good(n: int = 12) -> list[Seed]:
    """Seeds that nothing is wrong with, up to 12."""
    return [
        Seed(
            user_context=f"{who.title()}, lives in {who[::-1]}",
            question=f"What speaks for {what} when a {who} {who[::-1]}s?",
            tags=(what,),
        )
        for who, what in zip(PEOPLE[:n], THINGS, strict=False)
    ]


def said(given: list[Seed], task: Task | None = None, language=None) -> list[str]:
    return check(given, task or Task(), language)["warnings"]


def context(text: str, question: str = "Should I buy gold?", **more) -> Seed:
    return Seed(user_context=text, question=question, **more)


# -- what it says -----------------------------------------------------------------------------


def test_good_seeds_bring_no_warning():
    assert said(good()) == []


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (1, ["1 seed is too few; write 3 at least"]),
        (2, ["2 seeds are too few; write 3 at least"]),
        (3, ["3 seeds are few: 10 or more bring more variety"]),
        (9, ["9 seeds are few: 10 or more bring more variety"]),
        (10, []),
    ],
)
def test_too_few_are_told(n, words):
    assert said(good(n)) == words


def test_near_copies_are_told_by_the_rule_of_expand():
    one = good()[4]
    copy = one.model_copy(update={"question": one.question.replace("What", "what now")})
    assert said([*good(), copy]) == ["seed 13 is a near copy of seed 5"]
    other = one.model_copy(update={"question": "Does a will need a witness, farmer or not?"})
    assert said([*good(), other]) == []


def test_contexts_that_differ_in_their_numbers_alone_are_told():
    old = context("I am 35 and own 2 shops", "May I sell one?", tags=("x",))
    young = context("I am 19 and own three shops", "Is a loan for me?", tags=("x",))
    words = "the contexts of seeds 13, 14 differ in their numbers alone"
    assert said([*good(), old, young]) == [words]
    again = context("I am 35 and own 2 shops", "Is a loan for me?", tags=("x",))
    assert said([*good(), old, again]) == []


def test_contexts_that_nothing_takes_up_are_told():
    idle = [context(f"{who} in a small town", "Is gold safe?", tags=("x",)) for who in PEOPLE[:7]]
    used = [context(f"{who} in a small town", "Is gold safe for me?") for who in PEOPLE[7:]]
    assert contexts_unused([*idle, *used]) == [1, 2, 3, 4, 5, 6, 7]
    assert any("in seeds 1, 2, 3, 4, 5, 6, 7 nothing takes" in one for one in said([*idle, *used]))
    assert not any("takes the context" in one for one in said([*idle[:4], *used]))


def test_a_shared_word_or_an_answer_takes_the_context_up():
    idle = context("Nurse on night shifts", "Is gold safe?")
    asked = context("Nurse on night shifts", "Is gold safe at night?")
    answered = context("Nurse on night shifts", "Is gold safe?", rationale="A nurse earns little.")
    rest = good()[:6]
    for seed, n in ((idle, [1]), (asked, []), (answered, [])):
        assert contexts_unused([seed, *rest]) == n


def test_one_context_for_all_is_told():
    same = [context("I am a nurse", one.question, tags=("x",)) for one in good()]
    assert "all seeds have the same context: the teacher will hardly vary it" in said(same)


def test_other_languages_are_told():
    def language(text: str) -> str:
        return "de" if "Haus" in text else "?" if "judge" in text else "en"

    german = context("Ich bin Bäcker, mein Haus ist alt", "Wann kaufe ich ein Haus?", tags=("x",))
    assert said([*good(), german], language=language) == ["most seeds are en; de is in 13"]
    assert said(good(), language=language) == []


def test_missing_tags_are_told_where_others_have_one():
    bare = [seed.model_copy(update={"tags": ()}) for seed in good()]
    assert said([*good()[:10], *bare[10:]]) == ["seeds 11, 12 have no tag, the others have"]
    assert said(bare) == []


def test_labels_are_held_against_the_task_file():
    task = Task(labels={"yes": "", "no": ""})
    given = [seed.model_copy(update={"label": "yes"}) for seed in good()]
    given[3] = given[3].model_copy(update={"label": "maybe"})
    assert said(given, task) == [
        "no seed shows the label `no`",
        "the label `maybe` is not in the task file",
    ]
    assert said(given) == []


# -- the held-out part ------------------------------------------------------------------------


def many(n: int) -> list[Seed]:
    rng = random.Random(3)
    texts = [" ".join("".join(rng.choices("bdfgklmn", k=4)) for _ in range(8)) for _ in range(n)]
    return [context(text, f"{text[::-1]}?") for text in texts]


def test_the_parts_are_all_seeds_once_and_the_share_is_met_on_average():
    given = many(400)
    held, rest = hold_out(given, 0.2)
    assert 55 < len(held) < 105
    assert sorted([*held, *rest], key=given.index) == given
    assert [given.index(seed) for seed in held] == sorted(given.index(seed) for seed in held)
    assert hold_out(given, 0.2) == (held, rest)


def test_a_seed_stays_on_its_side_when_others_are_added():
    given = many(120)
    held, _ = hold_out(given[:60], 0.2)
    more, _ = hold_out(given, 0.2)
    assert [seed for seed in more if seed in given[:60]] == held
    larger, _ = hold_out(given, 0.4)
    assert set(map(id, more)) < set(map(id, larger))


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_neither_part_is_empty(n, share):
    held, rest = hold_out(many(n), share)
    assert held
    assert rest


def test_near_copies_stay_together():
    given = many(40)
    copies = [seed.model_copy(update={"question": f"{seed.question} now"}) for seed in given]
    held, rest = hold_out([*given, *copies], 0.3)
    texts = {seed.user_context for seed in held}
    assert len(held) == 2 * len(texts)
    assert texts.isdisjoint(seed.user_context for seed in rest)


@pytest.mark.parametrize("share", [0, 1, -0.2, 2, float("nan")])
def test_a_share_is_between_0_and_1(share):
    with pytest.raises(UserError, match="share between 0 and 1"):
        hold_out(good(), share)


def test_seeds_that_are_all_alike_cannot_be_parted():
    with pytest.raises(UserError, match="no two different seeds"):
        hold_out([good()[0]] * 5, 0.5)


# -- the command ------------------------------------------------------------------------------


def test_the_seeds_that_come_along_are_sound(cli, tmp_path):
    for name in ("stock_advisor", "nli", "arithmetic"):
        told = cli("seeds", seeds(tmp_path, name), "--json").told
        assert told["warnings"] == []
        assert told["command"] == "seeds"
        assert told["files"] == []
    assert told["counts"] == {
        "given": 12, "with_answer": 12, "near_copies": 0, "only_numbers_differ": 0,
        "context_unused": 0,
    }  # fmt: skip


def test_warnings_are_on_the_screen_and_the_exit_is_0(cli, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("who,question\nI am 40,Buy gold?\nI am 41,Buy oil?\n")
    ran = cli("seeds", "mine.csv", "--field", "user_context=who")
    assert "- 2 seeds are too few" in ran.out
    assert "run mine.csv --teacher openai:MODEL" in ran.out
    assert "seeds mine.csv --holdout 0.2" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mine.csv"]


def test_the_held_out_part_is_written_beside_the_seeds_and_the_source_left(cli, tmp_path):
    source = seeds(tmp_path)
    before = source.read_bytes()
    ran = cli("seeds", "stock_advisor.jsonl", "--holdout", 0.2)
    held = lines(tmp_path / "stock_advisor.holdout.jsonl")
    rest = lines(tmp_path / "stock_advisor.rest.jsonl")
    assert source.read_bytes() == before
    assert held
    given = lines(source)
    assert sorted([*held, *rest], key=given.index) == given
    assert "run stock_advisor.rest.jsonl --teacher openai:MODEL" in ran.out
    told = cli("seeds", source, "--holdout", 0.2, "--json").told
    assert told["counts"]["held_out"] == len(held)
    assert told["counts"]["rest"] == len(rest)
    assert lines(tmp_path / "stock_advisor.rest.jsonl") == rest


def test_the_rest_goes_with_the_task_file_of_the_whole_and_the_teacher_sees_nothing_else(
    cli, server, tmp_path
):
    source = seeds(tmp_path)
    cli("seeds", source, "--holdout", 0.2)
    rest = tmp_path / "stock_advisor.rest.jsonl"
    assert task_beside(rest) == task_beside(source)
    cli("expand", rest, "-n", 40, *teacher(server))
    sent = json.dumps([one.body for one in server.asked])
    for row in lines(tmp_path / "stock_advisor.holdout.jsonl"):
        assert json.dumps(row["question"])[1:-1] not in sent
    assert any(json.dumps(row["question"])[1:-1] in sent for row in lines(rest))


def test_a_part_that_a_person_changed_is_not_written_over(cli, refused, tmp_path):
    source = seeds(tmp_path)
    rest = tmp_path / "stock_advisor.rest.jsonl"
    rest.write_text("mine\n")
    assert "changed by hand; move it away" in refused("seeds", source, "--holdout", 0.2)
    assert rest.read_text() == "mine\n"
    assert not (tmp_path / "stock_advisor.holdout.jsonl").exists()


def test_a_part_is_not_parted_again_over_itself(cli, refused, tmp_path):
    cli("seeds", seeds(tmp_path), "--holdout", 0.2)
    for part in ("rest", "holdout"):
        path = tmp_path / f"stock_advisor.{part}.jsonl"
        before = path.read_bytes()
        assert "is a part itself" in refused("seeds", path, "--holdout", 0.5)
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.jsonl", "", "a.jsonl: is empty"),
        ("b.jsonl", '{"question": "Why?"}\n', "no field `user_context`"),
        ("none.jsonl", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_expand_does(refused, tmp_path, name, text, words):
    if text is not None:
        (tmp_path / name).write_text(text)
    said = refused("seeds", name)
    assert words in said
    assert said == refused("expand", name)


def test_stdin_can_be_checked_but_not_parted(cli):
    text = "".join(json.dumps(seed.row()) + "\n" for seed in good(5))
    checked = cli.start("seeds", "-", "--json", stdin=text).communicate(text, timeout=60)
    assert json.loads(checked[0])["counts"]["given"] == 5
    process = cli.start("seeds", "-", "--holdout", 0.5, stdin=text)
    assert "give a file, not -" in process.communicate(text, timeout=60)[1]
    assert process.returncode == 2
