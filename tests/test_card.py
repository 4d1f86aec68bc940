"""The card beside an export: what it says is what the files say, and nothing in them writes it."""

import doctest
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from conftest import CLI
from jobs import answered, content, lines, rows_in, seeds, teacher
from markdown_it import MarkdownIt
from teacher_server import TeacherServer

from distillgen import card_figures, cli, hub_yaml, markdown, remake, terms
from distillgen.delivery import tokens

CARD = "export/trl-prompt-completion/README.md"
HOSTILE = 'a|b`c\n---\nlicense: "mit"\n# Top\n<script>alert(1)</script>\u2028\x1b[31m\u202e[x](y)'
ONE_LINE = 'a|b`c --- license: "mit" # Top <script>alert(1)</script> [31m[x](y)'


def parts(card: Path) -> tuple[dict[str, Any], str]:
    """The head as the hub reads it, and the page below."""
    _, head, body = re.split(r"^---\n", card.read_text(), maxsplit=2, flags=re.MULTILINE)
    found = yaml.safe_load(head)
    assert isinstance(found, dict)
    return found, body


def section(body: str, name: str) -> str:
    return next(one for one in f"\n{body}".split("\n## ") if one.startswith(f"{name}\n"))


def table(text: str, first: str) -> list[list[str]]:
    """The rows of the table whose heading begins with a cell."""
    rows = iter(text.split("\n"))
    next(row for row in rows if row.startswith(f"| {first} |"))
    next(rows)
    found = []
    for row in rows:
        if not row.startswith("|"):
            break
        found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]])
    return found


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run that went the whole way: drawn twice, checked, judged, compared with a test set."""
    folder = tmp_path_factory.mktemp("whole")
    server, run = TeacherServer(twins=0.3, useless_share=0.03), CLI(folder)
    said = teacher(server)
    run("expand", seeds(folder), "-n", 60, *said, "-o", "runs/made")
    run("answer", "runs/made", *said, "--max-failed", 1)
    run("judge", "runs/made", *said, "--max-failed", 1)
    run("check", "runs/made", "--checks", "context-used,refused,states-answer")
    taken = lines(folder / "runs/made/answers.jsonl")[:3]
    rows_in(folder / "test.jsonl", [{"question": one["question"], "user_context":
                                     one["user_context"]} for one in taken])  # fmt: skip
    run("decontaminate", "runs/made", "--against", "test.jsonl")
    run("select", "runs/made", "--budget", 20)
    run("export", "runs/made", "--license", "MIT")
    yield folder / "runs/made"
    run.close()
    server.close()


# -- the head ----------------------------------------------------------------------------------


def test_the_head_says_which_files_are_the_data(whole):
    head, _ = parts(whole / CARD)
    folder = (whole / CARD).parent
    rows = {path.stem: len(lines(path)) for path in folder.glob("*.jsonl")}
    (only,) = head["configs"]
    assert only["config_name"] == "default"
    assert {one["split"]: one["path"] for one in only["data_files"]} == {
        name: f"{name}.jsonl" for name in rows if ".meta" not in name
    }
    assert head["license"] == "mit"
    assert head["language"] == ["en"]
    assert head["pretty_name"] == "stock_advisor"
    assert head["size_categories"] == ["n<1K"]
    assert head["task_categories"] == ["text-generation"]
    assert head["tags"] == ["synthetic", "distillation", "distillgen", "sft"]


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        (None, {}),
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("our own, of May", {"license": "other", "license_name": "our own, of May"}),
        ("https://a.example/t", {"license": "other", "license_name": "https://a.example/t",
                                 "license_link": "https://a.example/t"}),
        (HOSTILE, {"license": "other", "license_name": ONE_LINE}),
    ],
)  # fmt: skip
def test_a_licence_is_an_identifier_of_the_hub_or_has_a_name(cli, tmp_path, declared, wanted):
    answered(tmp_path / "mine.jsonl", 12)
    ran = cli("export", "mine.jsonl", *(["--license", declared] if declared else []))
    head, body = parts(tmp_path / "runs/mine" / CARD)
    assert {name: value for name, value in head.items() if "license" in name} == wanted
    assert ("nobody has stated any" in body) == (declared is None)
    assert ("nobody has stated under which licence" in ran.err) == (declared is None)


def test_files_that_are_no_tables_are_not_offered_as_such(cli, tmp_path):
    (tmp_path / "own.py").write_text(
        '"""Lines of text."""\n\nRATIONALE = frozenset()\n\n\ndef file(split, options):\n'
        '    return f"{split}.txt"\n\n\ndef rows(answer, options):\n    yield {"a": 1}\n'
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "own.py").rename(tmp_path / "mine/own.py")
    path = {"PYTHONPATH": f"{tmp_path}:{cli.env['PYTHONPATH']}"}
    cli("export", answered(tmp_path / "a.jsonl", 12), "--format", "mine.own", **path)
    head, body = parts(tmp_path / "runs/a/export/mine.own/README.md")
    assert "configs" not in head
    assert "load_dataset" not in body


def test_a_verdict_on_another_text_is_none(cli, tmp_path):
    source = answered(tmp_path / "mine.jsonl", 12)
    cli("check", source, "--checks", "refused")
    assert "changed since" not in cli("export", source).err
    rows = lines(source)
    rows[3]["answer"] += " Perhaps."
    rows_in(source, rows)
    assert "1 answers changed since they were checked" in cli("export", source).err
    _, body = parts(tmp_path / "runs/mine" / CARD)
    (check,) = table(body, "check")
    assert check[2:4] == ["11", "11"]
    assert "1 answers changed since they were checked" in body
    cli("report", "runs/mine")
    assert "1 answers changed" in (tmp_path / "runs/mine/report.html").read_text()
    cli("select", source, "--require", "refused")
    (out,) = lines(tmp_path / "runs/mine/excluded.jsonl")
    assert (out["id"], out["reason"]) == (rows[3]["id"], "check_silent")
    rows_in(source, [one | {"answer": "Other."} for one in rows])
    cli("export", source)
    assert "12 answers changed since" in section(parts(tmp_path / "runs/mine" / CARD)[1],
                                                 "Checks and judges")  # fmt: skip
    cli("check", source, "--checks", "refused")
    assert "changed since" not in cli("export", source).err


def test_the_figures_say_of_what_they_are_where_a_format_has_not_all(cli, tmp_path):
    rows = lines(answered(tmp_path / "mine.jsonl", 60))
    rows = [one | {"rationale": one["rationale"] if i < 20 else ""} for i, one in enumerate(rows)]
    cli("export", rows_in(tmp_path / "mine.jsonl", rows), "--format", "step-by-step",
        "--format", "trl-prompt-completion")  # fmt: skip
    said = "Of all 60 records, before 40 were left out of this set."
    _, body = parts(tmp_path / "runs/mine/export/step-by-step/README.md")
    assert all(said in section(body, name) for name in ("How varied it is", "Splits"))
    assert "whose journal holds" not in body
    assert said not in parts(tmp_path / "runs/mine" / CARD)[1]


def test_the_card_says_what_people_wrote_and_what_it_takes_to_make_it_again(cli, tmp_path):
    source = answered(tmp_path / "mine.jsonl", 12)
    cli("export", source)
    run = tmp_path / "runs/mine"
    assert "also needs" not in parts(run / CARD)[1]
    rows = lines(source)
    rows_in(run / "reviews.jsonl", [
        {"id": rows[0]["id"], "decision": "edit", "fields": {"answer": "No."}},
        {"id": rows[1]["id"], "decision": "reject"},
    ])  # fmt: skip
    rows_in(run / "part.jsonl", rows[:8])
    for _ in range(2):
        cli("export", "runs/mine/part.jsonl")
        _, body = parts(run / CARD)
        assert "1 of them has texts that reviewers wrote" in body
        assert "left out: rejected by reviewers" in body
        assert "1 rejected" in body
        assert "`reviews.jsonl` (what people decided) and `splits.jsonl` (of an" in body


def test_an_empty_cell_of_a_table_is_an_empty_text_for_the_hub(cli, tmp_path):
    cli("export", answered(tmp_path / "mine.jsonl", 12), "--format", "csv")
    head, _ = parts(tmp_path / "runs/mine/export/csv/README.md")
    assert head["configs"][0]["keep_default_na"] is False


def test_it_says_that_images_are_not_among_the_files(cli, tmp_path):
    (tmp_path / "cat.png").touch()
    rows = lines(answered(tmp_path / "mine.jsonl", 12))
    source = rows_in(tmp_path / "mine.jsonl", rows)
    cli("export", source, "--format", "hf")
    assert "images" not in (tmp_path / "runs/mine/export/hf/README.md").read_text()
    rows_in(source, [one | {"images": ["cat.png"]} for one in rows])
    cli("export", source, "--format", "hf")
    _, body = parts(tmp_path / "runs/mine/export/hf/README.md")
    assert "The images are not among these files." in body


# -- what it counts ----------------------------------------------------------------------------


def test_splits_teachers_and_strategies_are_those_of_the_files(whole):
    _, body = parts(whole / CARD)
    folder = (whole / CARD).parent
    meta = {
        split: lines(folder / f"{split}.meta.jsonl") for split in ("train", "validation", "test")
    }
    found = {row[0]: [number(cell) for cell in row[1:]] for row in table(body, "split")}
    assert found == {split: [len({m["id"] for m in rows}), len(rows)]
                     for split, rows in meta.items() if rows}  # fmt: skip
    every = [row for rows in meta.values() for row in rows]
    assert table(body, "teacher") == [
        [f"`{name}`", str(n), "`MIT`"] for name, n in Counter(m["teacher"] for m in every).items()
    ]
    assert {row[0].split(":")[0]: number(row[1]) for row in table(body, "the question")} == {
        f"`{name}`": n for name, n in Counter(m["strategy"] for m in every).items()
    }
    assert f"{len(every)} questions with answers" in body
    assert f"the {len(lines(whole / 'seeds.jsonl'))} seeds of `stock_advisor.jsonl`" in body
    assert "`an expert for stock markets`" in body
    longest = max(tokens(row) for split in meta for row in lines(folder / f"{split}.jsonl"))
    assert f"about {longest} tokens" in body


def test_what_was_left_out_adds_up_from_the_first_proposal_to_the_set(whole):
    _, body = parts(whole / CARD)
    steps: dict[str, list[tuple[str, float]]] = {}
    for step, what, n in table(body, "step"):
        steps.setdefault(step or list(steps)[-1], []).append((what, number(n)))
    assert list(steps) == ["expand", "answer", "export"]
    for rows in steps.values():
        (first, given), *_, (last, kept) = rows
        assert first in ("proposed", "given")
        assert last in ("kept", "**in this set**")
        assert given == kept + sum(n for what, n in rows[1:-1])
        assert all(what.startswith("left out: ") for what, _ in rows[1:-1])
    for before, after in pairwise(steps.values()):
        assert before[-1][1] == after[0][1]
    rejected = Counter(row["reason"] for row in lines(whole / "rejected.jsonl"))
    assert (
        dict(steps["expand"])["left out: nearly the same as an earlier one"]
        == (rejected["near_duplicate"])
    )
    assert steps["answer"][-1][1] == len(lines(whole / "answers.jsonl"))


def verdicts_of(body: str, run: Path, ids: set[str]) -> None:
    """The card's figures of checks and scores are those of these records."""
    checked = [row for row in lines(run / "checks.jsonl") if row["id"] in ids]
    said = {row[0].strip("`"): row[2:] for row in table(body, "check")}
    assert said.keys() == {name for row in checked for name in row["checks"]}
    for name, (applied, passed) in said.items():
        verdicts = [row["checks"][name]["passed"] for row in checked if name in row["checks"]]
        assert (number(applied), number(passed)) == (len(verdicts), sum(verdicts))
    unfailing = sum(all(one["passed"] for one in row["checks"].values()) for row in checked)
    assert f"{unfailing} of {len(ids)} answers are known to fail none" in body
    scores = [row for row in lines(run / "scores.jsonl") if row["id"] in ids]
    assert f"`openai:teacher-1` ({len(scores)} answers)" in body
    for name, mean, *counts in table(body, "aspect"):
        given = [row["scores"][name.strip("`")] for row in scores]
        assert number(mean) == pytest.approx(sum(given) / len(given), abs=0.006)
        assert list(map(number, counts)) == [given.count(score) for score in range(1, 6)]


def test_checks_and_scores_are_those_of_the_exported_answers(whole):
    _, body = parts(whole / CARD)
    verdicts_of(body, whole, {row["id"] for row in lines(whole / "answers.jsonl")})


def test_the_figures_of_a_selection_are_of_the_selection(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(whole.parent.parent)
    run = CLI(whole.parent.parent)
    run("export", "runs/made/selected.jsonl", "-o", tmp_path)
    _, body = parts(tmp_path / "trl-prompt-completion/README.md")
    ids = {row["id"] for row in lines(whole / "selected.jsonl")}
    assert len(ids) == 20
    verdicts_of(body, whole, ids)
    assert [row[0] for row in table(body, "step") if row[0]] == [
        "expand", "answer", "select", "export",
    ]  # fmt: skip
    assert table(body, "figure")[0] == ["texts", "20", "20", "20", "20"]
    run("export", "runs/made", "--license", "MIT")


def test_variety_and_test_sets_are_told(whole):
    _, body = parts(whole / CARD)
    told = section(body, "How varied it is")
    questions = [row["question"] for row in lines(whole / "answers.jsonl")]
    rows = {row[0]: row[1:] for row in table(told, "figure")}
    assert rows["texts"][0] == str(len(questions))
    assert 1 < number(rows["compression ratio"][0]) < 20
    assert 0 < number(rows["distinct-1"][0]) < number(rows["distinct-2"][0]) < 1
    assert "Languages: `en`" in told
    flags = lines(whole / "contaminated.jsonl")
    tiers = Counter(match["tier"] for row in flags for match in row["matches"])
    assert len(flags) >= 3
    assert table(section(body, "Test sets"), "test set") == [
        ["`test.jsonl`", *(str(tiers[tier]) for tier in ("exact", "ngram", "paraphrase"))]
    ]
    assert f"{len(flags)} of {len(questions)} records give an item away" in body


def test_prompts_are_told_by_their_digests(whole):
    _, body = parts(whole / CARD)
    manifest = json.loads((whole / "manifest.json").read_text())["commands"]
    assert table(body, "command") == [
        [stage, f"`{name}`", f"`{sha256[:16]}`"]
        for stage in ("expand", "answer", "judge")
        for name, sha256 in sorted(manifest[stage]["prompts"].items())
    ]


def test_pairs_say_how_the_better_answer_is_known(cli, tmp_path):
    answered(tmp_path / "sums.jsonl", 30)
    cli("pairs", "sums.jsonl")
    cli("select", "sums.jsonl")
    cli("pairs", "runs/sums/selected.jsonl")
    cli("export", "runs/sums/selected.jsonl", "--format", "trl-dpo", "--format", "trl-kto",
        "--format", "jsonl")  # fmt: skip
    head, body = parts(tmp_path / "runs/sums/export/trl-dpo/README.md")
    folder = tmp_path / "runs/sums/export/trl-dpo"
    meta = [row for path in folder.glob("*.meta.jsonl") for row in lines(path)]
    assert head["tags"][-1] == "dpo"
    told = section(body, "How the better answer is known")
    assert table(told, "which is better is known") == [
        ["a right answer against a wrong one", str(len(meta))]
    ]
    better, worse = (Counter(m[key] for m in meta) for key in ("teacher", "rejected_teacher"))
    assert {row[0]: [number(row[1]), number(row[2])] for row in table(body, "teacher")} == {
        f"`{name}`": [better[name], worse[name]] for name in better.keys() | worse.keys()
    }
    assert parts(tmp_path / "runs/sums/export/trl-kto/README.md")[0]["tags"][-1] == "kto"
    _, plain = parts(tmp_path / "runs/sums/export/jsonl/README.md")
    assert "How the better answer is known" not in plain
    known = [row for row in lines(tmp_path / "runs/sums/selected.jsonl") if row.get("gold")]
    right = sum(row["gold"] in row["answer"] for row in known)
    assert f"Of {len(known)} answers whose truth is known" in plain
    assert f"review, {right} are right" in plain


def test_a_closed_task_tells_its_labels(cli, server, tmp_path):
    cli("run", seeds(tmp_path, "nli"), "-n", 20, *teacher(server))
    head, body = parts(tmp_path / "runs/nli" / CARD)
    assert head["task_categories"] == ["text-classification"]
    counts = Counter(row["label"] for row in lines(tmp_path / "runs/nli/answers.jsonl"))
    assert {row[0]: number(row[1]) for row in table(body, "label")} == {
        f"`{label}`": n for label, n in counts.items()
    }


def test_a_leakage_table_stands_in_the_card(tmp_path):
    from test_export import answers, tenth

    from distillgen import export
    from distillgen.card import About

    about = About("counting", leakage="| split | in train |\n|---|---:|\n| test | 0 |")
    export.export(answers(20), (), False, export.Options(), tmp_path, tenth, about)
    _, body = parts(tmp_path / "trl-prompt-completion/README.md")
    assert about.leakage in section(body, "Splits")


@pytest.mark.parametrize(
    ("name", "end", "records"),
    [("mine.jsonl", "\n", 12), ("mine.txt", "\n", 12), ("mine.jsonl", '\n{"question": "cut', 12)],
)
def test_a_file_of_no_run_is_told_as_far_as_it_is_known(cli, tmp_path, name, end, records):
    whole = answered(tmp_path / name, records)
    whole.write_text(whole.read_text().rstrip("\n") + end)
    cli("export", name)
    _, body = parts(tmp_path / "runs/mine" / CARD)
    assert body.startswith(f"\n# `mine`, for `trl-prompt-completion`\n\n{records} questions")
    assert f"The questions came from `{name}`." in body
    assert "asked to be" not in body
    assert table(body, "step") == [["export", "given", f"{records}"],
                                   ["", "**in this set**", f"{records}"]]  # fmt: skip
    assert f"distillgen export {name} --format trl-prompt-completion\n" in body


# -- what it must not hold ---------------------------------------------------------------------


def test_no_text_becomes_markup_breaks_a_table_or_the_head(cli, tmp_path):
    rows = [
        {
            "question": f"What is {i}? {HOSTILE}", "answer": "", "label": f"{HOSTILE}{i % 3}",
            "rationale": HOSTILE, "id": f"{HOSTILE}{i}", "strategy": HOSTILE, "teacher": HOSTILE,
            "request": HOSTILE, "flags": ["refined"],
        }
        for i in range(12)
    ]  # fmt: skip
    source = tmp_path / "<b>|`x.jsonl"
    rows_in(source, rows)
    cli("export", source, "--license", HOSTILE, "--system", HOSTILE)
    (card,) = tmp_path.glob("runs/*/export/*/README.md")
    head, body = parts(card)
    assert head.keys() - {"language"} == {
        "pretty_name", "license", "license_name", "size_categories", "task_categories", "tags",
        "configs",
    }  # fmt: skip
    assert head["license"] == "other"
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", card.read_text())
    tree = MarkdownIt("commonmark").enable("table").parse(body)
    kinds = Counter(token.type for token in tree)
    inner = [child for token in tree for child in token.children or ()]
    kinds.update(child.type for child in inner)
    assert not kinds.keys() & {"html_block", "html_inline", "image", "link_open", "hr"}
    assert kinds["fence"] == 2
    titles = [t.content for t, after in pairwise(tree[1:]) if after.type == "heading_close"]
    assert [title for title in titles if not title.startswith("`")] == [
        line.removeprefix("## ") for line in body.split("\n") if line.startswith("## ")
    ]
    assert "Top" not in titles
    for row in re.findall(r"(?m)^\|.*$", body):
        assert row.endswith("|")
    assert len(table(body, "label")) == 3
    assert table(body, "teacher")[0][1] == "12"


def test_it_holds_no_path_of_the_machine_no_port_and_no_time(whole):
    text = (whole / CARD).read_text()
    manifest = (whole / "manifest.json").read_text()
    port = re.search(r"127\.0\.0\.1:(\d+)", manifest)
    assert port
    assert str(whole.parent.parent) in manifest
    for told in (str(whole.parent.parent), "/tmp", "runs/made", "127.0.0.1", port[1]):
        assert told not in text
    assert not re.search(r"\d\d:\d\d|\d{4}-\d\d-\d\d", text)


def test_the_same_export_has_the_same_card(whole):
    run = CLI(whole.parent.parent)
    before = content(whole)
    run("export", "runs/made", "--license", "MIT")
    assert content(whole) == before


# -- the commands ------------------------------------------------------------------------------


def again(card: Path, server: TeacherServer, run: CLI) -> None:
    """Run the commands that a card prints, in a folder of their own."""
    block = re.search(r"```sh\n(.*?)\n```", card.read_text(), re.DOTALL)
    assert block
    for line in block[1].split("\n"):
        program, *words = shlex.split(line)
        assert program == "distillgen"
        run(*(server.url if word == remake.SERVER else word for word in words))


JOBS = {
    "few": [
        ["expand", "stock_advisor.jsonl", "-n", 30, "--per-call", 4, "--temperature", 0.8,
         "--strategy", "few-shot=0.5,evolve=0.5", "TEACHER"],
        ["answer", "RUN", "--limit", 25, "--style", "all", "TEACHER"],
        ["check", "RUN", "--checks", "refused,context-used"],
        ["export", "RUN", "--split", "train=0.7,test=0.3", "--license", "it's ours", "--shuffle",
         "--system", "keep", "--rationale", "first", "--random-seed", 3],
    ],
    "best": [
        ["expand", "nli.jsonl", "-n", 30, "TEACHER"],
        ["answer", "RUN", "--samples", 3, "--soft", "votes", "TEACHER"],
        ["judge", "RUN", "TEACHER"],
        ["decontaminate", "RUN", "--against", "nli.jsonl", "--drop"],
        ["select", "RUN/decontaminated.jsonl", "--budget", 12],
        ["export", "RUN/selected.jsonl", "--format", "soft-labels", "--hard-weight", 0.3],
    ],
    "pairs": [
        ["answer", "questions.csv", "--samples", 2, "--field", "question=body", "--labels",
         "buy,sell", "--server", "ours", "TEACHER"],
        ["judge", "RUN", "--candidates", "TEACHER"],
        ["pairs", "RUN", "--margin", 0.5],
        ["export", "RUN", "--format", "trl-dpo"],
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_the_commands_of_the_card_make_the_same_files(name, cli, server, tmp_path):
    for folder in (tmp_path, tmp_path / "elsewhere"):
        folder.mkdir(exist_ok=True)
        seeds(folder), seeds(folder, "nli")
        rows = [f"Is share {i} a good one?,{i}" for i in range(12)]
        (folder / "questions.csv").write_text("\n".join(["body,row", *rows]) + "\n")
    for job in JOBS[name]:
        given = [word for word in job if word != "TEACHER"]
        words = [str(word).replace("RUN", "made") for word in given]
        words += teacher(server) if "TEACHER" in job else []
        cli(*words, *(["-o", "made"] if job is JOBS[name][0] else []), "-q", code=None)
    (card,) = tmp_path.glob("made/export/*/README.md")
    other = CLI(tmp_path / "elsewhere")
    again(card, server, other)
    first = content(tmp_path / "made")
    (made,) = (tmp_path / "elsewhere/runs").iterdir()
    second = content(made)
    assert {k: v for k, v in first.items() if k.startswith("export/")} == {
        k: v for k, v in second.items() if k.startswith("export/")
    }
    assert len(first) > 3


def test_a_word_comes_back_from_the_shell_as_it_was(tmp_path):
    import subprocess

    for word in ("it's", "two\nlines", "a\tb\x1b\\'é", "😀\u2028", "$(ls) `x` !", ""):
        line = f"printf %s {remake.quoted(word)}"
        assert "\n" not in line
        done = subprocess.run(["bash", "-c", line], capture_output=True, check=True,
                              env={"LC_ALL": "C.UTF-8"})  # fmt: skip
        assert done.stdout.decode() == word


SAME_CONTENT = {
    "teacher", "base_url", "escalate", "threads", "max_cost", "price_in", "price_out", "dry_run",
    "concurrency", "rpm", "tpm", "timeout", "max_failed", "reuse", "out", "overwrite", "as_json",
    "quiet", "field", "labels", "push", "more", "format", "layout", "help",
}  # fmt: skip
"""Options that change no content, and those that are spelled apart from the others."""


@pytest.mark.parametrize("stage", remake.OPTIONS)
def test_every_option_that_changes_the_content_is_known_to_the_card(stage):
    command = typer.main.get_command(cli.app).commands[stage]
    named = {p.name for p in command.params if p.param_type_name == "option"}
    if stage in ("decontaminate", "dedupe"):  # there it keeps vectors apart, and no record has them
        named.remove("server")
    assert named - SAME_CONTENT == set(remake.OPTIONS[stage])


# -- terms -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("openai:gpt-4.1-mini", "OpenAI's terms"),
        ("openrouter:openai/o3-mini", "OpenAI's terms"),
        ("openai:teacher-1", ""),
        ("vllm:openai/gpt-oss-120b", ""),
        ("anthropic:claude-sonnet-4-5", "Anthropic's"),
        ("openrouter:anthropic/claude-3.5-haiku", "Anthropic's"),
        ("gemini:gemini-2.5-flash", "Gemini API"),
        ("groq:llama3-70b-8192", "the Llama 3 licence forbids"),
        ("together:meta-llama/Meta-Llama-3-8B-Instruct", "the Llama 3 licence forbids"),
        ("ollama:llama2:13b", "the Llama 2 licence forbids"),
        ("local:codellama-7b.Q4_K_M.gguf", "the Llama 2 licence forbids"),
        ("groq:llama-3.3-70b-versatile", "begins with Llama"),
        ("fireworks:accounts/fireworks/models/llama-v3p1-8b-instruct", "begins with Llama"),
        ("groq:meta-llama/llama-4-scout-17b", "begins with Llama"),
        ("vllm:openlm-research/open_llama_3b", ""),
        ("local:tinyllama-1.1b.gguf", ""),
        ("ollama:gemma2:9b", "Gemma terms"),
        ("ollama:gemma3:4b", "Gemma terms"),
        ("vllm:google/gemma-7b-it", "Gemma terms"),
        ("openrouter:x-ai/grok-2", "xAI's community licence"),
        ("ollama:qwen2.5:1.5b", ""),
        ("deepseek:deepseek-chat", ""),
        ("mistral:mistral-large-latest", ""),
        ("local:smollm2-135m", ""),
        ("llama3.1", "begins with Llama"),
        ("bedrock:meta.llama3-1-8b-instruct-v1:0", "begins with Llama"),
        ("bedrock:meta.llama3-8b-instruct-v1:0", "the Llama 3 licence forbids"),
        ("ollama:codegemma:7b", "Gemma terms"),
        ("llama3", "the Llama 3 licence forbids"),
        ("gemma", "Gemma terms"),
        ("CC-BY-NC-4.0", "commercial use"),
        ("cc-by-nc-sa-4.0", "commercial use"),
        ("cc-by-4.0", ""),
        ("apache-2.0", ""),
    ],
)
def test_terms_that_restrict_training_are_known_by_the_names_of_models(name, says):
    found = terms.restriction(name)
    assert (says in str(found)) if says else found is None


def test_every_restriction_has_a_source_and_a_date():
    for one in terms.RESTRICTIONS:
        assert one.source.startswith("https://")
        assert re.search(r"\d", one.date)


def test_the_export_warns_of_terms_in_one_line_a_teacher(cli, tmp_path):
    names = ["openai:gpt-4.1", "local:smollm2-135m", "vllm:mine", "ollama:llama3:8b"]
    rows = [{"question": f"What is {i}?", "answer": "It.", "id": str(i), "teacher": names[i % 4],
             "request": "r"} for i in range(12)]  # fmt: skip
    ran = cli("export", rows_in(tmp_path / "a.jsonl", rows))
    said = " ".join(ran.err.split())
    assert "openai:gpt-4.1: OpenAI's terms forbid using output" in said
    assert "ollama:llama3:8b: the Llama 3 licence forbids" in said
    assert "vllm:mine: nobody has stated" in said
    assert "smollm2" not in said
    _, body = parts(tmp_path / "runs/a" / CARD)
    told = section(body, "How it was made")
    assert ["`local:smollm2-135m`", "3", "Apache-2.0 (its weights)"] in table(told, "teacher")
    assert "- `openai:gpt-4.1`: OpenAI's terms forbid" in told
    ran = cli("export", "a.jsonl", "--license", "ours")
    assert "nobody has stated" not in ran.err
    assert "OpenAI's terms forbid" in " ".join(ran.err.split())


@pytest.mark.parametrize("module", [hub_yaml, markdown, remake, terms, card_figures])
def test_the_examples_in_the_code_hold(module):
    assert not doctest.testmod(module).failed
