"""Amazon Bedrock's conversation file: fine-tuning of Nova, and distillation."""

from collections.abc import Iterator
from pathlib import PurePath

from distillgen import rules
from distillgen.formats import Limits, Options, prompt, reply, system, untagged
from distillgen.records import JSON, Answer

SCHEMA = "bedrock-conversation-2024"

LIMITS = Limits(least=8, suggested=200, most=20_000, who="Amazon Nova")
"""aws-samples/amazon-nova-samples, nova_ft_dataset_validator.py; Nova 2 Lite wants the 200."""

SNIPPET = """\
import boto3

boto3.client("s3").upload_file(files["train"], "your-bucket", "train.jsonl")
boto3.client("bedrock").create_model_customization_job(
    jobName="distilled",
    customModelName="distilled",
    customizationType="FINE_TUNING",
    baseModelIdentifier="your-student",
    roleArn="your-role",
    trainingDataConfig={"s3Uri": "s3://your-bucket/train.jsonl"},
    outputDataConfig={"s3Uri": "s3://your-bucket/student/"},
)
"""

IMAGES = f"""\
import json
from pathlib import Path

import boto3

home = Path(".")  # the folder in which distillgen was run: paths of images are seen from there
shelf = boto3.client("s3")


def shelved(path):
    \"\"\"A copy of the file that names the images where Bedrock finds them.\"\"\"
    whole = Path(path).with_suffix(".with_images.jsonl")
    with open(path, encoding="utf-8") as rows, whole.open("w", encoding="utf-8") as out:
        for row in map(json.loads, rows):
            for part in row["messages"][0]["content"]:
                if "image" in part:
                    place = part["image"]["source"]["s3Location"]
                    shelf.upload_file(str(home / place["uri"]), "your-bucket", place["uri"])
                    place["uri"] = f"s3://your-bucket/{{place['uri']}}"
            print(json.dumps(row), file=out)
    return str(whole)


files = {{split: shelved(path) for split, path in files.items()}}

{SNIPPET}"""

KINDS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".gif": "gif"}
"""Images that all of Nova reads, by their endings."""

MOST = 10
"""Images of a row."""

REFUSED = (
    "System:", "SYSTEM:", "User:", "USER:", "Bot:", "BOT:", "Assistant:", "ASSISTANT:", "Thought:",
    "[EOS]", "<image>", "<video>", "<unk>",
)  # fmt: skip
"""Marks that no text may have."""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"schemaVersion", "system"?, "messages": [user, assistant]}`, contents in parts.

    In the form `field` a `reasoningContent` part stands before the answer, where there is a
    rationale: an empty one is refused. An image is a part behind the user's text, with its path in
    place of a URI.
    """
    told, why = system(answer, options), untagged(answer.rationale.strip())
    head: dict[str, JSON] = {"schemaVersion": SCHEMA} | (
        {"system": [{"text": told}]} if told else {}
    )
    thought: list[JSON] = []
    if options.rationale == "field" and why:
        thought.append({"reasoningContent": {"reasoningText": {"text": why}}})
    shown: list[JSON] = [
        {"image": {"format": KINDS.get(PurePath(path).suffix.lower(), ""),
                   "source": {"s3Location": {"uri": path}}}}
        for path in answer.images
    ]  # fmt: skip
    said = {"text": reply(answer, options.rationale)}
    yield head | {
        "messages": [
            {"role": "user", "content": [{"text": prompt(answer)}, *shown]},
            {"role": "assistant", "content": [*thought, said]},
        ]
    }


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of Amazon's check for Nova that a row breaks (nova_ft_dataset_validator.py)."""
    if problem := rules.only(row, "schemaVersion", "messages", optional=("system",)):
        return problem
    if row["schemaVersion"] != SCHEMA:
        return f"`schemaVersion` is {row['schemaVersion']}, not {SCHEMA}"
    user, assistant = ("user", ("text", "image")), ("assistant", ("text", "reasoningContent"))
    if problem := rules.voices(row, "messages", "content", user, assistant):
        return problem
    parts = [part for turn in row["messages"] for part in turn["content"]]
    texts = [*row.get("system", ()), *(part for part in parts if "text" in part)]
    texts += [part["reasoningContent"]["reasoningText"] for part in parts
              if "reasoningContent" in part]  # fmt: skip
    for one in texts:
        if problem := rules.texts(one, "text"):
            return problem
        if marks := [mark for mark in REFUSED if mark in one["text"]]:
            return f"a text has `{marks[0]}`, which is refused"
    return _images([part["image"] for part in parts if "image" in part])


def _images(shown: list[dict[str, JSON]]) -> str:
    if len(shown) > MOST:
        return f"{len(shown)} images, and {MOST} are the most"
    strange = [image["source"]["s3Location"]["uri"] for image in shown if not image["format"]]
    return f"image {strange[0]} is none of {', '.join(KINDS)}" if strange else ""
