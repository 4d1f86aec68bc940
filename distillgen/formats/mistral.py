"""Mistral's chat file, as mistral-finetune trains it."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Limits, Options, Rationale, turns
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset({"first", "after", "think", "none"})
"""No `field`: the file knows no key for reasoning."""

LIMITS = Limits(
    least=10, most=10_000_000, bytes=10_000_000_000, least_bytes=1000, who="mistral-finetune"
)
"""Its utils/validate_data.py."""

SNIPPET = """\
import subprocess
from pathlib import Path

home = "mistral-finetune"  # a copy of github.com/mistralai/mistral-finetune
paths = {split: str(Path(path).resolve()) for split, path in files.items()}
config = Path("config.yaml").resolve()
config.write_text(f\"\"\"\
data:
  instruct_data: {paths["train"]}
  data: ""
  eval_instruct_data: {paths.get("validation", '""')}
no_eval: {"validation" not in paths}
model_id_or_path: /path/to/your-student
lora:
  rank: 64
seq_len: 8192
batch_size: 1
max_steps: 300
optim:
  lr: 6.e-5
  weight_decay: 0.1
  pct_start: 0.05
run_dir: {Path("student").resolve()}
\"\"\")

check = ["python", "-m", "utils.validate_data", "--train_yaml", str(config)]
subprocess.run(check, cwd=home, check=True)
subprocess.run(["torchrun", "-m", "train", str(config)], cwd=home, check=True)
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`, with `role` and `content`, and nothing else."""
    yield {"messages": turns(answer, options)}


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of mistral-finetune that a row breaks (finetune/data/tokenize.py)."""
    return rules.only(row, "messages") or rules.chat(row)
