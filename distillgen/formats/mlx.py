"""MLX on a Mac (mlx-lm): a folder with `train.jsonl`, `valid.jsonl` and `test.jsonl`."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Limits, Options, turn_keys, turns
from distillgen.records import JSON, Answer

LIMITS = Limits(needs=("train",), who="mlx-lm")
"""Without train.jsonl its loader stops (mlx_lm/tuner/datasets.py, mlx_lm/lora.py)."""

SNIPPET = """\
import subprocess
import sys

command = [sys.executable, "-m", "mlx_lm", "lora", "--train"]
command += ["--model", "your/student", "--data", "."]
command += ["--mask-prompt"]  # else the questions are trained too
command += ["--max-seq-length", "8192"]  # tokens; what is longer is cut
command += ["--batch-size", "1"]  # no split may have fewer rows
command += ["--grad-accumulation-steps", "4"]
subprocess.run(command, check=True)
# In a shell: mlx_lm.lora --train --model your/student --data . …
"""


def file(split: str, options: Options) -> str:
    """Its loader knows these three names alone (mlx_lm/tuner/datasets.py)."""
    return "valid.jsonl" if split == "validation" else f"{split}.jsonl"


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`, with `reasoning_content` in the form `field`."""
    yield {"messages": turns(answer, options)}


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule that a row breaks: with --mask-prompt it trains the last turn, whoever speaks."""
    return rules.only(row, "messages") or rules.chat(row, keys=turn_keys(options))
