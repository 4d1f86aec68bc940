"""Questions about images and tables: who sees what, what is stored, what is refused."""

import json
import re
import sqlite3
import time
from collections import Counter
from hashlib import sha256
from unittest.mock import MagicMock

import pytest
from conftest import ended
from jobs import balanced, content, lines, pictures, png, rows_in, seeds, sent_again, teacher
from teacher_words import images_of, words_of

from distillgen import images
from distillgen.errors import UserError
from distillgen.prompts import find
from distillgen.records import Completion, Example, Seed, Terms
from distillgen.strategies import Setting, Turn
from distillgen.strategies import images as strategy
from distillgen.task import Task

RUN = "runs/stock_advisor"
NO_IMAGE_MAY_BE_OPENED = """
import sys

def hook(event, args):
    if event == "open" and str(args[0]).endswith(".png"):
        raise RuntimeError("an image was opened")

sys.addaudithook(hook)
"""


def job(tmp_path, server, *more, command="run", n=24):
    return [command, seeds(tmp_path), "--strategy", "images", "--images", "images.jsonl", "-n", n,
            "--per-call", 2, "--patience", 0, *teacher(server), *more]  # fmt: skip


# -- who sees what -----------------------------------------------------------------------------


def test_a_text_teacher_reads_the_description_and_no_image_file_is_opened(cli, server, tmp_path):
    pictures(tmp_path)
    server.set(twins=0)
    watched = cli.patched(NO_IMAGE_MAY_BE_OPENED)
    cli(*job(tmp_path, server), **watched)
    assert all(images_of(one.body) == [] for one in server.asked)
    made = lines(tmp_path / RUN / "inputs.jsonl")
    assert Counter(row["images"][0] for row in made) == {f"pics/{i}.png": 4 for i in range(6)}
    asked = ["\n".join(map(words_of, one.body["messages"])) for one in server.asked]
    for row in made:
        said = row["meta"]["description"]
        assert f"No. {row['images'][0][5]}" in said
        (answering,) = [words for words in asked if row["question"] in words]
        assert f"{row['user_context']}\n\nWhat the image shows:\n{said}\n" in answering
        assert "never of a description" in answering
    refused = cli(*job(tmp_path, server, "--vision", "-o", "other"), code=None, **watched)
    assert "an image was opened" in refused.err


def test_a_vision_teacher_sees_the_bytes_of_the_file_when_it_asks_and_when_it_answers(
    cli, server, tmp_path
):
    pictures(tmp_path)
    server.set(twins=0)
    told = cli(*job(tmp_path, server, "--vision", "--json")).told
    assert balanced(told)
    made = {row["question"]: row for row in lines(tmp_path / RUN / "inputs.jsonl")}
    answered = Counter()
    for one in server.asked:
        (seen,) = images_of(one.body)
        words = words_of(one.body["messages"][-1])
        said = re.search(r"No\. (\d)", words)
        path = f"pics/{said[1]}.png" if said else ""
        for row in (row for question, row in made.items() if question in words):
            assert not path
            path = row["images"][0]
            answered[path] += 1
        assert seen == (tmp_path / path).read_bytes()
    assert answered == {f"pics/{i}.png": 4 for i in range(6)}


def test_no_bytes_of_an_image_are_stored_and_nothing_is_asked_twice(cli, server, tmp_path):
    pictures(tmp_path)
    cli(*job(tmp_path, server, "--vision", "--concurrency", 1))
    whole = content(tmp_path / RUN)
    for path in (tmp_path / RUN).rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert b"iVBORw0KGgo" not in raw, path
            assert b"IHDR" not in raw, path
    with sqlite3.connect(tmp_path / RUN / "journal.sqlite") as journal:
        stored = [json.loads(text) for (text,) in journal.execute("SELECT json FROM request")]
    for request in stored:
        (image,) = request["messages"][-1]["images"]
        assert image["sha256"] == sha256((tmp_path / image["path"]).read_bytes()).hexdigest()
    with server.counting() as asked:
        cli(*job(tmp_path, server, "--vision"))
        assert asked == []
    cli(*job(tmp_path, server, "--vision", "--concurrency", 32, "-o", "again"))
    assert content(tmp_path / "again") == whole


# -- what changes ------------------------------------------------------------------------------


def test_a_changed_image_is_asked_about_anew_and_no_other(cli, server, tmp_path):
    pictures(tmp_path)
    server.set(twins=0)
    cli(*job(tmp_path, server, "--vision", n=12))
    before = len(server.asked)
    (tmp_path / "pics/3.png").write_bytes(png(77))
    ran = cli(*job(tmp_path, server, "--vision", n=12))
    assert "images.jsonl changed since the last expand" in ran.err
    anew = server.asked[before:]
    assert [images_of(one.body) for one in anew] == [[png(77)]] * 3
    assert sent_again(server.asked) == 0


def test_an_image_that_changes_meanwhile_stops_the_run_and_costs_nothing(cli, server, tmp_path):
    pictures(tmp_path)
    server.set(twins=0, latency_s=0.7)
    process = cli.start(*job(tmp_path, server, "--vision", "--concurrency", 1))
    while not server.asked:
        time.sleep(0.01)
    for i in range(6):
        (tmp_path / f"pics/{i}.png").write_bytes(png(i + 50))
    ran = ended(process)
    assert ran.code == 2
    assert "changed while it was in use; run the same command again" in ran.err
    with sqlite3.connect(tmp_path / RUN / "journal.sqlite") as journal:
        states = Counter(state for (state,) in journal.execute("SELECT state FROM attempt"))
    assert states == {"answered": len(server.asked), "unpaid": 1}
    server.set(latency_s=0)
    cli(*job(tmp_path, server, "--vision"))
    assert len(lines(tmp_path / RUN / "answers.jsonl")) == 24


def test_images_that_moved_are_not_asked_about_anew(cli, server, tmp_path):
    manifest = pictures(tmp_path)
    cli(*job(tmp_path, server, "--vision"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "pics").rename(tmp_path / "elsewhere/pics")
    manifest.rename(tmp_path / "elsewhere/images.jsonl")
    with server.counting() as asked:
        cli(*job(tmp_path, server, "--vision", "--images", "elsewhere/images.jsonl"))
    assert asked == []
    for name in ("inputs.jsonl", "answers.jsonl"):
        assert all(
            (tmp_path / row["images"][0]).is_file() and row["images"][0].startswith("elsewhere/")
            for row in lines(tmp_path / RUN / name)
        )


# -- tables ------------------------------------------------------------------------------------


def test_a_table_stands_in_the_context_for_teacher_and_student(cli, server, tmp_path):
    server.set(twins=0)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/sales.csv").write_text("year,sales\n2023,14\n2024,19\n")
    rows_in(tmp_path / "images.jsonl", [
        {"table": "data/sales.csv", "caption": "Sales of a bakery."},
        {"table": "month,rain\nMay,61\nJune,12"},
    ])  # fmt: skip
    cli(*job(tmp_path, server, "--format", "step-by-step", n=8))
    made = lines(tmp_path / RUN / "inputs.jsonl")
    tables = Counter(row["user_context"].partition("\n\n")[2] for row in made)
    sales = "Sales of a bakery.\nTable:\nyear,sales\n2023,14\n2024,19"
    assert tables == {sales: 4, "Table:\nmonth,rain\nMay,61\nJune,12": 4}
    assert not any("images" in row for row in made)
    assert len({row["family"] for row in made}) == len({row["parents"][0] for row in made}) == 2
    taught = lines(tmp_path / RUN / "export/step-by-step/train.jsonl")
    assert all("Table:\n" in row["input"] for row in taught)
    assert all("Table:\n" in "".join(map(words_of, one.body["messages"])) for one in server.asked)


# -- whose turn it is --------------------------------------------------------------------------


def rows(n: int) -> strategy.Manifest:
    said = (strategy.Row(str(i), f"{i}.png", "", f"Thing {i}.", {}) for i in range(n))
    return strategy.Manifest(tuple(said))


def setting(n: int = 20, operations: tuple[str, ...] = ()) -> Setting:
    return Setting(
        terms=Terms("t"), task=Task(name="t"), prompt=find("expand.images", "", False, []),
        seeds=(Seed(user_context="I bake.", question="Which flour?"),), per_call=2, shots=3,
        human_shots=3, steady=1, short=False, random_seed=0, generations=3, per_parent=2,
        operations=operations, material=rows(n),
    )  # fmt: skip


def about(nths, pool=(), n=20):
    same = setting(n)
    return [
        strategy.plan(Turn(nth, nth), pool, same).lineage["images"][0] for nth in nths
    ]  # fmt: skip


def test_each_image_comes_up_before_any_comes_up_again_and_not_in_the_order_of_the_file():
    first, second = about(range(20)), about(range(20, 40))
    assert sorted(first) == sorted(second) == sorted(f"{i}.png" for i in range(20))
    assert first != second
    assert first != [f"{i}.png" for i in range(20)]


def test_images_with_few_inputs_come_up_more_often():
    pool = [
        Example(question=f"Q{i}", id=str(i), parents=(str(i % 10),)) for i in range(128)
    ]  # fmt: skip
    drawn = Counter(about(range(200, 1200), pool))
    poor = sum(drawn[f"{i}.png"] for i in range(10, 20))
    assert poor > 650
    assert all(drawn[f"{i}.png"] for i in range(20))


def test_the_kinds_of_question_have_the_shares_of_llava():
    same = setting()
    drawn = Counter(
        strategy.plan(Turn(i, i), (), same).lineage["operation"] for i in range(1580)
    )  # fmt: skip
    assert all(
        abs(drawn[name] - 10 * share) < 60
        for name, share in (("conversation", 58), ("detail", 23), ("reasoning", 77))
    )
    some = setting(operations=("conversation", "detail"))
    drawn = Counter(
        strategy.plan(Turn(i, i), (), some).lineage["operation"] for i in range(810)
    )  # fmt: skip
    assert abs(drawn["detail"] - 230) < 50
    assert drawn.total() == drawn["detail"] + drawn["conversation"]


def test_the_same_question_may_be_asked_of_each_image_once(cli, tmp_path):
    pictures(tmp_path)
    same = {"examples": [{"user_context": "I look at it.", "question": "What is it?"}]}
    rows_in(tmp_path / "script.jsonl", [{"reply": same}])
    told = cli("expand", seeds(tmp_path), "--strategy", "images", "--images", "images.jsonl",
               "--teacher", "scripted:script.jsonl", "-n", 12, "--per-call", 1, "--max-requests",
               18, "--json", code=1).told  # fmt: skip
    made = lines(tmp_path / RUN / "inputs.jsonl")
    assert sorted(row["images"][0] for row in made) == [f"pics/{i}.png" for i in range(6)]
    assert len({row["id"] for row in made}) == 6
    assert told["counts"]["duplicate"] == 12


def test_dedupe_leaves_what_is_asked_of_other_images(cli, tmp_path):
    same = {"question": "What is written on the sign?", "user_context": "I look at it."}
    rows = [same | {"images": [f"{i}.png"]} for i in (0, 1, 2, 3, 4, 0)]
    told = cli("dedupe", rows_in(tmp_path / "made.jsonl", rows), "--json").told
    assert told["counts"]["kept"] == 5
    assert told["counts"]["duplicate"] == 1


def test_a_reply_without_a_question_is_a_problem_and_belongs_to_the_image():
    said = '{"examples": [{"user_context": "I fish", "question": "Which boat?"}, {"question": 3}]}'
    lineage = strategy.plan(Turn(0, 0), (), setting(1)).lineage
    good, bad = strategy.parse(Completion(said, finish_reason="stop"), lineage)
    assert good.origin["images"] == ("0.png",)
    assert good.origin["meta"] == {"description": "Thing 0."}
    assert bad.problem


# -- answers to questions that others wrote ----------------------------------------------------


def test_a_question_on_an_image_is_never_answered_blindly(cli, server, refused, tmp_path):
    (tmp_path / "a.png").write_bytes(png(5))
    blind = rows_in(tmp_path / "blind.jsonl", [
        {"question": "What is it?", "images": "a.png"}, {"question": "Why?"},
        {"question": "And this?", "images": ["gone.png"], "description": " "},
    ])  # fmt: skip
    said = refused("answer", blind, *teacher(server))
    assert "the teacher is not shown a.png, and nothing says what is in it" in said
    assert "--vision" in said
    assert "column `description`" in said
    assert "2 of 3 rows are wrong. Nothing was asked" in said
    assert "gone.png: no such file" in refused("answer", blind, "--vision", *teacher(server))

    told = rows_in(tmp_path / "told.jsonl", [
        {"question": "What is it?", "images": "a.png", "description": "A lighthouse."},
    ])  # fmt: skip
    cli("answer", told, *teacher(server))
    cli("answer", told, "--vision", *teacher(server))
    words, seen = (one.body["messages"][-1] for one in server.asked)
    assert "What the image shows:\nA lighthouse." in words_of(words)
    assert "lighthouse" not in words_of(seen)
    assert [images_of(one.body) for one in server.asked] == [[], [png(5)]]


def test_the_embedded_teacher_is_not_shown_images(refused, tmp_path):
    pictures(tmp_path)
    said = refused("expand", seeds(tmp_path), "--strategy", "images", "--images", "images.jsonl",
                   "--vision")  # fmt: skip
    assert "reads text alone; name a teacher that sees images" in said


# -- manifests that cannot be used -------------------------------------------------------------

BAD = [
    ({}, "nothing says what there is to see; write a caption or a table"),
    ({"image": "pics/0.png"}, "nothing says what there is to see; write a caption or a table, or"),
    ({"image": "pics/9.png", "caption": "x"}, "pics/9.png: no such file"),
    ({"image": "pics", "caption": "x"}, "pics: is no regular file"),
    ({"image": "a\0b.png", "caption": "x"}, "no such file"),
    ({"image": "x" * 5000, "caption": "x"}, "no such file"),
    ({"image": "https://a.b/c.png", "caption": "x"}, "`image` is a URL; fetch the file"),
    ({"image": 3, "caption": "x"}, "`image` is a number; write the path of a file"),
    ({"caption": ["x", None]}, "`caption` is a list; write a text or a list of texts"),
    ({"caption": "x", "ocr": {"a": 1}}, "`ocr` is an object; write a text or a list of texts"),
    ({"caption": "x", "boxes": [{"label": "dog"}]}, "`boxes` is a list; write a list such as"),
    ({"caption": "x", "boxes": [{"label": "d", "box": [1, 2, 3]}]}, "`boxes` is a list; write"),
    ({"caption": "x", "boxes": [{"label": "d", "box": [1, 2, 3, True]}]}, "`boxes` is a list;"),
    ({"table": "gone.csv"}, "gone.csv: no such file"),
    ({"table": "latin.csv"}, "latin.csv: not UTF-8; save it as UTF-8"),
    ({"table": "long.csv"}, "long.csv: more than 20,000 characters; keep what matters"),
    ({"caption": "x" * 20_001}, "20,001 characters, the limit is 20,000; say less"),
    ({"caption": "x", "description": "y"}, "call it `caption`"),
]


@pytest.mark.parametrize(("row", "why"), BAD, ids=range(len(BAD)))
def test_a_row_that_cannot_be_used_is_named_with_its_line(tmp_path, row, why):
    manifest = pictures(tmp_path, 1)
    (tmp_path / "latin.csv").write_bytes(b"price\n5 \xa3\n")
    (tmp_path / "long.csv").write_text("1\n" * 50_000)
    rows_in(manifest, [{"caption": "fine"}, row])
    with pytest.raises(UserError) as caught:
        strategy.read(manifest, vision=False)
    assert str(caught.value).startswith(f"{manifest}:2: ")
    assert why in str(caught.value)
    assert "1 of 2 rows are wrong. Nothing was asked, nothing was paid." in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "no PNG, JPEG, WebP or GIF"),
        (b"<svg></svg>", "no PNG, JPEG, WebP or GIF; convert it to one of these"),
        (b"RIFF\0\0\0\0WAVE", "no PNG, JPEG, WebP or GIF"),
        (png(1) + b"\0" * (20 << 20), "20.0 MB; the limit is 20 MB, make it smaller"),
    ],
)
def test_a_file_that_teachers_do_not_take_is_refused_before_it_is_sent(tmp_path, raw, why):
    manifest = pictures(tmp_path, 2)
    (tmp_path / "pics/1.png").write_bytes(raw)
    with pytest.raises(UserError, match=f"images.jsonl:2: .*1.png: {why}"):
        strategy.read(manifest, vision=True)


def test_all_wrong_rows_are_told_at_once_and_nothing_is_asked(server, refused, tmp_path):
    pictures(tmp_path)
    rows_in(tmp_path / "images.jsonl", [{"caption": "one"}, {"caption": "one"}, *[{}] * 30, [1]])
    for command in ("run", "expand"):
        said = refused(*job(tmp_path, server, command=command))
        assert "images.jsonl:2: " in said
        assert "stands in line 1 too; make one row of them" in said
        assert "… 12 more" in said
        assert "32 of 33 rows are wrong" in said
    (tmp_path / "images.jsonl").unlink()
    assert "--images images.jsonl: no such file" in refused(*job(tmp_path, server))
    bare = ["expand", seeds(tmp_path), "--strategy", "images", *teacher(server)]
    said = refused(*bare)
    assert "images.jsonl: there is none in the run folder yet; --images FILE names yours" in said
    assert "--images: is read by --strategy images, which is not asked for" in refused(
        "expand", seeds(tmp_path), "--images", "images.jsonl", *teacher(server)
    )


def test_each_kind_of_image_is_told_by_how_it_begins(tmp_path):
    kinds = {"png": png(1), "jpeg": b"\xff\xd8\xff\xe0..", "gif": b"GIF89a..",
             "webp": b"RIFF\x10\0\0\0WEBPVP8 "}  # fmt: skip
    for kind, raw in kinds.items():
        path = tmp_path / "named-wrongly.txt"
        path.write_bytes(raw)
        images.look.cache_clear()
        assert images.data_url(images.look(str(path))).startswith(f"data:image/{kind};base64,")


# -- what trainers get -------------------------------------------------------------------------


def test_a_format_takes_the_images_along_or_leaves_the_rows_out(cli, server, tmp_path):
    pictures(tmp_path)
    mixed = ["--strategy", "few_shot=0.5,images=0.5"]
    names = ("trl-messages", "trl-prompt-completion", "openai-chat", "jsonl", "step-by-step")
    cli(*job(tmp_path, server, *mixed, n=40))
    told = cli("export", RUN, "--json", *[w for name in names for w in ("--format", name)]).told
    assert balanced(told)
    answers = lines(tmp_path / RUN / "answers.jsonl")
    seen = sum("images" in row for row in answers)
    assert 10 < seen < 30
    for name in names:
        folder = tmp_path / RUN / "export" / name
        text = "".join(
            path.read_text() for path in folder.glob("*.jsonl") if "meta" not in path.name
        )
        assert text.count("pics/") == (0 if name == "step-by-step" else seen)
        readme = (folder / "README.md").read_text()
        assert (f"left out: images, which the format cannot hold | {seen} |" in readme) == (
            name == "step-by-step"
        )
    rows = lines(tmp_path / RUN / "export/trl-messages/train.jsonl")
    assert {type(row["messages"][0]["content"]) for row in rows} == {list}
    assert all(len(row["images"]) == len(row["messages"][0]["content"]) - 1 for row in rows)


def test_the_lines_for_openai_put_the_images_into_the_file(cli, server, tmp_path, monkeypatch):
    pictures(tmp_path)
    cli(*job(tmp_path, server, "--format", "openai-chat", "--split", "train=1"))
    folder = tmp_path / RUN / "export/openai-chat"
    code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.setattr("openai.OpenAI", MagicMock())
    monkeypatch.chdir(folder)
    exec(code.replace('Path(".")', f"Path({str(tmp_path)!r})"), {})
    answers = lines(tmp_path / RUN / "answers.jsonl")
    sent = lines(folder / "train.with_images.jsonl")
    assert [images_of(row) for row in sent] == [
        [(tmp_path / row["images"][0]).read_bytes()] for row in answers
    ]


def test_what_is_asked_of_one_image_is_in_one_split(cli, server, tmp_path):
    pictures(tmp_path)
    cli(*job(tmp_path, server, "--split", "train=0.5,test=0.5", "--format", "jsonl", n=60))
    folder = tmp_path / RUN / "export/jsonl"
    train, test = ({row["images"][0] for row in lines(folder / f"{split}.jsonl")}
                   for split in ("train", "test"))  # fmt: skip
    assert train | test == {f"pics/{i}.png" for i in range(6)}
    assert not train & test
