"""The strategy that covers a tree of topics: its file, its order, and what fell behind."""

import tomllib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs import TOPICS, lines, material, seeds, teacher
from test_strategies import setting

from distillgen.errors import UserError
from distillgen.records import Completion, Example
from distillgen.strategies import Turn
from distillgen.strategies.topics import Tree, due, order, parse, plan, read, text

TREE = Tree(
    tuple(
        (f"D{d}", f"S{d}{s}", f"L{d}{s}{n}", f"C{c}")
        for d in range(3)
        for s in range(2 + d)
        for n in range(3)
        for c in range(2 + n)
    )
)


def written(folder, words):
    path = folder / "topics.toml"
    path.write_text(words)
    return path


def inputs(leaves):
    return [Example(question=f"Q{n}", id=str(n), topic=leaf) for n, leaf in enumerate(leaves)]


# -- order -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1])
def test_a_round_has_every_leaf_once_and_spreads_from_the_beginning(n):
    leaves = order(TREE.leaves, n, 0)
    assert sorted(leaves) == sorted(TREE.leaves)
    for depth in (1, 2, 3):
        parts = {leaf[:depth] for leaf in leaves}
        assert {leaf[:depth] for leaf in leaves[: len(parts)]} == parts


def test_each_round_and_each_random_seed_has_an_order_of_its_own():
    orders = {order(TREE.leaves, n, seed) for n in range(3) for seed in range(3)}
    assert len(orders) == 9


def test_leaves_of_any_depth_are_ordered():
    leaves = (("a",), ("b", "c"), ("b", "d", "e"), ("b", "d", "f", "g"))
    assert sorted(order(leaves, 0, 0)) == sorted(leaves)


@pytest.mark.parametrize("per_call", [1, 4, 10])
def test_the_first_round_asks_about_every_leaf_once(per_call):
    asked = [
        leaf
        for nth in range(-(-len(TREE.leaves) // per_call))
        for leaf in due(TREE, nth, [], setting("topics", per_call))
    ]
    assert len(set(asked[: len(TREE.leaves)])) == len(TREE.leaves)


def test_a_request_is_about_different_leaves_also_where_two_rounds_meet():
    tree = Tree(TREE.leaves[:10])
    for nth in range(100):
        assert len(set(due(tree, nth, [], setting("topics", 7)))) == 7
    few = Tree((("a",), ("b",)))
    assert Counter(due(few, 0, [], setting("topics", 4))) == {("a",): 2, ("b",): 2}


def test_leaves_that_fell_behind_come_first_in_the_next_round():
    missing = set(order(TREE.leaves, 0, 0)[5:8])
    pool = inputs(leaf for leaf in TREE.leaves if leaf not in missing)
    nth = 2 * len(TREE.leaves)
    tree = Tree(TREE.leaves)
    found = [due(tree, nth + i, pool, setting("topics", 1))[0] for i in range(3)]
    assert set(found) == missing
    assert missing <= set(due(tree, nth // 5, pool, setting("topics", 5)))  # slots 160 to 164


def test_what_is_not_known_yet_is_not_behind():
    known = order(TREE.leaves, 0, 0)[: len(TREE.leaves) // 2]
    nth = len(TREE.leaves) // 3
    found = due(Tree(TREE.leaves), nth, inputs(known), setting("topics", 3))
    assert found == list(order(TREE.leaves, 1, 0)[:3])


def test_inputs_are_counted_on_with_the_same_pool_and_anew_with_another():
    tree = Tree(TREE.leaves)
    pool = inputs(TREE.leaves)
    for n in (0, 3, 10, 7):
        assert tree.counted(pool[:n]) == Counter(TREE.leaves[:n])
    other = [Example(question="x", id="x", topic=TREE.leaves[0])] * 9
    assert tree.counted(other) == {TREE.leaves[0]: 9}


# -- what is asked and read ------------------------------------------------------------------------


def test_each_input_belongs_to_the_topic_that_it_names():
    lineage = {"parents": ["s"], "topics": [["a", "b"], ["a", "c"]]}
    said = (
        '{"examples": [{"number": "2", "user_context": "I fish", "question": "Which boat?"},'
        ' {"number": 1, "user_context": "I bake", "question": "Which flour?"},'
        ' {"number": "3", "user_context": "I sail", "question": "Which rope?"}]}'
    )
    found = parse(Completion(said, finish_reason="stop"), lineage)
    assert [p.origin.get("topic") for p in found] == [("a", "c"), ("a", "b"), None]
    assert "number 3" in found[2].problem


def test_the_prompt_names_each_topic(tmp_path):
    from dataclasses import replace

    given = replace(setting("topics", 3), material=TREE)
    planned = plan(Turn(4, 4), [], given)
    assert len(planned.lineage["topics"]) == 3
    for n, leaf in enumerate(planned.lineage["topics"], 1):
        assert f"{n}. {' > '.join(leaf)}\n" in planned.request.messages[-1].content + "\n"


def test_every_leaf_is_covered_though_a_third_of_the_proposals_repeat(cli, server, tmp_path):
    server.set(twins=0.35)
    cli("expand", seeds(tmp_path), "-n", 40, "--per-call", 3, "--strategy", "topics",
        *material(tmp_path, "topics"), *teacher(server))  # fmt: skip
    made = lines(tmp_path / "runs/stock_advisor/inputs.jsonl")
    leaves = read(tmp_path / "topics.toml").leaves
    counts = Counter(tuple(row["topic"]) for row in made)
    assert counts.keys() == set(leaves)
    assert min(counts.values()) >= 2


# -- the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line", "what"),
    [
        ('["a"."b"]\n"c" = ["d"', 2, "not TOML"),
        ('["a"."b"]\n"c" = ["d"]\n"c" = ["e"]', 3, "not TOML: Cannot overwrite a value"),
        ('["a"."b"]\n"c" = ["d"]\n\n["a"."b"]', 4, "not TOML: Cannot declare"),
        ('["a"."b"]\n\n"c" = ["d", "e", "D"]', 3, "`D` stands in `c` twice; leave one out"),
        ('["a"."b"]\n"c" = ["d"]\n"C" = ["e"]', 3, "`C` stands there twice"),
        ('["a"."b"]\n"c" = ["d"]\n[a.e]', 3, "no topic in it; write some, such as"),
        ('["a"."b"]\n"c" = ["d", " "]', 2, "a concept of `c` is empty; leave it out"),
        ('["a"."b"]\n"" = ["d"]', 2, "a name is empty; write one"),
        ('["a"."b"]\n"c" = "d"', 2, "`c` must be a list of texts"),
        ('["a"."b"]\n"x.y" = []\n"c" = [\n  "d",\n  5\n]', 3, "`c` must be a list of texts"),
        ("# nothing yet\n", 1, "no topic in it"),
        ("a = " + "[" * 5000, 1, "not TOML|nested too deeply"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path, words, line, what):
    path = written(tmp_path, words)
    with pytest.raises(UserError) as caught:
        read(path)
    said = str(caught.value)
    assert any(part in said for part in what.split("|"))
    assert said.startswith(f"{path}:{line}: ") or "nested" in said


def test_all_faults_are_told_at_once(tmp_path):
    with pytest.raises(UserError) as caught:
        read(written(tmp_path, '["a"."b"]\n"c" = 1\n"d" = [""]\n["e"]'))
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["2", "3", "4"]


def test_concepts_and_sessions_without_any_are_leaves(tmp_path):
    tree = read(written(tmp_path, 'top = ["x"]\n' + TOPICS))
    assert len(tree.leaves) == 11
    assert ("Saving", "Reserves", "How much") in tree.leaves
    assert ("Saving", "Reserves", "Where", "accounts") in tree.leaves
    assert ("top", "x") in tree.leaves


names = st.text(min_size=1).map(lambda name: " ".join(name.split())).filter(bool)
few = st.lists(names, min_size=1, max_size=3, unique_by=str.casefold)


@given(few, few, few, few)
def test_any_names_are_written_so_that_they_read_the_same(tmp_path_factory, a, b, c, d):
    draft = {i: {j: dict.fromkeys(c, d) for j in b} for i in a}
    spelled = text(draft)
    path = tmp_path_factory.mktemp("topics") / "topics.toml"
    try:
        path.write_text(spelled)
    except UnicodeEncodeError:  # lone surrogates: the run's file gets U+FFFD
        return
    assert tomllib.loads(spelled) == draft
    assert set(read(path).leaves) == {(i, j, k, m) for i in a for j in b for k in c for m in d}


def test_without_a_tree_the_command_that_drafts_one_is_named(refused, server, tmp_path):
    job = ["expand", seeds(tmp_path), "--strategy", "topics", *teacher(server)]
    assert "`distillgen topics SEEDS` drafts one" in refused(*job)
    assert "--topics no.toml: no such file" in refused(*job, "--topics", "no.toml")
    said = refused(*job[:2], *teacher(server), "--topics", "no.toml")
    assert "--topics: is read by --strategy topics" in said
    (tmp_path / "runs/stock_advisor").mkdir(parents=True, exist_ok=True)
    (tmp_path / "runs/stock_advisor/topics.toml").write_text('["a"]\n"b" = 1')
    assert "runs/stock_advisor/topics.toml:2: `b` must be" in refused(*job)


def test_a_changed_tree_is_said_and_asked_anew(cli, server, tmp_path):
    job = ["expand", seeds(tmp_path), "-n", 8, "--per-call", 4, "--strategy", "topics",
           *material(tmp_path, "topics"), *teacher(server)]  # fmt: skip
    cli(*job)
    path = tmp_path / "topics.toml"
    path.write_text(path.read_text().replace('"growth", ', ""))
    assert "topics.toml changed since the last expand" in cli(*job).err
    made = lines(tmp_path / "runs/stock_advisor/inputs.jsonl")
    assert not any("growth" in row["topic"] for row in made)


# -- stats -----------------------------------------------------------------------------------------


def test_stats_counts_every_leaf_and_names_those_without_inputs(cli, server, tmp_path):
    cli("expand", seeds(tmp_path), "-n", 7, "--per-call", 1, "--strategy", "topics",
        *material(tmp_path, "topics"), *teacher(server))  # fmt: skip
    made = lines(tmp_path / "runs/stock_advisor/inputs.jsonl")
    told = cli("stats", "runs/stock_advisor", "--json").told
    found = told["coverage"]["topics"]
    counts = {tuple(one["topic"]): one["count"] for one in found["counts"]}
    assert counts.keys() == set(read(tmp_path / "topics.toml").leaves)
    assert Counter(counts) == Counter(tuple(row["topic"]) for row in made)
    assert (found["covered"], found["leaves"], found["outside"]) == (7, 10, 0)
    assert any("3 of 10 topics have no record: 'Investing" in one for one in told["warnings"])
    screen = cli("stats", "runs/stock_advisor").out
    assert "topics                7 of 10 have records" in screen
    assert "Saving > Reserves" in screen
    assert told["coverage"]["attributes"] is None


def test_stats_of_a_file_alone_counts_the_topics_that_it_has(cli, tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"question": "Why?", "topic": ["a", "b"]}\n{"question": "Who?"}\n')
    found = cli("stats", path, "--json").told["coverage"]["topics"]
    assert found == {
        "file": None, "leaves": 1, "covered": 1, "outside": 0,
        "counts": [{"topic": ["a", "b"], "count": 1}],
    }  # fmt: skip
