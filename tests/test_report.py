"""The page: what stands on it, that nothing from data changes it, and when it is written anew."""

import dataclasses
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import CLI
from hostile import ODD_TEXTS
from jobs import answered, lines, rows_in, seeds, teacher
from reports import full

from distillgen import charts, facts, page, reading, report
from distillgen.facts import Facts
from distillgen.reading import FOLDED, Part
from distillgen.show import visible

REFER = ("href", "src", "action", "data", "xlink:href", "srcset", "poster")


class Read(HTMLParser):
    """A page as its elements, its text, and what it refers to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.refers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "wbr" or attrs:  # where a path may be broken
            self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.refers += [
            str(v) for k, v in attrs if k in ("href", "src", "action", "data", "xlink:href")
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


def made(*runs: Path) -> tuple[report.Report, str]:
    told = report.of([facts.of(run) for run in runs])
    return told, page.render(report.TEMPLATE, report=told)


def replaced(value, text):
    """The same report with another text for every one that data can bring."""
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        parts = (replaced(one, text) for one in value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if not dataclasses.is_dataclass(value):
        return value
    kept = ("svg", "id", "letter", "section", "extra", "beginning")
    return dataclasses.replace(
        value,
        **{
            field.name: replaced(getattr(value, field.name), text)
            for field in dataclasses.fields(value)
            if field.name not in kept
        },
    )


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    return full(tmp_path_factory.mktemp("runs") / "gold")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return full(tmp_path_factory.mktemp("runs") / "closed", closed=True)


def test_every_section_is_there_with_its_figures(opened, labelled):
    told, html = made(opened)
    text = Read(html).text
    assert [one.id for one in told.sections] == [
        "funnel", "lengths", "variety", "seeds", "damage", "checks", "judge", "contamination",
        "failures", "origin",
    ]  # fmt: skip
    assert [one.id for one in told.shelves] == [
        "read-random", "read-judge", "read-checks", "read-context", "read-seed", "read-repeats",
    ]  # fmt: skip
    for said in (
        "40 (91\u00a0%)", "1 near duplicates, 2 failed", "31 of 40 answers whose truth is known",
        "no reply", "lowest score at least", "Buy some gold?", "timeout", "1 min 30 s",
    ):  # fmt: skip
        assert said in text, said
    told, html = made(labelled)
    assert {"labels", "soft"} <= {one.id for one in told.sections}
    assert "calibration error (ECE)" in Read(html).text
    assert "read-soft" in [one.id for one in told.shelves]


def test_a_stranger_first_reads_what_it_is_and_what_stands_out(opened):
    _, html = made(opened)
    text = Read(html).text
    first = text.index("From asked to exported")
    for said in (
        "40 questions with answers", "openai:teacher-1", "records exported",
        "14 of 40 answers fail the check context used", "1 records give items of a test set away",
    ):  # fmt: skip
        assert text.index(said) < first


def test_each_look_leads_to_a_section(opened, labelled):
    for run in (opened, labelled):
        told, html = made(run)
        ids = set(re.findall(r' id="([\w-]+)"', html))
        assert told.runs[0].notices
        assert {ref for ref in Read(html).refers if ref.startswith("#")} <= {f"#{id}" for id in ids}


def test_the_page_loads_nothing_and_runs_nothing(opened, labelled):
    read = Read(made(opened, labelled)[1])
    assert all(ref.startswith("#") or ref == "data:," for ref in read.refers)
    tags = {tag for tag, _ in read.elements}
    assert not tags & {"script", "iframe", "img", "object", "embed", "form", "input", "style2"}
    assert not [names for _, names in read.elements if any(name.startswith("on") for name in names)]
    html = made(opened)[1]
    assert "default-src 'none'" in html
    assert "url(" not in html
    assert "http:" not in html
    assert "https:" not in html


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_a_hostile_text_changes_no_element(opened, labelled, name):
    told, harmless = made_once(opened, labelled)
    hostile = page.render(report.TEMPLATE, report=replaced(told, ODD_TEXTS[name][:2000]))
    assert Read(hostile).elements == harmless


@cache
def made_once(*runs):
    """A report, and its elements with a harmless text in every place."""
    told, _ = made(*runs)
    harmless = page.render(report.TEMPLATE, report=replaced(told, "harmless"))
    return told, Read(harmless).elements


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_a_hostile_record_is_read_whole_with_all_that_hides_spelled_out(name):
    text = ODD_TEXTS[name]
    part = Part.of("Answer", text)
    assert part.text == visible(text.strip())
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", part.text)
    assert bool(part.beginning) == (len(part.text) > FOLDED)


def test_a_hostile_run_makes_a_page(tmp_path):
    text = "<script>alert(1)</script><img src=x onerror=alert(1)>'\"{{ 7 * 7 }}\u202e\x1b[31m"
    html = made(full(tmp_path / "a", text=text), full(tmp_path / "b", text=text, closed=True))[1]
    read = Read(html)
    assert not {"script", "img"} & {tag for tag, _ in read.elements}
    assert "49" not in re.findall(r"\{\{.*?\}\}", read.text)
    assert "{{ 7 * 7 }}" in read.text
    assert not re.search("[\u202e\x1b]", html)


def test_no_path_of_this_machine_stands_on_it(opened, labelled):
    for html in (made(opened)[1], made(opened, labelled)[1]):
        assert str(opened.parent) not in html


def test_a_long_text_is_folded_and_never_cut(tmp_path):
    long = "The end of it all is here. " * 200
    run = full(tmp_path / "run", 3, text=long)
    told, html = made(run)
    read = Read(html)
    cards = [card for shelf in told.shelves for card in shelf.cards]
    folded = [part for card in cards for part in (*card.asked, *card.answered) if part.beginning]
    assert len(folded) >= 4 * 3
    assert all(part.text.endswith(long.strip()) and part.text in read.text for part in folded)
    assert sum(tag == "summary" for tag, _ in read.elements) >= len(folded)


def test_records_that_would_make_the_page_too_long_are_counted(tmp_path, monkeypatch):
    run = full(tmp_path / "run", 5)
    monkeypatch.setattr(reading, "MOST", 900)
    told, html = made(run)
    shown = sum(len(one.cards) for one in told.shelves)
    left_out = sum(one.left_out for one in told.shelves)
    assert shown >= 1
    assert left_out >= 1
    assert f"{next(one.left_out for one in told.shelves if one.left_out)} more would" in html


def test_without_the_extra_tables_stand_in_place_of_charts(opened, monkeypatch):
    with_charts = Read(made(opened)[1])
    monkeypatch.setattr(charts, "there", lambda: False)
    without = Read(made(opened)[1])
    assert ("svg" in {tag for tag, _ in with_charts.elements}, "svg" in
            {tag for tag, _ in without.elements}) == (True, False)  # fmt: skip
    assert charts.EXTRA in without.text
    assert charts.EXTRA not in with_charts.text
    tables = [sum(tag == "table" for tag, _ in one.elements) for one in (with_charts, without)]
    assert tables[0] == tables[1]


# -- two runs --------------------------------------------------------------------------------


def told(run: Path, **options: object) -> Facts:
    """The facts of a run, made with other options of `answer`."""
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["commands"]["answer"]["options"] |= options
    (run / "manifest.json").write_text(json.dumps(manifest))
    return facts.of(run)


def test_what_was_done_otherwise_is_named(tmp_path):
    a, b = (told(full(tmp_path / name), samples=n) for name, n in (("a", 1), ("b", 4)))
    assert list(report.differences(a, b)) == ["answer --samples: 1 (A) and 4 (B)"]


def test_runs_of_other_fields_are_told_apart(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    for run, source, sha256, task in (
        (full(a, closed=True), "nli.jsonl", "1", {"name": "nli", "labels": {"yes": "", "no": ""}}),
        (full(b), "stock.jsonl", "2", {"name": "stock", "expert": "a banker"}),
    ):
        manifest = json.loads((run / "manifest.json").read_text())
        made = manifest["commands"]["expand"]
        made |= {"source": source, "source_sha256": sha256, "prompts": {f"{source}.j2": "x"}}
        made["options"]["task"] = task
        (run / "manifest.json").write_text(json.dumps(manifest))
    first, other = facts.of(a), facts.of(b)
    said = list(report.differences(first, other))
    for line in (
        "task: nli (A) and stock (B)",
        "expert: nothing (A) and a banker (B)",
        "labels: yes, no (A) and nothing (B)",
        "made from: nli.jsonl (A) and stock.jsonl (B)",
        "expand: nli.jsonl.j2 only in A",
        "expand: stock.jsonl.j2 only in B",
    ):
        assert line in said
    assert report.about(first).startswith("nli: 40 labelled texts, finished")
    assert "The teacher was asked to be a banker." in report.about(other)
    assert "3 seeds of stock.jsonl" in report.about(other)
    manifest["commands"]["expand"]["source_sha256"] = "3"
    (b / "manifest.json").write_text(json.dumps(manifest))
    assert list(report.differences(other, facts.of(b))) == [
        "made from stock.jsonl, which is another file in B"
    ]


def test_what_came_out_otherwise_is_named_if_it_is_more_than_chance(tmp_path):
    a, b = facts.of(full(tmp_path / "a", 40)), facts.of(full(tmp_path / "b", 41))
    assert list(report.differences(a, b)) == []
    worse = dataclasses.replace(
        b, right={True: 5, False: 36},
        checks=tuple(dataclasses.replace(one, passed=1) for one in b.checks),
        aspects=tuple(dataclasses.replace(one, counts={1: 40, 2: 1, 3: 0, 4: 0, 5: 0})
                      for one in b.aspects),
    )  # fmt: skip
    said = list(report.differences(a, worse))
    assert len(said) == 5
    assert "78\u00a0% (A) and 12\u00a0% (B) of the known answers are right" in said
    assert said[-1].startswith("judge, safe: mean")


def test_two_runs_stand_side_by_side_in_the_same_sections(opened, labelled):
    one = {section.id for section in made(opened)[0].sections}
    other = {section.id for section in made(labelled)[0].sections}
    both, html = made(opened, labelled)
    assert {section.id for section in both.sections} == one | other
    text = Read(html).text
    assert "expand A" in text
    assert "expand B" in text
    assert text.count("What stands out in") == 2


# -- the command -----------------------------------------------------------------------------


@pytest.fixture
def run(cli, server, tmp_path):
    cli("run", seeds(tmp_path), "-n", 6, *teacher(server), "-o", "run")
    return tmp_path / "run"


def test_run_ends_with_a_report(run, cli):
    html = (run / "report.html").read_text()
    assert f"{len(lines(run / 'answers.jsonl'))} questions with answers" in html
    manifest = json.loads((run / "manifest.json").read_text())
    assert "report.html" in manifest["files"]
    assert manifest["commands"]["report"]["finished"]


def test_where_nothing_changed_nothing_is_written(run, cli, server, tmp_path):
    before = (run / "report.html").stat().st_mtime_ns
    cli("run", tmp_path / "stock_advisor.jsonl", "-n", 6, *teacher(server), "-o", "run")
    cli("report", "run")
    assert (run / "report.html").stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["reviews.jsonl", "failures.jsonl"])
def test_a_change_makes_it_anew(run, cli, name):
    before = (run / "report.html").read_text()
    row = {"id": lines(run / "answers.jsonl")[0]["id"], "decision": "reject", "stage": "answer",
           "kind": "timeout", "detail": "late", "request": "r"}  # fmt: skip
    (run / name).write_text(json.dumps(row) + "\n")
    cli("report", "run")
    assert (run / "report.html").read_text() != before


def test_a_page_that_a_person_changed_is_kept(run, cli, server, tmp_path):
    (run / "report.html").write_text("mine")
    refused = cli("report", "run", code=2)
    assert "was changed by hand" in refused.err
    again = cli("run", tmp_path / "stock_advisor.jsonl", "-n", 6, *teacher(server), "-o", "run")
    assert "no report: " in again.err
    assert (run / "report.html").read_text() == "mine"
    cli("report", "run", "--overwrite")
    assert "questions with answers" in (run / "report.html").read_text()


def test_a_page_is_never_written_over_anything_else(run, cli, server, tmp_path):
    cli("run", tmp_path / "stock_advisor.jsonl", "-n", 4, *teacher(server), "-o", "other")
    cli("report", "other", "-o", "theirs.html")
    (tmp_path / "mine.html").write_text("mine")
    (tmp_path / "folder.html").mkdir()
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
            and path.suffix in (".jsonl", ".html", ".sqlite")}  # fmt: skip
    for out, more, said in (
        ("run/answers.jsonl", ["--overwrite"], "name a file that ends in .html"),
        ("run/journal.sqlite", ["--overwrite"], "name a file that ends in .html"),
        ("run", [], "name a file that ends in .html"),
        ("mine.html", [], "was not written by distillgen"),
        ("theirs.html", [], "is of another run"),
        ("folder.html", [], "is a folder"),
    ):
        refused = cli("report", "run", "-o", out, *more, code=2)
        assert said in refused.err, out
    assert all(path.read_bytes() == data for path, data in kept.items())
    cli("report", "run", "-o", "theirs.html", "--overwrite")
    assert "6 questions with answers" in (tmp_path / "theirs.html").read_text()


def test_a_comparison_says_where_it_is(run, cli, server, tmp_path):
    cli("run", tmp_path / "stock_advisor.jsonl", "-n", 4, *teacher(server), "-o", "other")
    kept = (run / "report.html").read_text()
    ran = cli("report", "run", "other")
    assert "report-vs-other.html" in ran.err
    assert "expand --n: 6 (A) and 4 (B)" in (run / "report-vs-other.html").read_text()
    assert (run / "report.html").read_text() == kept
    named = cli("report", "run", "other", "-o", "both.html", "--json")
    assert named.told["files"] == ["both.html"]
    assert "(A) and 4 (B)" in (tmp_path / "both.html").read_text()


def test_what_cannot_be_reported_is_refused(run, cli, tmp_path):
    (tmp_path / "empty").mkdir()
    for words, said in (
        (("report", "empty"), "empty: not a run folder"),
        (("report", "run", "empty"), "empty: not a run folder"),
        (("report", "run", "./run"), "is the same run"),
        (("report", "run", "run", "run"), "a third run"),
    ):
        assert said in cli(*words, code=2).err


def test_a_run_without_charts_says_what_to_install(run, cli):
    (run / "report.html").unlink()
    hidden = cli.patched(
        "import importlib.util as u\n"
        "old = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'altair' else old(name, *more)\n"
    )
    ran = cli("report", "run", **hidden)
    assert "tables in place of charts; pip install 'distillgen[report]'" in ran.err
    assert "<svg" not in (run / "report.html").read_text()


def test_a_record_that_any_format_has_is_exported_and_each_format_says_why_not(cli, tmp_path):
    rows = lines(answered(tmp_path / "mixed.jsonl", 10))
    rows = [one | {"rationale": "" if i < 4 else one["rationale"]} for i, one in enumerate(rows)]
    source = rows_in(tmp_path / "mixed.jsonl", [*rows, rows[0] | {"id": "mute", "answer": " "}])
    formats = ["--format", "step-by-step", "--format", "hf"]
    told = cli("export", source, *formats, "--json").told["counts"]
    assert (told["given"], told["kept"], told["rejected"]) == (11, 10, 1)
    assert told["train"] + told.get("validation", 0) + told.get("test", 0) == 10
    cli("report", "runs/mixed")
    text = Read((tmp_path / "runs/mixed/report.html").read_text()).text
    for said in (
        "10 records exported", "export 11 10 1 in no format", "in step-by-step 11 6 1 no answer, 4",
        "in hf 11 10 1 no answer",
    ):  # fmt: skip
        assert said in " ".join(text.split()), said
    cli("export", source, "--format", "step-by-step")
    cli("report", "runs/mixed")
    text = " ".join(Read((tmp_path / "runs/mixed/report.html").read_text()).text.split())
    assert "export 11 6 1 no answer, 4 no rationale" in text
    assert "in step-by-step" not in text


def test_what_was_exported_of_a_file_alone_is_told_of_that_file(cli, tmp_path):
    source = answered(tmp_path / "sums.jsonl", 40)
    cli("export", source, "--format", "jsonl")
    cli("report", "runs/sums")
    page = tmp_path / "runs/sums/report.html"
    assert "40 questions with answers" in Read(page.read_text()).text
    cli("report", "runs/sums")
    rows_in(source, lines(source)[:30])
    cli("report", "runs/sums")
    assert "30 questions with answers" in Read(page.read_text()).text
    cli("export", "sums.jsonl", "--format", "jsonl")
    (tmp_path / "away").mkdir()
    away = CLI(tmp_path / "away")
    away("report", "../runs/sums", "--overwrite")
    source.unlink()
    said = cli("report", "runs/sums", code=2).err
    assert "sums.jsonl: was exported, and is not there" in said
