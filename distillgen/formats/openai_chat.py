"""OpenAI's chat fine-tuning file, which Together, Fireworks, Mistral and others take as well."""

from collections.abc import Iterator

from distillgen.formats import Options, Rationale, turns
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset({"first", "after", "think", "none"})
"""No `field`: the file knows no key for reasoning, and an unknown one is refused."""

SNIPPET = """\
from pathlib import Path

from openai import OpenAI

client = OpenAI()  # wants 10 rows at least
file = client.files.create(file=Path(files["train"]), purpose="fine-tune")
client.fine_tuning.jobs.create(training_file=file.id, model="your-student")
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [user, assistant]}` with `role` and `content`, and nothing else."""
    yield {"messages": [*turns(answer, options.rationale)]}
