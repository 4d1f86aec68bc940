"""Plain JSON lines, each field in a column of its own: for scripts, tables and other trainers."""

from collections.abc import Iterator

from distillgen.formats import Options, Rationale, reply, system, target
from distillgen.records import JSON, Answer

DEFAULT: Rationale = "field"

SNIPPET = """\
import json

with open(files["train"], encoding="utf-8") as lines:
    rows = [json.loads(line) for line in lines]
"""

IMAGES = f"""\
{SNIPPET}
# `images` of a row are paths as seen from the folder in which distillgen was run.
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"question", "user_context", "answer", "rationale"}`, or `label` in place of `answer`.

    An empty text stands for what is missing, so that every row has the same columns: both of the
    two, where some records of the set have the one and some the other. In the forms
    that put the rationale into the text the column is always `answer`: a column `label` holds
    labels. In a set with images each row has `images`, a list of paths; with `--system`, `system`.
    """
    form = options.rationale
    row: dict[str, JSON] = {}
    if options.system or options.own_system:
        row["system"] = system(answer, options)
    row |= {
        "question": answer.question.strip(),
        "user_context": answer.user_context.strip(),
    }
    if form in ("field", "none"):
        row |= {"answer": "", "label": ""} if options.mixed else {}
        row["label" if answer.label else "answer"] = target(answer)
    else:
        row["answer"] = reply(answer, form)
    if form == "field":
        row["rationale"] = answer.rationale.strip()
    if options.images or answer.images:
        row["images"] = list(answer.images)
    yield row
