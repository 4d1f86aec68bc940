"""Splits: nothing that belongs together is parted, what was assigned stays, sizes are as asked."""

import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_clusters import WORDS, family, text

from distillgen import leakage
from distillgen.clusters import Prompts
from distillgen.dedupe import alike
from distillgen.errors import UserError
from distillgen.lineage import Lineage, names
from distillgen.records import Answer, content_id
from distillgen.splits import DEFAULT_SHARES, SPLITS, Assigned, Summary, assign, shares

THIRDS = {"train": 0.4, "validation": 0.3, "test": 0.3}


def answer(id: str, context: str, question: str, **more) -> Answer:
    made = {"answer": "Yes.", "teacher": "openai:large", "request": "", **more}
    return Answer(id=id, user_context=context, question=question, **made)


def strangers(count: int, start: int = 0, **more) -> list[Answer]:
    """Answers that have nothing to do with each other."""
    return [
        answer(f"s{n}", text(random.Random(f"c{n}"), 20), text(random.Random(f"q{n}")), **more)
        for n in range(start, start + count)
    ]


def relatives(count: int, **more) -> list[Answer]:
    """Answers to near duplicates."""
    return [answer(f"f{n}", *said, **more) for n, said in enumerate(family(count))]


def chain(count: int) -> list[Answer]:
    """Each is the child of the one before, with quite another text."""
    alone = strangers(count, 10**6)
    return [
        one.model_copy(
            update={"id": f"c{n}", "parents": (f"c{n - 1}",) if n else (), "strategy": "evolve"}
        )
        for n, one in enumerate(alone)
    ]


def shuffled(answers: Sequence[Answer], seed: int = 0) -> list[Answer]:
    return random.Random(seed).sample(answers, len(answers))


def split(
    answers: Iterable[Answer], folder: Path, given: Mapping[str, float] = THIRDS, seed: int = 0,
    **more,
) -> dict[str, str | None]:  # fmt: skip
    """The split of each id, in the order of the file."""
    assign(iter(answers), given, seed, folder / "splits.jsonl", **more)
    return {row["id"]: row["split"] for row in rows(folder)}


def rows(folder: Path) -> list[dict]:
    path = folder / "splits.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def of(found: Mapping[str, str | None], letter: str) -> set[str | None]:
    return {where for id, where in found.items() if id[0] == letter}


@pytest.mark.parametrize("count", [100, 1_000, 10_000])
def test_a_family_of_near_duplicates_and_a_chain_of_children_are_in_one_split_each(count, tmp_path):
    some = count // 10
    answers = shuffled([*relatives(some), *chain(some), *strangers(count - 2 * some)])
    found = split(answers, tmp_path)
    assert len(of(found, "f")) == len(of(found, "c")) == 1
    assert Counter(found.values()) == {
        "train": round(0.4 * count), "validation": round(0.3 * count), "test": round(0.3 * count)
    }  # fmt: skip


def test_a_family_larger_than_the_smallest_split_goes_to_train_whole(tmp_path):
    found = split([*relatives(31), *strangers(69)], tmp_path)
    assert of(found, "f") == {"train"}
    assert Counter(found.values()) == {"train": 40, "validation": 30, "test": 30}


def test_the_smallest_split_sets_the_bound_also_where_a_larger_one_has_room(tmp_path):
    given = {"train": 0.6, "validation": 0.1, "test": 0.3}
    found = split([*relatives(11), *strangers(89)], tmp_path, given)
    assert of(found, "f") == {"train"}


def test_what_no_stratum_has_room_for_fills_the_splits_all_the_same(tmp_path):
    answers = [
        answer(f"g{n} {k}", said.user_context, f"{said.question} {k}", label=f"label {n // 5}")
        for n, said in enumerate(strangers(100))
        for k in range(2)
    ]
    sizes = Counter(split(answers, tmp_path, {"train": 0.9, "test": 0.1}).values())
    assert sizes == {"train": 180, "test": 20}


@pytest.mark.parametrize("random_seed", range(4))
def test_sizes_are_as_asked_within_the_size_of_a_cluster(random_seed, tmp_path):
    answers = [
        answer(f"g{n} {k}", said.user_context, f"{said.question} {k}")
        for n, said in enumerate(strangers(60))
        for k in range(7)
    ]
    found = split(shuffled(answers), tmp_path, DEFAULT_SHARES, random_seed)
    for one in ("validation", "test"):
        assert 21 - 7 < Counter(found.values())[one] <= 21
    assert all(len(of_group) == 1 for of_group in by_group(found).values())


def by_group(found: Mapping[str, str | None]) -> dict[str, set[str | None]]:
    groups: dict[str, set[str | None]] = {}
    for id, where in found.items():
        groups.setdefault(id.split(" ")[0], set()).add(where)
    return groups


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (1, {"train": 1}),
        (9, {"train": 9}),
        (12, {"train": 10, "validation": 1, "test": 1}),
        (200, {"train": 180, "validation": 10, "test": 10}),
    ],
)
def test_few_records_are_for_training_first(count, sizes, tmp_path):
    assert Counter(split(strangers(count), tmp_path, DEFAULT_SHARES).values()) == sizes


def test_no_answers_make_no_file(tmp_path):
    assert split([], tmp_path) == {}
    assert not (tmp_path / "splits.jsonl").exists()


def test_without_a_share_for_train_the_largest_split_takes_the_rest(tmp_path):
    found = split([*relatives(20), *strangers(30)], tmp_path, {"validation": 0.3, "test": 0.7})
    assert of(found, "f") == {"test"}
    assert Counter(found.values()) == {"validation": 15, "test": 35}


def test_strata_are_spread_over_the_splits(tmp_path):
    labels = [{"label": "buy"}] * 100 + [{"label": "sell"}] * 300
    answers = [
        one.model_copy(update=said) for one, said in zip(strangers(400), labels, strict=True)
    ]
    found = split(answers, tmp_path, {"train": 0.8, "validation": 0.1, "test": 0.1})
    by = Counter((found[one.id], one.label) for one in answers)
    assert by["validation", "buy"] == by["test", "buy"] == 10
    assert by["validation", "sell"] == by["test", "sell"] == 30


def test_topics_are_strata_and_so_are_tags_where_there_are_neither_labels_nor_topics(tmp_path):
    for place, more in enumerate(({"topic": ("gold",)}, {"meta": {"tags": ["gold", "x"]}})):
        answers = [*strangers(20, 0, **more), *strangers(80, 20)]
        folder = tmp_path / str(place)
        found = split(answers, folder, {"train": 0.8, "test": 0.2})
        assert sum(found[one.id] == "test" for one in answers[:20]) == 4


def test_the_order_of_the_file_changes_nothing(tmp_path):
    answers = [*relatives(40), *chain(20), *strangers(140)]
    there = split(answers, tmp_path / "one", DEFAULT_SHARES)
    again = split(shuffled(answers, 3), tmp_path / "other", DEFAULT_SHARES)
    assert there == again
    groups = [{row["id"]: row["group"] for row in rows(tmp_path / f)} for f in ("one", "other")]
    assert groups[0] == groups[1]


def test_the_same_again_writes_the_same_bytes(tmp_path):
    answers = [*relatives(20), *strangers(80)]
    split(answers, tmp_path)
    before = (tmp_path / "splits.jsonl").read_bytes()
    split(answers, tmp_path)
    assert (tmp_path / "splits.jsonl").read_bytes() == before


def test_another_random_seed_makes_another_split(tmp_path):
    answers = strangers(200)
    one, other = (split(answers, tmp_path / str(seed), seed=seed) for seed in (1, 2))
    assert one != other
    assert Counter(one.values()) == Counter(other.values())


@pytest.mark.parametrize("where", ["behind", "between", "before"])
def test_what_was_assigned_stays_when_records_are_added(where, tmp_path):
    old, new = strangers(200), strangers(300, 200)
    before = split(old, tmp_path)
    answers = {"behind": old + new, "between": shuffled(old + new), "before": new + old}[where]
    after = split(answers, tmp_path)
    assert {id: after[id] for id in before} == before
    assert Counter(after.values()) == {"train": 200, "validation": 150, "test": 150}
    assert list(after) == [one.id for one in answers]


def test_a_new_record_goes_where_those_are_that_it_belongs_with(tmp_path):
    old = strangers(200)
    before = split(old, tmp_path)
    near = [
        answer(f"n{n}", one.user_context, f"{one.question} please") for n, one in enumerate(old)
    ]
    children = [
        one.model_copy(update={"id": f"k{n}", "parents": (f"s{n}",), "strategy": "augment"})
        for n, one in enumerate(strangers(200, 200))
    ]
    after = split([*shuffled(near), *old, *shuffled(children)], tmp_path)
    for n in range(200):
        assert after[f"n{n}"] == after[f"k{n}"] == before[f"s{n}"]


def test_records_that_are_gone_stand_at_the_end_and_come_back_where_they_were(tmp_path):
    old = strangers(100)
    before = split(old, tmp_path)
    fewer = split(old[10:], tmp_path)
    assert list(fewer) == [one.id for one in old[10:] + old[:10]]
    assert fewer == before
    assert [row["id"] for row in rows(tmp_path) if "absent" in row] == [f"s{n}" for n in range(10)]
    assert split(old, tmp_path) == before
    assert not any("absent" in row for row in rows(tmp_path))


def test_a_child_stays_with_the_family_of_a_parent_that_is_gone(tmp_path):
    old, children, more = strangers(60), strangers(60, 100), strangers(60, 200)
    of = [{"parents": (one.id,), "strategy": "evolve"} for one in (*old, *children)]
    born = [one.model_copy(update=more) for one, more in zip(children, of[:60], strict=True)]
    before = split([*old, *born], tmp_path)
    last = [one.model_copy(update=more) for one, more in zip(more, of[60:], strict=True)]
    after = split(shuffled([*old, *last]), tmp_path)
    assert all(after[f"s{200 + n}"] == before[f"s{100 + n}"] == before[f"s{n}"] for n in range(60))
    groups = {row["id"]: row["group"] for row in rows(tmp_path)}
    assert all(groups[f"s{200 + n}"] == groups[f"s{n}"] for n in range(60))
    shown = strangers(60, 300)
    shown = [one.model_copy(update={"strategy": "few_shot", "parents": ("s0",)}) for one in shown]
    assert len({split([*old, *shown], tmp_path)[one.id] for one in shown}) == 3


def test_near_duplicates_whose_parents_another_run_parted_are_not_in_two_splits(tmp_path):
    there = tmp_path / "there.jsonl"
    there.write_text('{"id": "p0", "split": "train"}\n{"id": "p1", "split": "test"}\n')
    children = [
        one.model_copy(update={"parents": (f"p{n % 2}",), "strategy": "transform"})
        for n, one in enumerate(strangers(20))
    ]
    found = split(children, tmp_path, lent=[there])
    assert list(found.values()) == ["train", "test"] * 10
    twin = children[0].model_copy(update={"id": "twin", "parents": ("p1",)})
    found = split([*children, twin], tmp_path / "again", lent=[there])
    assert parted(found, [("s0", "twin")]) == 0


def bridge(one: Answer, other: Answer) -> Answer:
    return answer("bridge", text(random.Random("b"), 20), text(random.Random("d")),
                  parents=(one.id, other.id), strategy="evolve")  # fmt: skip


def test_a_record_between_two_splits_is_left_out_with_its_reason(tmp_path):
    old = strangers(100)
    before = split(old, tmp_path)
    train, test = (next(o for o in old if before[o.id] == s) for s in ("train", "test"))
    after = split([*old, bridge(train, test)], tmp_path)
    assert after == {**before, "bridge": None}
    row = rows(tmp_path)[-1]
    assert row["reason"] == "bridge"
    ends = [f"{train.id} of train", f"{test.id} of test"]
    assert row["detail"] in (f"belongs with {a} and {b}" for a, b in (ends, ends[::-1]))
    assert split([*old, bridge(train, train)], tmp_path)["bridge"] == "train"


def test_what_comes_back_is_left_out_if_others_took_its_place(tmp_path):
    old = strangers(100)
    before = split(old, tmp_path)
    gone = next(one for one in old if before[one.id] == "test")
    rest = [one for one in old if one is not gone]
    near = [answer(f"n{n}", gone.user_context, f"{gone.question} {n}") for n in range(20)]
    free = split([*rest, *near], tmp_path)
    (there,) = {free[one.id] for one in near}
    back = split([*rest, *near, gone], tmp_path)
    assert {back[one.id] for one in near} == {there}
    assert back[gone.id] == ("test" if there == "test" else None)


def parted(found: Mapping[str, str | None], pairs: Iterable[tuple[str, str]]) -> int:
    return sum(len({found[one], found[other]} - {None}) > 1 for one, other in pairs)


def test_near_duplicates_under_the_ids_of_other_texts_are_not_parted(tmp_path):
    before = split(strangers(200), tmp_path)
    new = strangers(100, 200)
    pairs = [(f"s{2 * n}", f"s{2 * n + 1}") for n in range(100)]
    answers = [
        answer(id, one.user_context, f"{one.question}{more}")
        for one, ids in zip(new, pairs, strict=True)
        for id, more in zip(ids, ("", " please"), strict=True)
    ]
    after = split(answers, tmp_path)
    assert parted(after, pairs) == 0
    assert {id: where for id, where in after.items() if where}.items() <= before.items()
    apart = sum(before[one] != before[other] for one, other in pairs)
    assert list(after.values()).count(None) == apart > 20
    assert split(shuffled(answers), tmp_path / "other") == split(answers, tmp_path / "again")


def test_a_changed_record_stays_unless_what_it_is_like_now_is_elsewhere(tmp_path):
    old = strangers(100)
    before = split(old, tmp_path)
    train, other, test = (
        [o for o in old if before[o.id] == s][n]
        for s, n in (("train", 0), ("train", 1), ("test", 0))
    )
    fresh = strangers(1, 500)[0]
    like = {"user_context": test.user_context, "question": test.question}
    new = {"user_context": fresh.user_context, "question": fresh.question}
    changed = {train.id: train.model_copy(update=like), other.id: other.model_copy(update=new)}
    done = assign([changed.get(o.id, o) for o in old], THIRDS, 0, tmp_path / "splits.jsonl")
    after = {row["id"]: row for row in rows(tmp_path)}
    assert {id: row["split"] for id, row in after.items()} == {**before, train.id: None}
    assert after[train.id]["detail"] == f"is of train by itself, and belongs with {test.id} of test"
    assert (done.left_out, done.stayed) == (1, 98)
    assert all(leak.near == 0 for leak in done.leakage.leaks)


def test_a_record_whose_parents_changed_is_left_out_where_they_are_elsewhere(tmp_path):
    old = strangers(100)
    before = split(old, tmp_path)
    train, test = (next(o for o in old if before[o.id] == s) for s in ("train", "test"))
    child = train.model_copy(update={"parents": (test.id,), "strategy": "evolve"})
    after = split([child if o is train else o for o in old], tmp_path)
    assert after == {**before, train.id: None}


def test_of_records_that_share_an_id_a_change_of_any_counts(tmp_path):
    twins = [strangers(1, n)[0].model_copy(update={"id": "twin"}) for n in (100, 101)]
    old = strangers(98)
    before = split([*twins, *old], tmp_path)
    kept = (tmp_path / "splits.jsonl").read_bytes()
    assert assign([*twins[::-1], *old], THIRDS, 0, tmp_path / "splits.jsonl").stayed == 100
    assert (tmp_path / "splits.jsonl").read_bytes() == kept
    there = next(o for o in old if before[o.id] != before["twin"])
    after = split([twins[0], there.model_copy(update={"id": "twin"}), *old], tmp_path)
    assert after == {**before, "twin": None}


def test_a_line_without_a_digest_is_taken_as_unchanged_and_has_one_from_then_on(tmp_path):
    old = strangers(50)
    lines = [f'{{"id": "{o.id}", "split": "{s}"}}\n'
             for o, s in zip(old, ["train", "test"] * 25, strict=True)]  # fmt: skip
    (tmp_path / "splits.jsonl").write_text("".join(lines))
    old[0] = old[1].model_copy(update={"id": "s0"})
    assert parted(split(old, tmp_path), [("s0", "s1")]) == 1
    assert all(len(row["content"]) == 16 for row in rows(tmp_path))
    old[2] = old[3].model_copy(update={"id": "s2"})
    assert split(old, tmp_path)["s2"] is None


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_however_it_grows_nothing_near_and_no_lineage_is_parted(tmp_path_factory, seed):
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("growing")
    answers: list[Answer] = []
    found: dict[str, str | None] = {}
    for step in range(4):
        for n in range(25):
            id, kind = f"{step} {n}", rng.random()
            one = answer(id, text(rng, 12), text(rng, 9))
            if answers and kind < 0.5:
                like = rng.choice(answers)
                question = like.question.split()
                question[rng.randrange(len(question))] = rng.choice(WORDS)
                one = answer(id, like.user_context, " ".join(question))
            elif answers and kind < 0.7:
                parents = tuple(rng.choice(answers).id for _ in range(rng.randint(1, 2)))
                one = one.model_copy(update={"parents": parents, "strategy": "evolve"})
            answers.insert(rng.randrange(len(answers) + 1), one)
        changed = set()
        for place in rng.sample(range(len(answers)), 5 * (step > 0)):
            like, old = rng.choice(answers), answers[place]
            texts = {"user_context": like.user_context, "question": f"{like.question} now"}
            answers[place] = old.model_copy(update=texts)
            changed.add(old.id)
        before, found = found, split(answers, folder)
        for id, where in before.items():
            assert found[id] == where or not where or (id in changed and not found[id])
        for one in answers:
            for other in answers:
                texts = [(a.user_context, a.question) for a in (one, other)]
                if one.id in other.parents or (one.id < other.id and alike(*texts)):
                    assert len({found[one.id], found[other.id]} - {None}) < 2


def test_other_shares_or_another_seed_assign_all_anew_and_say_so(tmp_path):
    answers, path = strangers(100), tmp_path / "splits.jsonl"
    assert not assign(answers, THIRDS, 0, path).anew
    again = assign(answers, THIRDS, 0, path)
    assert (again.anew, again.stayed) == (False, 100)
    for wanted, seed, seeds_for_test in ((DEFAULT_SHARES, 0, False), (DEFAULT_SHARES, 1, False),
                                        (DEFAULT_SHARES, 1, True)):  # fmt: skip
        done = assign(answers, wanted, seed, path, seeds_for_test)
        assert (done.anew, done.stayed) == (True, 0)
        assert done.records == {"train": 90, "validation": 5, "test": 5}
    path.unlink()
    assert split(answers, tmp_path, DEFAULT_SHARES, 1, held_out=True) == split(
        answers, tmp_path / "fresh", DEFAULT_SHARES, 1, held_out=True
    )


def test_assignments_that_a_person_wrote_are_kept(tmp_path):
    (tmp_path / "splits.jsonl").write_text(
        '{"id": "s1", "split": "test"}\n{"id": "s2", "split": "validation"}\n'
    )
    found = split(strangers(50), tmp_path, DEFAULT_SHARES)
    assert (found["s1"], found["s2"]) == ("test", "validation")


def test_what_a_person_parted_stays_parted_and_the_table_says_so(tmp_path):
    (tmp_path / "splits.jsonl").write_text(
        '{"id": "s1", "split": "test"}\n{"id": "near", "split": "train"}\n'
    )
    answers = strangers(50)
    near = answers[1].model_copy(update={"id": "near"})
    done = assign([*answers, near], DEFAULT_SHARES, 0, tmp_path / "splits.jsonl")
    found = {row["id"]: row["split"] for row in rows(tmp_path)}
    assert (found["s1"], found["near"], done.left_out) == ("test", "train", 0)
    (leak,) = (one for one in done.leakage.leaks if {one.smaller, one.larger} == {"train", "test"})
    assert (leak.equal, leak.near) == (1, 1)


def test_seeds_are_for_test_on_request_with_all_that_belongs_with_them(tmp_path):
    seeds = [one.model_copy(update={"strategy": "seed"}) for one in strangers(6)]
    near = answer("n", seeds[0].user_context, f"{seeds[0].question} please")
    child = chain(1)[0].model_copy(update={"parents": ("s1",)})
    answers = [*seeds, near, child, *strangers(92, 6)]
    found = split(answers, tmp_path, DEFAULT_SHARES, held_out=True)
    assert {found[one.id] for one in [*seeds, near, child]} == {"test"}
    assert Counter(found.values()) == {"train": 87, "validation": 5, "test": 8}
    assert Counter(split(answers, tmp_path, DEFAULT_SHARES).values())["test"] == 5


def test_seeds_that_come_later_are_for_test_unless_they_belong_with_what_is_elsewhere(tmp_path):
    old = strangers(50)
    before = split(old, tmp_path, held_out=True)
    train = next(one for one in old if before[one.id] == "train")
    new = strangers(1, 50)[0].model_copy(update={"strategy": "seed"})
    like = train.model_copy(update={"id": "like", "strategy": "seed"})
    after = split([*old, new, like], tmp_path, held_out=True)
    assert (after["s50"], after["like"], after[train.id]) == ("test", None, "train")


def test_examples_that_were_only_shown_join_nothing_but_real_parents_do(tmp_path):
    shown = [
        one.model_copy(update={"strategy": "few_shot", "parents": ("a", "b")})
        for one in strangers(50)
    ]
    assert len({row["group"] for row in groups_of(shown, tmp_path / "shown")}) == 50
    for strategy in ("", "evolve", "my own"):
        made = [one.model_copy(update={"strategy": strategy}) for one in shown]
        assert len({row["group"] for row in groups_of(made, tmp_path / strategy)}) == 1


def groups_of(answers: Sequence[Answer], folder: Path) -> list[dict]:
    split(answers, folder)
    return rows(folder)


def test_a_family_is_together_with_its_first_ancestor_whatever_id_that_has(tmp_path):
    seed, *others = strangers(30)
    family = content_id(seed.user_context, seed.question)
    derived = [
        one.model_copy(update={"family": family, "strategy": "transform", "parents": (f"p{n}",)})
        for n, one in enumerate(others[:10])
    ]
    groups = Counter(r["group"] for r in groups_of([seed, *derived, *others[10:]], tmp_path))
    assert sorted(groups.values()) == [1] * 19 + [11]


def test_records_that_share_an_id_are_one_line_and_in_one_split(tmp_path):
    twins = [strangers(1, n)[0].model_copy(update={"id": "twin"}) for n in range(100, 103)]
    done = assign([*twins, *strangers(97)], THIRDS, 0, tmp_path / "splits.jsonl")
    assert sum(done.records.values()) == 100
    assert [row["id"] for row in rows(tmp_path)].count("twin") == 1


def test_of_records_that_share_an_id_all_are_left_out_if_one_is(tmp_path):
    old = strangers(100)
    before = split(old, tmp_path)
    ends = [next(o for o in old if before[o.id] == s) for s in ("train", "test")]
    twin = strangers(1, 200)[0].model_copy(update={"id": "bridge"})
    done = assign([*old, twin, bridge(*ends)], THIRDS, 0, tmp_path / "splits.jsonl")
    assert done.left_out == 2
    assert [row["split"] for row in rows(tmp_path)[100:]] == [None]


def test_the_lookup_says_the_split_of_each_record_or_that_it_is_left_out(tmp_path):
    path = tmp_path / "splits.jsonl"
    old = strangers(100)
    before = split(old, tmp_path)
    ends = [next(o for o in old if before[o.id] == s) for s in ("train", "test")]
    found = split([*old, bridge(*ends)], tmp_path)
    assigned = Assigned(path)
    assert {id: assigned.split(id) for id in found} == found
    with pytest.raises(UserError, match="says nothing of the record other"):
        assigned.split("other")


def planted() -> tuple[list[Answer], dict[str, str]]:
    """Records that leak, and where they are: an equal prompt, a near one, a child, a sibling."""
    train, test, rest = strangers(40), strangers(20, 40), strangers(20, 60)
    test[0] = train[0].model_copy(update={"id": "s40"})
    test[1] = answer("s41", train[1].user_context, f"{train[1].question} please")
    test[2] = test[2].model_copy(update={"parents": ("s2",), "strategy": "evolve"})
    test[3] = test[3].model_copy(update={"parents": ("else",), "strategy": "evolve"})
    rest[0] = rest[0].model_copy(update={"parents": ("else",), "strategy": "evolve"})
    where = [("train", train), ("test", test), ("validation", rest)]
    return train + test + rest, {one.id: split for split, some in where for one in some}


def leaks(answers: Sequence[Answer], where: Mapping[str, str]) -> leakage.Leakage:
    lineage = Lineage()
    with Prompts() as prompts:
        for n, one in enumerate(answers):
            prompts.add(one.id, one.user_context, one.question, one.images)
            for name in names(one):
                lineage.add(n, name)
        prompts.complete()
        splits = bytes(SPLITS.index(where[one.id]) + 1 for one in answers)
        return leakage.leakage(prompts, lineage, splits)


def test_the_table_finds_what_was_planted():
    validation, test, both = leaks(*planted()).leaks
    assert (validation.smaller, validation.larger) == ("validation", "train")
    assert (test.smaller, test.larger) == ("test", "train")
    assert {both.smaller, both.larger} == {"validation", "test"}
    assert (validation.equal, validation.near, validation.kin) == (0, 0, 0)
    assert (test.records, test.equal, test.near, test.kin) == (20, 1, 2, 2)
    assert (both.equal, both.near, both.kin) == (0, 0, 1)
    assert test.nearest_highest == 1
    assert validation.nearest_highest < 0.7
    assert 0 < validation.nearest_mean < validation.nearest_highest


def test_the_table_takes_what_is_asked_of_other_images_for_no_leak():
    answers, where = planted()
    alone = [one.model_copy(update={"images": (f"{one.id}.png",)}) for one in answers]
    same = {"user_context": "", "question": "Describe this image."}
    answers = [one.model_copy(update=same) for one in alone]
    answers[-1] = answers[-1].model_copy(update={"images": answers[0].images})
    assert [(leak.equal, leak.near) for leak in leaks(answers, where).leaks] == [
        (1, 1), (0, 0), (0, 0)
    ]  # fmt: skip


def test_prompts_that_are_trained_as_one_text_are_equal_however_they_are_divided(tmp_path):
    parts = strangers(100)
    whole = [
        answer(f"w{n}", "", f"{one.user_context}\n\n{one.question}") for n, one in enumerate(parts)
    ]
    found = split(shuffled([*parts, *whole]), tmp_path)
    assert all(found[f"s{n}"] == found[f"w{n}"] for n in range(100))
    where = {one.id: "train" for one in parts} | {one.id: "test" for one in whole}
    (leak,) = leaks([*parts, *whole], where).leaks
    assert (leak.equal, leak.near) == (100, 100)


def test_the_table_finds_what_a_random_split_leaks_and_none_in_ours(tmp_path):
    answers = [*relatives(300), *strangers(700)]
    where = {one.id: random.Random(one.id).choice(SPLITS) for one in answers}
    assert all(leak.near > 80 for leak in leaks(answers, where).leaks)
    done: Summary = assign(answers, THIRDS, 0, tmp_path / "splits.jsonl")
    assert [(leak.equal, leak.near, leak.kin) for leak in done.leakage.leaks] == [(0, 0, 0)] * 3


def test_the_table_is_printed_and_stands_on_a_page():
    table = leaks(*planted())
    head, first, *_ = leakage.lines(table)
    assert head.split() == ["of", "/", "in", "records", "equal", "near", "kin", "most", "alike",
                            "mean"]  # fmt: skip
    assert first.startswith("validation / train")
    assert len(set(map(len, leakage.lines(table)))) == 1
    page = leakage.markdown(table).splitlines()
    assert page[0] == "| of / in | records | equal | near | kin | most alike | mean |"
    assert len({line.count("|") for line in page}) == 1
    assert [row["near"] for row in table.as_json()] == [0, 2, 0]
    assert leakage.lines(leakage.Leakage()) == []
    assert leakage.markdown(leakage.Leakage()) == ""


def test_shares_are_read_or_refused():
    assert shares("train=0.8, validation=0.1,test=0.1") == {
        "train": 0.8, "validation": 0.1, "test": 0.1
    }  # fmt: skip
    for wrong in ("train=1.2,test=-0.2", "train=0.5", "training=1", "train", "train=1,train=0"):
        with pytest.raises(UserError, match="--split"):
            shares(wrong)
