"""The formats: golden files, and what must hold in every one. `python tests/test_formats.py`
writes the golden files anew; read what it changed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from distillgen import formats
from distillgen.errors import UserError
from distillgen.formats import Options
from distillgen.records import JSON, Answer, Preference, Side

GOLDEN = Path(__file__).parent / "golden"
LINEAGE = {"teacher": "local:test", "request": "f" * 64}

ANSWERS = [
    Answer(
        question='My bank says "move everything into shares". Should I?',
        user_context="I am 58, retire in four years and sleep badly when prices fall",
        rationale="Four years are too short to wait for a fall to mend,\u2028and you lose sleep.",
        answer="No.\n\n1. Keep four years of spending in savings.\n2. The rest: a fund “für alle”.",
        id="open",
        **LINEAGE,
    ),
    Answer(
        question="Premise: A man repairs a roof.\nHypothesis: Nobody is working.",
        rationale="Who repairs a roof is working.",
        label="contradiction",
        soft_label={"entailment": 0.0031, "neutral": 0.0257, "contradiction": 0.9712},
        soft_method="logprobs",
        id="closed",
        **LINEAGE,
    ),
    Answer(
        question="What is 7 · 8?",
        user_context="Pupil, third year",
        answer="56",
        id="bare",
        style="brief",
        **LINEAGE,
    ),
    Answer(
        question="How do I end my thoughts?",
        rationale="First this.</think>Then that: <think> opens them.",
        answer="Write </think>.",
        id="tagged",
        meta={"system": "You mend chat templates."},
        **LINEAGE,
    ),
]


SEEN = ANSWERS[0].model_copy(update={"images": ("pics/1.png", "pics/2.png"), "id": "seen"})
"""An answer about images."""


BETTER = Side(
    rationale="Four years are too short to wait for a fall to mend.",
    answer="No. Keep four years of spending in savings.",
    teacher="local:test",
    id="open",
)
WORSE = Side(rationale="Shares </think> rise.", answer="Yes, all of it.", id="open", candidate=1)
PAIRS = [
    Preference(
        question=ANSWERS[0].question, user_context=ANSWERS[0].user_context,
        chosen=BETTER, rejected=WORSE, reason="judge_margin", margin=1.5, line=1,
    ),
    Preference(
        question="Premise: A man sleeps.\nHypothesis: He runs.", reason="right_wrong", line=2,
        chosen=Side(answer="contradiction", rationale="Who sleeps does not run.", id="closed"),
        rejected=Side(answer="neutral", id="closed", candidate=0),
    ),
]  # fmt: skip
SYSTEM = {"": "You are an adviser.", "brief": "You are an adviser. Be brief."}


def cases() -> Iterator[tuple[str, str, Options]]:
    """Golden file, format, options: every form that each format knows, in each layout."""
    for name in formats.names():
        found = formats.load(name)
        for layout in found.layouts or ("",):
            begin = f"{name}.{layout}" if layout else name
            for form in sorted(found.rationales) or ("",):
                told = Options(rationale=form, layout=layout) if form else Options(layout=layout)
                yield f"{begin}.{form}.jsonl" if form else f"{begin}.jsonl", name, told
            form = found.default or "after"
            told = Options(layout=layout, rationale=form if form in found.rationales else "none")
            if found.system:
                yield f"{begin}.system.jsonl", name, replace(told, system=SYSTEM, own_system=True)
            if found.images and not found.of_pairs(told):
                yield f"{begin}.images.jsonl", name, replace(told, images=True)
    weighted = Options(layout="rows", label_weight=0.7)
    yield "step-by-step.weighted.jsonl", "step-by-step", weighted
    google = Options(layout="rows", preset="google")
    yield "step-by-step.google.jsonl", "step-by-step", google
    hotter = Options(soft_temperature=2, hard_weight=0.3)
    yield "soft-labels.hotter.jsonl", "soft-labels", hotter


def rows_of(name: str, records: Iterable[Answer], options: Options) -> list[dict[str, JSON]]:
    """The rows of all records that the format holds: of the pairs, where it is made of pairs."""
    found, rows = formats.load(name), []
    of_pairs = found.of_pairs(options)
    for record in PAIRS if of_pairs else records:
        with suppress(formats.LeftOut):
            made = found.pairs if of_pairs else found.rows
            assert made
            rows += made(record, options)
    return rows


def written(name: str, options: Options) -> str:
    rows = rows_of(name, ANSWERS + [SEEN] * options.images, options)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


every_case = pytest.mark.parametrize(
    ("file", "name", "options"), [pytest.param(*case, id=case[0]) for case in cases()]
)


def texts(value: object) -> Iterator[str]:
    """Every text in a row, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


@every_case
def test_a_format_writes_its_golden_file(file: str, name: str, options: Options) -> None:
    assert written(name, options).encode() == (GOLDEN / file).read_bytes()


def test_there_is_no_golden_file_that_nobody_writes() -> None:
    ours = {path.name for path in GOLDEN.glob("*.jsonl")}
    assert ours == {file for file, _, _ in cases()}


@every_case
def test_every_row_has_the_same_columns_and_no_null(file: str, name: str, options: Options) -> None:
    """Closed and open tasks are never in one file; the label has a column of its own in `jsonl`.

    Bedrock refuses an empty reasoning part: there an answer without a rationale has none.
    """
    closed = name in ("soft-labels", "classification")
    given = [a for a in ANSWERS if bool(a.label) == closed]
    if file == "bedrock.field.jsonl":
        given = [a for a in given if a.rationale]
    rows = rows_of(name, given, options)
    shapes = {json.dumps(shape(row)) for row in rows}
    assert len(shapes) == 1
    assert "null" not in shapes.pop()


@pytest.mark.parametrize("name", ["trl-messages", "trl-prompt-completion", "hf", "jsonl"])
def test_in_a_set_with_images_every_row_has_the_same_columns(name: str) -> None:
    rows = [
        row for a in (ANSWERS[0], SEEN) for row in formats.load(name).rows(a, Options(images=True))
    ]
    for row in rows:
        for turn in row.get("messages") or row.get("prompt", []) + row.get("completion", []):
            assert isinstance(turn["content"], list)
    assert rows[0].keys() == rows[1].keys()
    assert [row["images"] for row in rows] == [[], ["pics/1.png", "pics/2.png"]]


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return None if value is None else type(value).__name__


@pytest.mark.parametrize("name", ["trl-prompt-completion", "trl-messages", "openai-chat", "jsonl"])
def test_the_think_form_opens_and_closes_once(name: str) -> None:
    for answer in ANSWERS:
        (row,) = formats.load(name).rows(answer, Options(rationale="think"))
        said = " ".join(texts(row)).removeprefix(formats.prompt(answer))
        assert said.count("<think>") == said.count("</think>") == bool(answer.rationale)


@pytest.mark.parametrize(
    ("name", "options"),
    [pytest.param(n, told, id=file) for file, n, told in cases() if formats.load(n).rationales],
)
def test_the_rationale_is_in_a_row_once_or_not_at_all(name: str, options: Options) -> None:
    closed = ANSWERS[1]
    rows = rows_of(name, [closed], options)
    why = PAIRS[1].chosen.rationale if formats.load(name).of_pairs(options) else closed.rationale
    found = sum(text.count(why) for text in texts(rows))
    assert found == (options.rationale != "none")


def test_a_label_is_what_a_closed_task_teaches() -> None:
    assert formats.target(ANSWERS[1].model_copy(update={"answer": "Both."})) == "contradiction"


def test_no_row_has_a_system_prompt_or_lineage() -> None:
    """Unless it is asked for: not even the one that a record brings along."""
    rows = "".join(written(name, told) for _, name, told in cases() if not told.system)
    assert '"system"' not in rows
    assert ANSWERS[3].meta["system"] not in rows
    assert not any(secret in rows for secret in LINEAGE.values())


@pytest.mark.parametrize("preset", ["paper", "google"])
def test_step_by_step_gives_a_pair_the_same_id_and_weights_that_make_one(preset: str) -> None:
    rows = list(
        formats.load("step-by-step").rows(
            ANSWERS[0],
            Options(preset=preset, label_weight=0.7),  # type: ignore[arg-type]
        )
    )
    assert [row["task"] for row in rows] == ["label", "rationale"]
    assert [row["weight"] for row in rows] == [0.7, 0.3]
    assert rows[0]["pair_id"] == rows[1]["pair_id"] == "open"
    assert [row["input"].removesuffix(formats.prompt(ANSWERS[0])) for row in rows] == (
        ["[label] ", "[rationale] "] if preset == "paper" else ["predict: ", "explain: "]
    )


def test_step_by_step_leaves_out_what_has_no_rationale() -> None:
    with pytest.raises(formats.LeftOut, match=r"^no_rationale$"):
        list(formats.load("step-by-step").rows(ANSWERS[2], Options()))


SOFT = ANSWERS[1]


def test_soft_labels_stand_in_the_order_of_the_set_at_the_temperature_asked_for() -> None:
    labels = ("contradiction", "neutral", "entailment")
    options = Options(labels=labels, soft_temperature=2, hard_weight=0.25)
    (row,) = formats.load("soft-labels").rows(SOFT, options)
    assert list(row) == ["text", "label", "probs", "weight_hard"]
    assert row["text"] == formats.prompt(SOFT)
    assert row["label"] == labels[row["probs"].index(max(row["probs"]))] == "contradiction"
    assert row["probs"] == pytest.approx([0.8202, 0.1334, 0.0463], abs=1e-4)
    assert sum(row["probs"]) == pytest.approx(1, abs=1e-12)
    assert row["weight_hard"] == 0.25


@pytest.mark.parametrize(
    ("change", "labels", "reason"),
    [
        ({"soft_label": {}}, (), "no_soft_label"),
        ({}, ("contradiction", "neutral"), "other_labels"),
        ({}, ("contradiction", "neutral", "entailment", "unsure"), "other_labels"),
        ({"label": "unsure"}, (), "other_labels"),
        ({"label": None, "answer": "No."}, (), "other_labels"),
    ],
)
def test_soft_labels_leave_out_what_does_not_fit_the_set(
    change: dict[str, JSON], labels: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(formats.LeftOut, match=f"^{reason}$"):
        list(
            formats.load("soft-labels").rows(SOFT.model_copy(update=change), Options(labels=labels))
        )


@pytest.mark.parametrize("name", formats.names())
def test_every_format_has_a_line_of_help_and_a_snippet_that_parses(name: str) -> None:
    found = formats.load(name)
    assert found.help.endswith((".", ")"))
    for snippet in (*found.snippets.values(), found.images):
        compile(snippet, name, "exec")
    assert set(found.snippets) <= {"", *found.layouts}


@pytest.mark.parametrize("name", [n for n in formats.names() if formats.load(n).system])
def test_the_system_prompt_is_the_records_own_else_that_of_its_style(name: str) -> None:
    found = formats.load(name)
    kept = Options(layout=next(iter(found.layouts), ""), system=SYSTEM, own_system=True)
    if found.of_pairs(kept):
        rows = [rows_of(name, (), kept)]
        wanted = [SYSTEM[""]]
    else:
        rows = [rows_of(name, [answer], kept) for answer in (ANSWERS[0], ANSWERS[2], ANSWERS[3])]
        wanted = [SYSTEM[""], SYSTEM["brief"], ANSWERS[3].meta["system"]]
    for row, said in zip(rows, wanted, strict=True):
        found_in = [text for text in texts(row) if said in text]
        assert found_in
        others = {*SYSTEM.values(), ANSWERS[3].meta["system"]} - {said, SYSTEM[""]}
        assert not any(other in text for text in texts(row) for other in others)
    one_for_all = replace(kept, system={"": "Be kind."}, own_system=False)
    for row in rows_of(name, ANSWERS, one_for_all):
        assert any("Be kind." in text for text in texts(row))


def test_an_unknown_format_is_told_what_there_is_and_what_is_near() -> None:
    with pytest.raises(UserError, match=r"did you mean trl-messages\?.*openai-chat") as caught:
        formats.load("trl_message")
    assert caught.value.code == 2
    with pytest.raises(UserError, match=r"no format \.\./secrets"):
        formats.load("../secrets")


DOCS = (Path(__file__).parents[1] / "docs/formats.md").read_text(encoding="utf-8")


def block(after: str, language: str) -> str:
    """The first code block of that language after a text of the page."""
    return DOCS.partition(after)[2].partition(f"```{language}\n")[2].partition("```")[0]


def section(name: str) -> str:
    """What the page says of a format."""
    return DOCS.partition(f"### `{name}`\n")[2].partition("\n### ")[0].partition("\n## ")[0]


@pytest.mark.parametrize("name", formats.names())
def test_the_page_shows_the_rows_as_they_are_written(name: str) -> None:
    """In the layout and form that it has by itself."""
    found = formats.load(name)
    told = Options(rationale=found.default or "after", layout=next(iter(found.layouts), ""))
    page = section(name)
    shown = page.partition("```json\n")[2].partition("```")[0]
    if found.of_pairs(told):
        assert found.pairs
        rows = found.pairs(Preference.model_validate_json(block("All examples", "json pair")), told)
    else:
        assert found.rows
        own = page.partition("```json answer\n")[2].partition("```")[0]
        given = own or block("All examples", "json answer")
        rows = found.rows(Answer.model_validate_json(given), told)
    assert [json.loads(line) for line in shown.splitlines()] == list(rows)


@pytest.mark.parametrize("name", formats.names())
def test_the_page_shows_the_lines_that_load_it(name: str) -> None:
    for snippet in formats.load(name).snippets.values():
        assert snippet in section(name)


def test_a_format_of_ones_own_is_reached_by_its_dotted_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "my_format.py").write_text(block("## A format of your own", "python"))
    (package / "none.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    found = formats.load("my_package.my_format")
    assert found.help == "Question and answer with a tab between them, for our own trainer."
    assert found.rationales == {"after", "none"}
    assert found.default is None
    rows = list(found.rows(ANSWERS[2], Options()))
    assert rows == [{"text": "Pupil, third year\n\nWhat is 7 · 8?\t56"}]
    with pytest.raises(UserError, match="has no `rows"):
        formats.load("my_package.none")
    with pytest.raises(UserError, match="must be installed or on PYTHONPATH"):
        formats.load("my_package.missing")


if __name__ == "__main__":
    for file, name, options in cases():
        (GOLDEN / file).write_bytes(written(name, options).encode())
