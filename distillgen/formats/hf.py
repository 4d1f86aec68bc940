"""A dataset folder for the Hugging Face Hub: data, and a dataset card."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, Turn, trl_prompt_completion, turn_keys
from distillgen.records import JSON, Answer

LAYOUTS = ("jsonl", "parquet")

_FILES = 'data = load_dataset("json", data_files=files)'
_EITHER = """\
# Once it is on the hub, load_dataset("USER/NAME").
kind = "parquet" if files["train"].endswith(".parquet") else "json"
data = load_dataset(kind, data_files=files)"""
SNIPPET = trl_prompt_completion.SNIPPET.replace(_FILES, _EITHER)
IMAGES = trl_prompt_completion.IMAGES.replace(_FILES, _EITHER)


def file(split: str, options: Options) -> str:
    """Under `data/`, as the card's `configs` say."""
    return f"data/{split}.{options.layout}"


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """As `trl-prompt-completion`; in Parquet each part of a content has a `text`, also an image."""
    for row in trl_prompt_completion.rows(answer, options):
        if options.layout == "parquet" and "images" in row:
            for turn in (*row["prompt"], *row["completion"]):
                turn["content"] = [{"text": "", **part} for part in turn["content"]]
        yield row


def broken(row: dict[str, JSON], options: Options) -> str:
    """As for `trl-prompt-completion`: who trains it must find the turns of a conversation."""
    columns = ("images",) if "images" in row else ()
    return rules.only(row, "prompt", "completion", *columns) or rules.completed(
        row, turn_keys(options)
    )


def schema(options: Options) -> dict[str, JSON]:
    """Columns by a value of their type, see `tables.Columns`."""
    content: JSON = [{"type": "", "text": ""}] if options.images else ""
    asked: Turn = {"role": "", "content": content}
    said = {**asked, "reasoning_content": ""} if options.rationale == "field" else asked
    columns: dict[str, JSON] = {"prompt": [asked], "completion": [said]}
    return columns | {"images": [""]} if options.images else columns
