"""Decontamination: what gives a test item away, what does not, and what is written of it."""

import csv
import json
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from jobs import lines
from word_vectors import SYNONYMS, vector

from distillgen import embedding, meaning, overlap
from distillgen.amounts import amounts
from distillgen.overlap import Found, Index, Item

TEST = [
    "A baker sells 24 loaves in the morning and 18 rolls at noon. How many pieces has he sold?",
    "Maria plants 7 rows of tulips with 15 bulbs in each row. How many bulbs does she need?",
    "A train leaves at 9 and covers 340 kilometres in 4 hours. What is its average speed?",
    "Which planet of our solar system takes the longest to travel once around the sun?",
    "I am 35 and rent a small flat. Should I buy gold?",
    "Der Bäcker verkauft jeden Morgen 24 Brötchen. Wie viele sind es in einer Woche?",
]
PARAPHRASES = {
    0: "At noon a baker has sold 18 rolls, after 24 loaves in the morning; in all, how many"
    " pieces did he sell?",
    1: "Every one of seven rows of tulips that Maria plants takes 15 bulbs. What number of bulbs"
    " must she buy?",
    2: "In 4 hours, a train that sets off at 9 gets 340 kilometres far. How fast is it on average?",
    3: "To travel around the sun once takes which planet of the solar system the longest?",
    5: "Wie viele Brötchen verkauft der Bäcker in der Woche, wenn es jeden Morgen 24 sind?",
}
STRANGERS = [
    "A farmer sells 12 sheep in the spring and 30 hens in May. How many animals has she sold?",
    "Tom plants 9 rows of maize with 40 seeds in each row. How many seeds does he need?",
    "How large a reserve is enough for two children and one income?",
    "What is the capital of the country with the longest coast?",
    "明天下雨的时候学校会关门吗",
]


def index(*texts: str) -> Index:
    return Index(Item(line, "", text, "") for line, text in enumerate(texts, 1))


def find(text: str, *texts: str) -> Found | None:
    return index(*(texts or TEST)).find("", text)


def write(path, *rows):
    """A file of JSON lines; texts are questions."""
    made = [{"question": row} if isinstance(row, str) else row for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


@pytest.fixture
def test_set(tmp_path):
    return write(tmp_path / "test.jsonl", *TEST)


# -- the tiers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [TEST[1].upper(), TEST[1].replace(" ", "\n "), TEST[1][:-1] + "!"])
def test_case_blanks_and_punctuation_do_not_hide_a_copy(text):
    found = find(text)
    assert (found.item.line, found.tier, found.score, found.numbers) == (2, "exact", 1.0, 1.0)


def test_equal_test_items_are_named_by_the_first():
    assert find("Buy gold?", "Buy silver?", "Buy gold?", "Buy gold?").item.line == 2


def test_a_text_of_which_more_than_half_stands_in_a_record_is_given_away():
    item = "b c d e f g h i j k l m n o p q r s t u"
    for words, share in ((30, None), (29, None), (22, 0.55)):
        record = " ".join(["x"] * words + item.split()[: round(20 * (share or 0.5))])
        found = find(record, item, "something else altogether")
        if share is None:
            assert found is None or found.tier != "ngram"
        else:
            assert (found.tier, found.score) == ("ngram", share)


def test_grams_that_overlap_count_each_token_once_and_seven_tokens_count_nothing():
    words = list("bcdefghijklmnopq")
    far = " z" * 40
    assert find(" ".join(words[:9]) + far, " ".join(words), "else").score == 0.5625
    short = find(" ".join(words[:7]) + far, " ".join(words[:7]), "else")
    assert short is None or short.tier == "paraphrase"


def test_several_runs_add_up():
    words = [f"w{chr(97 + n)}" for n in range(20)]
    record = [*words[:8], *["x"] * 30, *words[12:]]
    assert find(" ".join(record), " ".join(words), "else").score == 0.8


@pytest.mark.parametrize("place", PARAPHRASES)
def test_a_paraphrase_is_found(place):
    found = find(PARAPHRASES[place])
    assert (found.tier, found.item.question) == ("paraphrase", TEST[place])


@pytest.mark.parametrize("text", [*STRANGERS, "???", "👍"])
def test_an_unrelated_text_of_the_same_kind_is_left_alone(text):
    assert find(text) is None


def test_another_number_makes_another_question():
    same, other = (
        f"At {n} with a small flat that I rent: gold, should I buy it?" for n in (35, 36)
    )
    assert find(same).item.line == 5
    assert find(other) is None


def test_the_less_alike_the_numbers_the_more_alike_the_words_have_to_be():
    assert [overlap._needed(share, 0.4) for share in (1.0, 0.79, 0.5, 0.3, 0.29, 0.0, None)] == [
        0.25, 0.5, 0.5, 0.6, 1.0, 1.0, 0.4,
    ]  # fmt: skip


def test_equal_numbers_lead_to_an_item_with_few_equal_words_and_one_more_may_be_there():
    item = "Tom rents 3 boats for 17 days and pays 250 euros besides 41 of a deposit to the owner."
    found = find(
        "Hire of 3 vessels: 17 mornings, 250 fee, 41 security, Tom, harbour, pier 9", item, *TEST
    )
    assert (found.numbers, found.item.line) == (0.8, 1)
    assert 0.25 < found.score < 0.5


def test_numbers_spelled_out_are_numbers():
    found = find(PARAPHRASES[1])
    assert found.numbers == 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("twice as many as Ann's 30", "2 times thirty"),
        ("half of the 12 rolls", "1/2 of a dozen rolls"),
        ("a 4th of $5.00", "one fourth of $5"),
        ("a quarter of 1,000 or 2.50", "1/4 of 1000 or 2.5"),
    ],
)
def test_an_amount_counts_however_it_is_written(one, other):
    there = amounts(overlap.tokens(one))
    assert there
    assert there <= amounts(overlap.tokens(other))


def test_a_time_is_no_amount():
    assert amounts(overlap.tokens("a second one")) == frozenset()


def test_a_word_counts_in_all_its_forms():
    item = "What does socialization of adolescents lead to?"
    assert find("To what does it lead to socialize an adolescent?", item, *TEST).item.line == 1


def short(*numbers: int) -> list[str]:
    """Short questions, ten on a subject in an order of their own, each with a word of its own."""
    endings = ("ton", "er", "ia", "um", "ol", "us", "ix")
    subjects = [[made(n, ending) for ending in endings] for n in range(20)]
    return [
        f"What is {made(n)} in {' '.join(random.Random(n).sample(subjects[n % 20], 7))}?"
        for n in numbers
    ]


def made(n: int, ending: str = "") -> str:
    return "".join(chr(97 + int(digit)) for digit in f"{n * 7919 % 9973:04}") + ending


def test_what_is_as_like_as_the_items_are_among_themselves_is_no_sign(monkeypatch):
    items, others = short(*range(200)), short(*range(200, 300))
    whole = index(*items)
    assert not any(whole.find("", text) for text in others)
    reworded = " ".join(reversed(items[1].strip("?").split()[2:]))
    assert whole.find("", reworded).item.line == 2
    monkeypatch.setattr(overlap, "NO_NUMBERS", (0.4, 0.4))
    flat = index(*items)
    assert sum(flat.find("", text) is not None for text in others) > 90


def test_a_set_that_repeats_itself_still_finds_copies_and_near_copies():
    items = [f"{text} Really?" for text in short(*range(60)) for _ in range(2)]
    assert find(items[7], *items).tier == "exact"
    assert find("Really? " + items[7].replace("What is", "Is"), *items).item.question == items[7]


def test_a_large_set_is_measured_on_a_part(monkeypatch):
    whole = index(*short(*range(120)))
    monkeypatch.setattr(overlap, "SAMPLE", 24)
    assert index(*short(*range(120)))._no_numbers == pytest.approx(whole._no_numbers, abs=0.05)


def test_words_that_the_test_set_lacks_count():
    assert (
        find("Buy gold?" + " Which of my many old garden chairs ought I to paint?", "Buy gold?")
        is None
    )


WORDS = ["the", "a", "of", "in", "red", "blue", "tall", "cat", "dog", "5", "7", "12", "30", "400"]
word = st.sampled_from(WORDS)
text = st.lists(word, min_size=1, max_size=16).map(" ".join)


@given(st.lists(text, min_size=1, max_size=12), text, st.sampled_from([0.4, 0.45, 0.7]))
def test_the_index_finds_what_comparing_with_every_item_would(texts, record, least):
    whole = Index((Item(0, "", text, "") for text in texts), least)
    tokens = overlap.tokens(record)
    weights, numbers = whole._weights(tokens), amounts(tokens)
    cosines = {}
    for place, other in enumerate(whole._texts):
        cosine = sum(weight * other.weights.get(word, 0) for word, weight in weights.items())
        if cosine > overlap._needed(overlap._jaccard(numbers, other.numbers), least):
            cosines[place] = min(cosine, 1.0)
    assert whole._paraphrased(weights, numbers) == pytest.approx(cosines)


# -- the command -------------------------------------------------------------------------------


def test_flags_carry_the_evidence_and_the_file_stays(cli, tmp_path, test_set):
    rows = [STRANGERS[0], {"id": 7, "question": TEST[2], "topic": "trains"}, PARAPHRASES[0]]
    source = write(tmp_path / "mine.jsonl", *rows)
    before = source.read_bytes()
    ran = cli("decontaminate", "mine.jsonl", "--against", "test.jsonl")
    exact, paraphrase = lines(tmp_path / "runs/mine/contaminated.jsonl")
    assert exact == {
        "question": TEST[2], "line": 2, "id": "7",
        "matches": [{"against": "test.jsonl", "tier": "exact", "score": 1.0, "numbers": 1.0,
                     "question": TEST[2], "line": 3}],
    }  # fmt: skip
    assert (paraphrase["line"], len(paraphrase["id"])) == (3, 16)
    (match,) = paraphrase["matches"]
    assert (match["tier"], match["line"], match["question"]) == ("paraphrase", 1, TEST[0])
    assert source.read_bytes() == before
    assert not (tmp_path / "runs/mine/decontaminated.jsonl").exists()
    assert "3 given = 1 kept + 2 flagged" in ran.err
    row = next(line.split() for line in ran.err.split("\n") if line.startswith("test.jsonl "))
    assert row[1:] == ["6", "1", "0", "1", "2"]
    assert "line 2, exact 1.00" in ran.err
    assert "decontaminate mine.jsonl --against test.jsonl --drop" in ran.err
    assert ran.out == ""


def test_with_drop_the_others_are_written_as_they_are(cli, tmp_path, test_set):
    kept = [
        {"n": 2**70, "question": "Où, dès 1 900 € ?", "meta": {"a": [1]}},
        {"question": "👍", "x": None},
    ]
    write(tmp_path / "mine.jsonl", kept[0], TEST[0], kept[1])
    ran = cli("decontaminate", "mine.jsonl", "--against", test_set, "--drop")
    assert lines(tmp_path / "runs/mine/decontaminated.jsonl") == kept
    assert "answer runs/mine/decontaminated.jsonl" in ran.err


def test_json_tells_the_counts_and_each_test_set(cli, tmp_path, test_set):
    write(tmp_path / "mine.jsonl", *STRANGERS, TEST[0], PARAPHRASES[3])
    told = cli("decontaminate", "mine.jsonl", "--against", "test.jsonl", "--json", "-q").told
    assert told["counts"] == {"given": 7, "kept": 5, "flagged": 2}
    assert told["against"] == [
        {
            "file": "test.jsonl",
            "items": 6,
            "exact": 1,
            "ngram": 0,
            "paraphrase": 1,
            "flagged": 2,
            "above": None,
        }
    ]
    assert told["files"] == ["runs/mine/contaminated.jsonl"]
    assert (told["command"], told["cost_usd"]) == ("decontaminate", 0)


def meant(count: int) -> Iterator[tuple[str, str]]:
    """Questions, and the same in other words: only the subject stays, which others have too."""
    groups = [group.split() for group in SYNONYMS.replace("\n", "").split("|")]
    pairs = [words[:2] for words in groups if "save" not in words]  # it has two meanings
    for n in range(count):
        some = pairs[n % len(pairs)], pairs[(7 * n + n // 30 + 1) % len(pairs)]
        item, reworded = ([pair[(n + side) % 2] for pair in some] for side in (0, 1))
        subject = f"on {made(n % 50)} day"
        yield f"May I {' or '.join(item)} {subject}?", f"{subject}, may I {' or '.join(reworded)}?"


def test_what_is_said_in_other_words_is_found_by_its_meaning(cli, server, tmp_path):
    made = list(meant(150))
    write(tmp_path / "test.jsonl", *(item for item, _ in made[:120]))
    rows = [reworded for _, reworded in made[:10] + made[120:]]
    write(tmp_path / "mine.jsonl", *rows)
    job = ("decontaminate", "mine.jsonl", "--against", "test.jsonl", "--json")
    assert cli(*job).told["counts"]["flagged"] == 0
    witness = ("--embeddings", "openai:vectors-1", "--base-url", server.url)
    told = cli(*job, *witness).told
    assert told["counts"] == {"given": 40, "kept": 30, "flagged": 10}
    (tested,) = told["against"]
    assert (tested["paraphrase"], tested["flagged"]) == (10, 10)
    flags = lines(tmp_path / "runs/mine/contaminated.jsonl")
    assert [flag["line"] for flag in flags] == list(range(1, 11))
    for flag, (item, _) in zip(flags, made[:10], strict=True):
        (match,) = flag["matches"]
        assert (match["tier"], match["question"]) == ("paraphrase", item)
        assert tested["above"] < match["cosine"] <= 1
    asked = len(server.asked)
    again = cli(*job, *witness, "--drop").told
    assert again["counts"] == told["counts"]
    assert len(server.asked) == asked, "no vector is asked for twice"
    assert len(lines(tmp_path / "runs/mine/decontaminated.jsonl")) == 30


def test_where_items_are_about_different_things_more_is_needed_than_the_subject():
    items = [f"{made(n)} {made(n, 'ia')} {made(n // 2, 'um')} {made(n, 'ol')}?" for n in range(120)]
    whole = index(*items)
    text = f"{made(7)} {made(3, 'um')} {made(500, 'ix')} {made(501, 'us')}?"
    vectors = {one: embedding._packed(vector(one)) for one in (*items, text)}
    above = meaning.measured(whole, vectors)
    assert 0.45 < above < 0.65
    assert 0.3 < meaning.nearest(whole, "", text, vectors).cosine < above


def test_a_small_test_set_is_compared_by_its_words_and_no_vector_is_asked_for(
    cli, server, tmp_path, test_set
):
    write(tmp_path / "mine.jsonl", *STRANGERS)
    ran = cli("decontaminate", "mine.jsonl", "--against", test_set, "--embeddings",
              "openai:vectors-1", "--base-url", server.url)  # fmt: skip
    assert "fewer than 100 items, so the words alone decide" in ran.err
    made = (item for item, _ in meant(120))
    write(tmp_path / "large.jsonl", *made)
    ran = cli("decontaminate", "mine.jsonl", "--against", "large.jsonl", "--embeddings",
              "openai:vectors-1", "--base-url", server.url)  # fmt: skip
    assert "fewer than" not in ran.err
    assert server.asked == [], "nothing was in doubt"


def test_without_vectors_nothing_is_written_and_the_same_command_goes_on(cli, server, tmp_path):
    made = list(meant(120))
    write(tmp_path / "test.jsonl", *(item for item, _ in made))
    write(tmp_path / "mine.jsonl", *(reworded for _, reworded in made[:3]))
    job = ("decontaminate", "mine.jsonl", "--against", "test.jsonl", "--embeddings",
           "openai:vectors-1", "--base-url", server.url)  # fmt: skip
    server.set(status=401)
    assert "OPENAI_API_KEY" in cli(*job, code=4).err
    assert not list(tmp_path.glob("runs/*/*contaminated.jsonl"))
    server.set(status=200)
    assert cli(*job, "--json").told["counts"]["flagged"] == 3


def test_a_record_that_matches_two_test_sets_is_one_flag_with_both(cli, tmp_path):
    for name, rows in {"a": [TEST[0]], "b": ["Buy gold?", TEST[0]], "c": ["Sell?"]}.items():
        write(tmp_path / f"{name}.jsonl", *rows)
    write(tmp_path / "mine.jsonl", TEST[0], "Sell?")
    told = cli(
        "decontaminate", "mine.jsonl", "--against", "a.jsonl", "b.jsonl", "--against", "c.jsonl",
        "--json",
    ).told  # fmt: skip
    assert told["counts"]["flagged"] == 2
    assert {row["file"]: row["flagged"] for row in told["against"]} == {
        "a.jsonl": 1, "b.jsonl": 1, "c.jsonl": 1,
    }  # fmt: skip
    flag = lines(tmp_path / "runs/mine/contaminated.jsonl")[0]
    assert [(m["against"], m["line"]) for m in flag["matches"]] == [("a.jsonl", 1), ("b.jsonl", 2)]


def test_nothing_flagged_leaves_no_file_of_flags_and_is_no_error(cli, tmp_path, test_set):
    write(tmp_path / "mine.jsonl", TEST[0])
    cli("decontaminate", "mine.jsonl", "--against", test_set)
    write(tmp_path / "mine.jsonl", *STRANGERS)
    ran = cli("decontaminate", "mine.jsonl", "--against", test_set)
    assert not (tmp_path / "runs/mine/contaminated.jsonl").exists()
    assert "answer mine.jsonl" in ran.err


def test_the_context_belongs_to_the_text(cli, tmp_path):
    write(tmp_path / "test.jsonl", {"user_context": "I am 35", "question": "Should I buy gold?"})
    write(
        tmp_path / "mine.jsonl",
        "I am 35. Should I buy gold?",
        {"user_context": "I am 36", "question": "Should I buy gold?"},
    )
    cli("decontaminate", "mine.jsonl", "--against", "test.jsonl")
    (flag,) = lines(tmp_path / "runs/mine/contaminated.jsonl")
    assert (flag["line"], flag["matches"][0]["user_context"]) == (1, "I am 35")


def test_csv_and_parquet_with_a_mapped_field(cli, tmp_path):
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(
        pyarrow.table({"body": [TEST[0], TEST[1]], "id": [4, 9]}), tmp_path / "one.parquet"
    )
    (tmp_path / "two.csv").write_text(f'body;topic\n"{TEST[2]}";trains\n', "utf-8-sig")
    (tmp_path / "mine.csv").write_text(
        f'question,who\n"{TEST[1]}",Zoë\n"{TEST[2]}",Ann\n"Why?",Bo\n'
    )
    told = cli(
        "decontaminate", "mine.csv", "--against", "one.parquet", "--against", "two.csv",
        "--field", "question=body", "--field", "user_context=who", "--drop", "--json",
    ).told  # fmt: skip
    assert told["counts"] == {"given": 3, "kept": 1, "flagged": 2}
    first = lines(tmp_path / "runs/mine/contaminated.jsonl")[0]
    assert (first["matches"][0]["id"], first["user_context"]) == ("9", "Zoë")
    assert lines(tmp_path / "runs/mine/decontaminated.jsonl") == [{"question": "Why?", "who": "Bo"}]


def test_of_a_run_folder_the_answers_are_taken_else_the_inputs(cli, tmp_path, test_set):
    run = tmp_path / "runs/mine"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text("{}")
    write(run / "inputs.jsonl", *TEST)
    assert cli("decontaminate", run, "--against", test_set, "--json").told["counts"]["given"] == 6
    write(run / "answers.jsonl", {"question": TEST[0], "answer": "42", "id": "1"})
    ran = cli("decontaminate", "runs/mine", "--against", test_set, "--drop", "--json")
    assert ran.told["counts"] == {"given": 1, "kept": 0, "flagged": 1}
    write(run / "answers.jsonl", {"question": "Why?", "answer": "So.", "id": "1"})
    ran = cli("decontaminate", "runs/mine", "--against", test_set, "--drop")
    assert "export runs/mine/decontaminated.jsonl" in ran.err
    cli("export", "runs/mine/decontaminated.jsonl")
    assert len(lines(run / "export/trl-prompt-completion/train.jsonl")) == 1


def test_flags_changed_by_hand_are_not_written_over(cli, tmp_path, test_set):
    write(tmp_path / "mine.jsonl", TEST[0])
    job = ("decontaminate", "mine.jsonl", "--against", "test.jsonl")
    cli(*job)
    cli(*job)
    flags = tmp_path / "runs/mine/contaminated.jsonl"
    flags.write_text("mine\n")
    assert "was changed by hand" in cli(*job, code=2).err
    assert flags.read_text() == "mine\n"
    cli(*job, "--overwrite")
    assert len(lines(flags)) == 1


@pytest.mark.parametrize("name", ["contaminated.jsonl", "decontaminated.jsonl"])
def test_what_is_read_is_never_written_over(cli, tmp_path, test_set, name):
    source = write(tmp_path / name, *TEST)
    before = source.read_bytes()
    job = ("decontaminate", name, "--against", "test.jsonl", "--drop", "--overwrite", "-o", ".")
    assert "would be written over" in cli(*job, code=2).err
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ('{"question": "Why?"}\n{"question": "Wh', ":2: not JSON"),
        ('{"prompt": "Why?"}\n', "no field `question`; there is `prompt`"),
        ('{"question": " "}\n', "no row has a word in its question"),
        (None, "no such file"),
    ],
    ids=["empty", "torn", "another field", "blank", "missing"],
)
@pytest.mark.parametrize("which", ["mine.jsonl", "test.jsonl"])
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_written(
    cli, tmp_path, which, content, said
):
    for name in ("mine.jsonl", "test.jsonl"):
        write(tmp_path / name, TEST[0])
    (tmp_path / which).unlink()
    if content is not None:
        (tmp_path / which).write_text(content)
    err = cli("decontaminate", "mine.jsonl", "--against", "test.jsonl", "--drop", code=2).err
    assert said in err
    assert which in err
    assert "Traceback" not in err
    assert not list(tmp_path.glob("runs/*/*contaminated.jsonl"))


def test_a_mapped_field_that_no_file_has_is_named(cli, tmp_path, test_set):
    write(tmp_path / "mine.jsonl", "Why?")
    job = ("decontaminate", "mine.jsonl", "--against", "test.jsonl", "--field")
    assert "no row has a field `whom`" in cli(*job, "user_context=whom", code=2).err
    assert "no field of ours" in cli(*job, "query=whom", code=2).err


@pytest.mark.parametrize("spelled", ["mine.jsonl", "./mine.jsonl"])
def test_a_file_is_not_its_own_test_set(cli, tmp_path, spelled):
    write(tmp_path / "mine.jsonl", "Why?")
    ran = cli("decontaminate", "mine.jsonl", "--against", spelled, code=2)
    assert "cannot be its own test set" in ran.err


def test_rows_without_a_question_are_passed_over_and_counted(cli, tmp_path):
    write(tmp_path / "test.jsonl", "", TEST[0], " ")
    write(tmp_path / "mine.jsonl", "", TEST[0], {"question": None, "n": 1}, STRANGERS[0])
    ran = cli("decontaminate", "mine.jsonl", "--against", "test.jsonl", "--drop")
    assert [row["line"] for row in lines(tmp_path / "runs/mine/contaminated.jsonl")] == [2]
    kept = lines(tmp_path / "runs/mine/decontaminated.jsonl")
    assert kept == [{"question": ""}, {"question": None, "n": 1}, {"question": STRANGERS[0]}]
    assert "4 given = 3 kept + 1 flagged" in ran.err
    assert "2 records have no question" in ran.err
    assert "2 items of test.jsonl have no question" in ran.err


def test_an_older_file_of_kept_records_is_named(cli, tmp_path, test_set):
    write(tmp_path / "mine.jsonl", TEST[0], "Why?")
    job = ("decontaminate", "mine.jsonl", "--against", "test.jsonl")
    assert "earlier run" not in cli(*job, "--drop").err
    assert "runs/mine/decontaminated.jsonl is of an earlier run" in cli(*job).err


def test_show_prints_flags_with_what_they_give_away(cli, tmp_path, test_set):
    write(tmp_path / "mine.jsonl", PARAPHRASES[0])
    cli("decontaminate", "mine.jsonl", "--against", "test.jsonl")
    out = cli("show", "runs/mine/contaminated.jsonl").out
    assert "Q           At noon a baker" in out
    assert "paraphrase  test.jsonl:1, 0." in out
    assert "A baker sells 24 loaves" in out
    write(tmp_path / "odd.jsonl", {"question": "Why?", "matches": ["a", {"b": 1}, {"against": 2}]})
    assert "Q" in cli("show", "odd.jsonl").out


def test_quoted_fields_and_a_byte_order_mark_are_read(cli, tmp_path):
    (tmp_path / "test.csv").write_bytes(
        b'\xef\xbb\xbf"body",n\r\n"He said ""buy gold"",\r\nthen left. Why?",1\r\n"",2\r\n'
    )
    write(tmp_path / "mine.jsonl", 'He said "buy gold", then left. Why?')
    told = cli(
        "decontaminate", "mine.jsonl", "--against", "test.csv", "--field", "question=body", "--json"
    ).told
    assert told["against"][0]["exact"] == 1


def test_without_a_test_set_nothing_is_compared(cli, tmp_path):
    write(tmp_path / "mine.jsonl", "Why?")
    assert "--against" in cli("decontaminate", "mine.jsonl", code=2).err


# -- how well ----------------------------------------------------------------------------------

PEOPLE = ["Ann", "Bo", "Carl", "Dora", "Emil", "Fay", "Gus", "Hal", "Ida", "Jon", "Kim", "Lou"]
THINGS = ["apples", "books", "cards", "dolls", "eggs", "figs", "hats", "kites", "lamps", "mugs"]
PLACES = ["market", "harbour", "library", "school", "garden", "bakery", "museum", "station"]
FORMS = [
    (
        "{a} buys {x} {t} at the {p} and gives {y} of them to {b}. How many {t} has {a} left?",
        "Of {x} {t} that {a} got from the {p}, {b} receives {y}. What number of {t} is left?",
    ),
    (
        "At the {p}, {a} sells {x} {t} for {y} dollars each; {b} helps. How much do they take?",
        "{b} helps {a}, who takes {y} dollars for each of {x} {t} in the {p}. What do they earn?",
    ),
    (
        "{a} needs {x} minutes to the {p} with the {t}, {b} needs {y} more. How long do both need?",
        "Walking the {t} to the {p} takes {a} {x} minutes, {b} {y} more. What time is it in all?",
    ),
]


def problems(count: int, seed: int) -> list[tuple[str, str]]:
    """Word problems of a few forms, each with another wording."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        a, b = rng.sample(PEOPLE, 2)
        how = {"a": a, "b": b, "t": rng.choice(THINGS), "p": rng.choice(PLACES)}
        how |= {"x": str(rng.randint(20, 900)), "y": str(rng.randint(2, 19))}
        plain, reworded = rng.choice(FORMS)
        made.append((plain.format(**how), reworded.format(**how)))
    return made


def test_most_paraphrases_of_word_problems_are_flagged_and_hardly_any_other_problem():
    test = problems(200, seed=1)
    whole = index(*(plain for plain, _ in test))
    found = [whole.find("", reworded) for _, reworded in test]
    assert sum(f is not None and f.item.line == n for n, f in enumerate(found, 1)) >= 160
    strangers = [reworded for _, reworded in problems(1000, seed=2)]
    assert sum(whole.find("", text) is not None for text in strangers) <= 10


def test_the_benchmark_runs_on_data_made_here(server, tmp_path):
    made = problems(60, seed=3)
    plain, reworded = ([pair[side] for pair in made] for side in (0, 1))
    for folder in ("gsm8k", "rephrased", "cqa"):
        (tmp_path / folder).mkdir()
    common = list(meant(1319))
    write(tmp_path / "cqa/cqa_train_first_2000.json", *(item for item, _ in common),
          *(reworded for _, reworded in common[:81]))  # fmt: skip
    write(tmp_path / "gsm8k/train.jsonl", *(text for text, _ in problems(1400, seed=4)))
    for name, rows in {
        "HumanEval": plain,
        "humaneval_python": reworded,
        "sociology_test_rephrase_english_filtered_question": reworded,
    }.items():
        write(tmp_path / f"rephrased/{name}.jsonl", *({"text": text} for text in rows))
    with (tmp_path / "rephrased/sociology_test.csv").open("w", newline="") as file:
        csv.writer(file).writerows([text, "A"] for text in plain)
    ran = subprocess.run(
        [sys.executable, ROOT / "benchmarks/decontaminate.py", tmp_path, server.url, "vectors-1"],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("of 81 others flagged") == 4
    assert ran.stdout.count("of 60 paraphrases flagged") == 4
    assert "texts embedded, cosine above 0." in ran.stdout
