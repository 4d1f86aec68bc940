"""Prompt files: which one is found, what is refused, what is sent."""

from pathlib import Path

import pytest

from distillgen.errors import UserError
from distillgen.prompts import VARIABLES, Prompt, find, load, packaged, packaged_seeds
from distillgen.records import JSON, Message, Seed

SEED = Seed(
    user_context="I keep bees",
    question="Which hive?",
    rationale="There is room.",
    answer="The large one.",
    label="large",
)


def values(name: str, **changes: JSON) -> dict[str, JSON]:
    known = {
        "expert": "an experienced beekeeper",
        "language": None,
        "labels": {},
        "shots": [SEED],
        "per_call": 5,
        "tags": ["hives"],
        "place": 0,
        "operation": "deepen",
        "personas": ["a roofer of 50"],
        "topics": [["Bees", "Swarms", "in May"]] * 5,
        "draws": [{"time": "May", "place": "a roof"}] * 5,
        "level": "sessions",
        "path": ["Bees", "Swarms"],
        "others": ["Honey"],
        "count": 4,
        "parts": 3,
        "image": "described",
        "description": "Two hives on a roof.",
        "user_context": "I live in a flat",
        "question": "May I keep bees on the balcony?",
        "rationale": "Ask the neighbours.",
        "answer": "Yes.",
        "first": {"rationale": "", "answer": "Yes."},
        "second": {"rationale": "They sting.", "answer": "No."},
        "aspects": [{"name": "true", "description": "Is it?", "anchors": {"1": "no", "5": "yes"}}],
        "style": "",
        "hint": "",
        "letters": {"A": "large", "B": "small"},
        "criticism": "It names no size.",
    }
    return {key: known[key] for key in VARIABLES[name]} | changes


def written(folder: Path, name: str, user: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{{% block user %}}\n{user}\n{{% endblock %}}\n", "utf-8")
    return path


def sent(prompt: Prompt, **changes: JSON) -> tuple[Message, ...]:
    return prompt.render(**values(prompt.name, **changes))


def refusal(path: Path, name: str = "answer") -> str:
    """What the user is told about a prompt, wherever it is noticed."""
    with pytest.raises(UserError) as caught:
        sent(load(name, path))
    return str(caught.value)


# Which file is found


def test_the_packaged_prompt_is_used_when_there_is_no_other(tmp_path):
    assert find("answer", "bees", False, [tmp_path]).path == packaged("prompts") / "answer.j2"


def test_the_first_folder_wins_and_in_it_the_folder_of_the_task(tmp_path):
    last, general = written(tmp_path / "b", "bees/answer.j2", "x"), tmp_path / "a" / "answer.j2"
    folders = [tmp_path / "a", tmp_path / "b"]
    assert find("answer", "bees", False, folders).path == last
    written(tmp_path / "a", "answer.j2", "x")
    assert find("answer", "bees", False, folders).path == general
    first = written(tmp_path / "a", "bees/answer.j2", "x")
    assert find("answer", "bees", False, folders).path == first
    assert find("answer", "wasps", False, folders).path == general


def test_a_small_teacher_gets_the_small_form_and_a_strong_one_never_does(tmp_path):
    small = written(tmp_path, "answer.small.j2", "short")
    strong = written(tmp_path, "answer.j2", "long")
    assert find("answer", "bees", True, [tmp_path]).path == small
    assert find("answer", "bees", False, [tmp_path]).path == strong
    strong.unlink()
    assert find("answer", "bees", False, [tmp_path]).path == packaged("prompts") / "answer.j2"


def test_what_a_person_wrote_is_used_with_a_small_teacher_too(tmp_path):
    """A small form further down the list, be it ours or the person's, does not hide it."""
    written(tmp_path, "answer.small.j2", "general")
    own = written(tmp_path, "bees/answer.j2", "my own words")
    assert find("answer", "bees", True, [tmp_path]).path == own


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_unchanged_copy_hides_nothing(tmp_path, monkeypatch, line_end):
    shipped = tmp_path / "shipped"
    for form in ("answer.j2", "answer.small.j2"):
        text = written(shipped, form, form).read_text()
        written(tmp_path, f"mine/bees/{form}", "").write_text(text, newline=line_end)
    monkeypatch.setattr("distillgen.prompts.packaged", lambda kind: shipped)
    folders = [tmp_path / "mine"]
    assert find("answer", "bees", True, folders).path == shipped / "answer.small.j2"
    own = written(tmp_path, "mine/bees/answer.j2", "my own words")
    assert find("answer", "bees", True, folders).path == own
    own_small = written(tmp_path, "mine/bees/answer.small.j2", "my own short words")
    assert find("answer", "bees", True, folders).path == own_small


def test_in_a_checkout_the_path_is_told_as_the_user_sees_it(monkeypatch):
    monkeypatch.chdir(packaged("prompts").parent)
    assert find("answer", "bees", False, [Path("prompts")]).path == Path("prompts/answer.j2")


def test_a_prompt_that_nobody_has_is_named():
    with pytest.raises(UserError, match=r"no prompt ansr\.j2 in .*; there are: answer, answer"):
        find("ansr", "bees", False, [])


def test_the_digest_is_that_of_the_file(tmp_path):
    path = written(tmp_path, "answer.j2", "x")
    before = load("answer", path).sha256
    path.write_bytes(path.read_bytes() + b" ")
    assert len(before) == 64
    assert load("answer", path).sha256 != before


# What is refused


@pytest.mark.parametrize(
    ("user", "line", "what"),
    [
        ("\n{{ contxt }}", 3, "unknown variable `contxt`; there are: expert, hint, image, la"),
        ("{% if labels %}\n{{ per_call }}{% endif %}", 3, "unknown variable `per_call`"),
        ("{{ range(3) }}", 2, "unknown variable `range`"),
        ("a\n{% for s in shots %}\n{{ s.user_contxt }}{% endfor %}", 4, "unknown field"),
        ("{% for s in shots[:2] %}{{ s.reason }}{% endfor %}", 2, "unknown field `reason`; a shot"),
        ("{% if labels %}{{ question | shout }}{% endif %}", 2, "unknown filter `shout`"),
        ("{% if question is loud %}x{% endif %}", 2, "unknown test `loud`"),
        ("\n{{ question", 4, "expected token"),
        ("{% if question %}", 3, "unknown tag 'endblock'"),
        ("{{ question }}{% endblock %}\n{% block sytem %}", 3, "block `sytem` is not sent"),
        ("{{ question }}{% endblock %}\n\nHello\n{% block system %}", 4, "stands outside the"),
        ("{% endblock %}{% set a = 1 %}{% block system %}", 2, "stands outside the blocks"),
        ("{% endblock %}{% block user %}", 2, "block 'user' defined twice"),
        ("{% block system %}{% endblock %}", 2, "block `system` is not sent"),
        ("{{ shots[9].question }}", 2, "has no element 9; mend the prompt"),
        ("\n{% if 1 / 0 %}{% endif %}", 3, "division by zero; mend the prompt"),
        ("{{ self.user() }}", 2, "recursion"),
        ("{% if labels %}{% set a = 1 %}{% endif %}\n{{ a }}", 3, "unknown variable `a`"),
        ("{{ question }}\n{{ shots[0].reason }}", 3, "has no attribute 'reason'; mend the prompt"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path, user, line, what):
    path = written(tmp_path, "answer.j2", user)
    told = refusal(path).splitlines()
    assert any(fault.startswith(f"{path}:{line}: ") and what in fault for fault in told), told


def test_all_faults_are_told_at_once_in_the_order_of_the_lines(tmp_path):
    path = written(tmp_path, "answer.j2", "{{ a }}{{ a }}\n{{ question }}\n{{ c }}")
    assert [line.partition("; ")[0] for line in refusal(path).splitlines()] == [
        f"{path}:2: unknown variable `a`",
        f"{path}:4: unknown variable `c`",
    ]


def test_a_prompt_without_a_user_block_is_refused(tmp_path):
    path = tmp_path / "answer.j2"
    path.write_text("{% block system %}Hello{% endblock %}")
    assert "no {% block user %}" in refusal(path)


def test_a_prompt_that_says_nothing_is_refused(tmp_path):
    path = written(tmp_path, "answer.j2", "{% if labels %}{{ question }}{% endif %}")
    assert "the user block is empty" in refusal(path)


def test_a_prompt_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "answer.j2"
    path.write_bytes(b"{% block user %}\ncaf\xe9\n{% endblock %}")
    assert refusal(path) == f"{path}:2: not UTF-8; save it as UTF-8"


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ [''] | map(attribute='__class__') | list }}",
        "{{ ''[['_', '_class_', '_'] | join] }}",
        "{{ '{0.__class__}'.format(question) }}",
        "{{ ('{0.__cl' ~ 'ass__}').format_map({'0': question}) }}",
        "{{ question.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% include '/etc/hosts' %}",
        "{% import '/etc/hosts' as hosts %}",
        "{% from '/etc/hosts' import hosts %}",
        "{% extends '/etc/hosts' %}",
        "{{ labels.update({'x': 'y'}) }}",
        "{{ shots.append(1) }}",
        "{{ 'a' * 99999999999 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{% if expert %}" * 50 + "{% for s in shots %}" * 25,
        "{% for s in shots %}" * 25 + "{% endfor %}" * 25,
    ],
)
def test_an_attack_ends_as_a_message(tmp_path, attack):
    assert refusal(written(tmp_path, "answer.j2", attack)).startswith(f"{tmp_path}")


def test_a_template_cannot_call_what_it_is_given(tmp_path):
    """A pydantic model has a `parse_raw` that unpickles, so a shot must not arrive as one."""
    marker = tmp_path / "executed"
    pickled = rf"cposix\nsystem\n(S\"touch {marker}\"\ntR."
    for shot in ("shots[0]", "(shots | first)"):
        call = f"{shot}.parse_raw('{pickled}', proto='pickle', allow_pickle=True)"
        assert "parse_raw" in refusal(written(tmp_path, "answer.j2", f"{{{{ {call} }}}}"))
    assert not marker.exists()


# What is sent


def test_variables_that_the_template_sets_itself_are_known(tmp_path):
    user = (
        "{% set a = question %}{{ a }}{% for k, v in {'b': 1}.items() %}{{ k }}{{ v }}"
        "{{ loop.index }}{% endfor %}{% macro m(c) %}{{ c }}{% endmacro %}{{ m('d') }}"
    )
    prompt = load("answer", written(tmp_path, "answer.j2", user))
    assert sent(prompt, question="q") == (Message(role="user", content="qb11d"),)


def test_what_changes_is_rendered_anew(tmp_path):
    path = tmp_path / "answer.j2"
    path.write_text(
        "{% block system %}{% for shot in shots %}{{ shot.question }}{% endfor %}"
        "{% if language %}{{ expert }}{% endif %}{% endblock %}"
        "{% block user %}{{ question }}{% endblock %}"
    )
    prompt = load("answer", path)
    one, two = (Seed(user_context="c", question=question) for question in "ab")
    texts = [
        tuple(message.content for message in sent(prompt, **given))
        for given in (
            {"question": "q", "shots": [one]},
            {"question": "r", "shots": [one]},
            {"question": "r", "shots": [two]},
            {"question": "r", "shots": [two], "language": "fr", "expert": "x"},
            {"question": "r", "shots": [two], "language": "fr", "expert": "y"},
            {"question": "q", "shots": [one]},
        )
    ]
    assert texts == [("a", "q"), ("a", "r"), ("b", "r"), ("bx", "r"), ("by", "r"), ("a", "q")]


def test_the_system_message_comes_first_and_is_left_out_when_empty(tmp_path):
    path = tmp_path / "answer.j2"
    path.write_text(
        "{% block user %}\n\n u \n{% endblock %}"
        "{% block system %} {% if labels %}s{% endif %}\n{% endblock %}"
    )
    prompt = load("answer", path)
    user = Message(role="user", content="u")
    assert sent(prompt, labels={"a": "", "b": ""}) == (Message(role="system", content="s"), user)
    assert sent(prompt) == (user,)


@pytest.mark.parametrize(
    "text",
    ["{{ question }} {{ ''.__class__ }}", "{% raw %}", "{# x", "<b> & \"'\\ \u2028 é", " a\n\nb"],
)
def test_a_value_is_data(tmp_path, text):
    prompt = load("answer", written(tmp_path, "answer.j2", "[{{ user_context }}]"))
    assert sent(prompt, user_context=text)[0].content == f"[{text}]"
    assert text in sent(find("answer", "", False, []), user_context=text)[-1].content


def test_tojson_writes_plain_json_and_a_missing_field_of_a_shot_is_empty(tmp_path):
    user = "{{ shots[0].user_context | tojson }} {{ shots[0].label | tojson }}"
    prompt = load("answer", written(tmp_path, "answer.j2", user))
    shot = Seed(user_context='<é> & "', question="q")
    assert sent(prompt, shots=[shot])[0].content == r'"<é> & \"" ""'


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path):
    path = written(tmp_path, "answer.j2", "a\n{{ question }}")
    plain = sent(load("answer", path))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert sent(load("answer", path)) == plain


def test_a_prompt_takes_all_its_variables_and_no_other(tmp_path):
    prompt = load("answer", written(tmp_path, "answer.j2", "x"))
    with pytest.raises(TypeError):
        sent(prompt, contxt="")
    with pytest.raises(TypeError):
        prompt.render(question="q")


# The packaged prompts


def test_every_packaged_prompt_is_sound_and_asks_for_json():
    paths = sorted(packaged("prompts").rglob("*.j2"))
    assert {path.name.removesuffix(".j2").removesuffix(".small") for path in paths} == set(
        VARIABLES
    )
    for path in paths:
        prompt = load(path.name.removesuffix(".j2").removesuffix(".small"), path)
        for labels in ({}, {"large": "many frames", "small": ""}):
            for language in (None, "German"):
                for shots in ([], [SEED], [SEED, SEED]):
                    changes = {"labels": labels, "language": language, "shots": shots}
                    if prompt.name == "answer.soft":
                        changes["labels"] = {"large": "many frames", "small": ""}
                    taken = {k: v for k, v in changes.items() if k in VARIABLES[prompt.name]}
                    text = "\n".join(message.content for message in sent(prompt, **taken))
                    assert ("one letter" if prompt.name == "answer.soft" else "JSON") in text
                    assert "beekeeper" in text
                    prose = prompt.name not in ("answer.soft", "answer.verbal")
                    assert ("German" in text) == (language is not None and prose)
                    assert "None" not in text


def test_the_prompts_keep_the_words_of_the_recipe():
    expand = " ".join(m.content for m in sent(find("expand.few_shot", "", False, [])))
    assert "with a user context section and a question" in expand
    assert "Can you generate 5 more examples following the same pattern?" in expand
    answer = " ".join(m.content for m in sent(find("answer", "", False, [])))
    assert (
        "You are an experienced beekeeper. I will give you some user context and you will provide "
        "me with a good answer to my question. Please provide a concrete answer and justify your "
        "answer based on the information provided in the user context." in answer
    )


def test_expand_asks_for_so_many_items_and_shows_the_shots_last():
    prompt = find("expand.few_shot", "", False, [])
    shown = '{"user_context": "I keep bees", "question": "Which hive?"}'
    many = sent(prompt)[-1].content
    assert "exactly 5 items" in many
    assert many.endswith(f"\n{shown}")
    one = sent(prompt, per_call=1)[-1].content
    assert "1 more example following" in one
    assert "exactly 1 item in" in one


def test_expand_asks_for_all_labels_evenly_but_not_to_name_them():
    prompt = find("expand.few_shot", "", False, [])
    user = sent(prompt, labels={"yes": "it holds", "no": ""})[-1].content
    assert "evenly over the labels" in user
    assert "  - yes: it holds\n  - no\n" in user
    assert "label" not in sent(prompt)[-1].content


def test_an_answer_comes_after_its_rationale_and_the_question_last():
    system, user = sent(find("answer", "", False, []))
    assert system.content.index('"rationale"') < system.content.index('"answer"')
    assert '{"rationale": "There is room.", "answer": "The large one."}' in user.content
    assert user.content.endswith(
        "<user_context>\nI live in a flat\n</user_context>\n"
        "<question>\nMay I keep bees on the balcony?\n</question>"
    )


def test_a_closed_task_asks_for_one_of_the_labels():
    prompt = find("answer", "", False, [])
    system, user = sent(prompt, labels={"large": "many frames", "small": ""})
    assert '{"rationale": "…", "label": "…"}' in system.content
    assert "  - large: many frames\n  - small\n" in system.content
    assert '"answer"' not in system.content
    assert '{"rationale": "There is room.", "label": "large"}' in user.content


def test_a_question_without_context_or_shots_stands_alone():
    user = sent(find("answer", "", False, []), user_context="", shots=[], question="Why?")[-1]
    assert user.content == "<question>\nWhy?\n</question>"


def test_the_packaged_seeds_lie_beside_their_task_file():
    path = packaged_seeds("stock_advisor")
    assert path.is_file()
    assert path.with_suffix(".toml").is_file()
