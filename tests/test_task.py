"""The task file: what it may say, and what is told about one that says something else."""

from pathlib import Path

import pytest

from distillgen.errors import UserError
from distillgen.task import Task, load_task, task_beside

WHOLE = """\
expert = "a support lead of a telecom provider who routes tickets"
language = "en"
labels = { billing = "invoices, charges", technical = "", account = "login, contract" }

[fields]
question = "body"
id = "ticket_id"

[defaults]
teacher = "openai:gpt"
n = 500
max_cost = 0.5
skip_invalid = true
format = ["trl-messages", "jsonl"]
"""


def task_file(folder: Path, text: str) -> Path:
    path = folder / "tickets.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_whole_task_file_is_read(tmp_path):
    assert load_task(task_file(tmp_path, WHOLE)) == Task(
        name="tickets",
        expert="a support lead of a telecom provider who routes tickets",
        language="en",
        labels={"billing": "invoices, charges", "technical": "", "account": "login, contract"},
        fields={"question": "body", "id": "ticket_id"},
        defaults={
            "teacher": "openai:gpt",
            "n": 500,
            "max_cost": 0.5,
            "skip_invalid": True,
            "format": ["trl-messages", "jsonl"],
        },
    )


def test_labels_keep_their_order_as_a_list_and_as_a_table(tmp_path):
    as_list = load_task(task_file(tmp_path, 'labels = ["no", "yes", "maybe"]'))
    assert list(as_list.labels.items()) == [("no", ""), ("yes", ""), ("maybe", "")]
    as_table = load_task(task_file(tmp_path, '[labels]\nno = "wrong"\nyes = "right"'))
    assert list(as_table.labels.items()) == [("no", "wrong"), ("yes", "right")]


def test_an_empty_task_file_says_nothing(tmp_path):
    assert load_task(task_file(tmp_path, "# nothing\n")) == Task(name="tickets")


@pytest.mark.parametrize(
    "seeds", ["tickets.jsonl", "tickets.csv", "tickets.parquet", "tickets.jsonl.gz"]
)
def test_the_task_file_beside_the_seeds_is_found(tmp_path, seeds):
    assert task_beside(tmp_path / seeds) == Task(name="tickets")
    task_file(tmp_path, 'expert = "a dispatcher"')
    assert task_beside(tmp_path / seeds) == Task(name="tickets", expert="a dispatcher")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('\nexpert = a "dispatcher"', 2, "not TOML: Invalid value"),
        ('expert = "a"\nexpert = "b"', 2, "not TOML: Cannot overwrite a value"),
        ('language = "en"\nlabels = [', 2, "not TOML"),
        ('language = "en"\nexprt = "x"', 2, "unknown key `exprt`, do you mean `expert`?; there a"),
        ('expert = "x"\n[teacher]\nname = "y"', 2, "unknown key `teacher`; there are: expert, la"),
        ('soft = "logprobs"', 1, "unknown key `soft`; there are"),
        ('name = "x"', 1, "unknown key `name`"),
        ('[fields]\nid = "no"\nqestion = "x"', 3, "unknown field `qestion`, do you mean `question"),
        ('fields = { qestion = "x" }', 1, "unknown field `qestion`"),
        ("\nexpert = 5", 2, '`expert`: must be a text: expert = "a wine waiter"'),
        ('expert = ""', 1, "`expert`: must be a text"),
        ("language = false", 1, "`language`: must be a text"),
        ('labels = "a, b"', 1, "`labels`: must be a list of texts, or a table of texts"),
        ("labels = [1, 2]", 1, "`labels`: must be a list of texts"),
        ('labels = ["a"]', 1, "`labels`: one label is no choice"),
        ('labels = ["a", "b", "a"]', 1, "`labels`: a label stands twice"),
        ('labels = ["a", " b"]', 1, "`labels`: a label is empty, or begins or ends with a blank"),
        ('[labels]\na = "x"\nb = 5', 3, "`labels.b`: must be a list of texts, or a table of tex"),
        ('expert = "x"\n[fields]\nquestion = 1', 3, "`fields.question`: must be a table of texts"),
        ("fields = 3", 1, "`fields`: must be a table of texts"),
        ("defaults = 3", 1, "`defaults`: must be a table"),
        ("[defaults]\nn = 1\nuntil = 2026-01-01", 3, "`defaults.until`: must be a table, [defaul"),
    ],
)
def test_a_fault_is_told_with_its_line_and_remedy(tmp_path, text, line, what):
    path = task_file(tmp_path, text)
    with pytest.raises(UserError) as caught:
        load_task(path)
    assert str(caught.value).startswith(f"{path}:{line}: {what}")
    assert "\n" not in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path):
    path = task_file(tmp_path, 'expert = 5\nlangage = "en"\n[fields]\nquestion = 1\n')
    with pytest.raises(UserError) as caught:
        load_task(path)
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["1", "2", "4"]


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(UserError, match=r"none\.toml: cannot be read \(No such file"):
        load_task(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'expert = "caf\xe9"')
    with pytest.raises(UserError, match=r"latin\.toml: not UTF-8; save it as UTF-8"):
        load_task(tmp_path / "latin.toml")


def test_windows_line_ends_and_a_byte_order_mark_are_no_fault(tmp_path):
    path = task_file(tmp_path, WHOLE)
    plain = load_task(path)
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    assert load_task(path) == plain
