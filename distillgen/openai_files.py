"""OpenAI's fine-tuning files, chat and preference, as other services take them as well."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, Turn, asked, sides, turns
from distillgen.records import JSON, Answer, Preference

INLINED = """\
import base64
import json
import mimetypes
from pathlib import Path

home = Path(".")  # the folder in which distillgen was run: paths of images are seen from there


def inlined(path):
    \"\"\"A copy of the file with the images in it.\"\"\"
    whole = Path(path).with_suffix(".with_images.jsonl")
    with open(path, encoding="utf-8") as rows, whole.open("w", encoding="utf-8") as out:
        for row in map(json.loads, rows):
            for turn in row["messages"]:
                for part in turn["content"] if isinstance(turn["content"], list) else []:
                    if part["type"] == "image_url":
                        image = home / part["image_url"]["url"]
                        kind, raw = mimetypes.guess_type(image)[0], image.read_bytes()
                        data = base64.b64encode(raw).decode()
                        part["image_url"]["url"] = f"data:{kind};base64,{data}"
            print(json.dumps(row), file=out)
    return str(whole)


files = {split: inlined(path) for split, path in files.items()}
"""
"""Lines that put the images into the files: for the head of an `IMAGES`."""


def chat(answer: Answer, options: Options, *, uniform: bool = False) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`.

    An image is an `image_url` part behind the user's text, with its path in place of a URL. With
    `uniform`, all contents of a set with images are lists of parts.
    """
    said = turns(answer, options)
    if answer.images or (options.images and uniform):
        shown = [{"type": "image_url", "image_url": {"url": path}} for path in answer.images]
        said = [_parted(turn, shown, uniform) for turn in said]
    yield {"messages": said}


def _parted(turn: Turn, shown: list[dict[str, JSON]], uniform: bool) -> Turn:
    user = turn["role"] == "user"
    if not (user or uniform):
        return turn
    text = {"type": "text", "text": turn["content"]}
    return {**turn, "content": [text, *(shown if user else [])]}


def preference(pair: Preference, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}`.

    Raises:
        LeftOut: the two answers are the same.
    """
    better, worse = sides(pair, options.rationale)
    yield {
        "input": {"messages": asked(pair, options)},
        "preferred_output": [better],
        "non_preferred_output": [worse],
    }


def preference_broken(row: dict[str, JSON]) -> str:
    """The rule of OpenAI's guide to preference optimization that a row breaks."""
    outputs = "preferred_output", "non_preferred_output"
    if problem := rules.only(row, "input", *outputs):
        return problem
    if not isinstance(row["input"], dict):
        return "`input` is no object"
    return (
        rules.only(row["input"], "messages")
        or rules.chat(row["input"], ends="user")
        or rules.reply(row, outputs[0])
        or rules.reply(row, outputs[1])
        or rules.differ(row, *outputs)
    )
