"""OpenAI's chat fine-tuning file, which Together, Fireworks, Mistral and others take as well."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Limits, Options, Rationale, turns
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset({"first", "after", "think", "none"})
"""No `field`: the file knows no key for reasoning, and an unknown one is refused."""

LIMITS = Limits(least=10, suggested=50, bytes=512_000_000, who="OpenAI")
"""Its guides to supervised fine-tuning, and to files."""

SNIPPET = """\
from pathlib import Path

from openai import OpenAI

client = OpenAI()  # wants 10 rows at least
file = client.files.create(file=Path(files["train"]), purpose="fine-tune")
client.fine_tuning.jobs.create(training_file=file.id, model="your-student")
"""

IMAGES = """\
import base64
import json
import mimetypes
from pathlib import Path

from openai import OpenAI

home = Path(".")  # the folder in which distillgen was run: paths of images are seen from there
rows = [json.loads(line) for line in Path(files["train"]).read_text("utf-8").splitlines()]
for row in rows:
    content = row["messages"][0]["content"]
    for part in content if isinstance(content, list) else []:
        if part["type"] == "image_url":
            path = home / part["image_url"]["url"]
            kind, raw = mimetypes.guess_type(path)[0], path.read_bytes()
            part["image_url"]["url"] = f"data:{kind};base64,{base64.b64encode(raw).decode()}"
whole = Path("train.with_images.jsonl")  # OpenAI wants the images in the file
whole.write_text("".join(f"{json.dumps(row)}\\n" for row in rows), "utf-8")

client = OpenAI()  # wants 10 rows at least
file = client.files.create(file=whole, purpose="fine-tune")
client.fine_tuning.jobs.create(training_file=file.id, model="your-student")
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`, with `role` and `content`, and nothing else.

    An image is an `image_url` part behind the user's text, with its path in place of a URL.
    """
    said = turns(answer, options)
    if answer.images:
        parts = ({"type": "image_url", "image_url": {"url": path}} for path in answer.images)
        said[-2]["content"] = [{"type": "text", "text": said[-2]["content"]}, *parts]
    yield {"messages": said}


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of the guide to supervised fine-tuning that a row breaks."""
    return rules.only(row, "messages") or rules.chat(row)
