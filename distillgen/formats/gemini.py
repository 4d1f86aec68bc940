"""Gemini's tuning file on Vertex AI: contents in parts, the system prompt apart."""

from collections.abc import Iterator
from pathlib import PurePath

from distillgen import rules
from distillgen.formats import Limits, Options, Rationale, prompt, reply, system
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset({"first", "after", "think", "none"})
"""No `field`: its tuning leaves thinking out."""

LIMITS = Limits(
    suggested=100,
    most=1_000_000,
    validation=5000,
    bytes=1_000_000_000,
    needs=("train",),
    who="Vertex AI",
)
"""Its guides: preparing data, and limits for Gemini 2.5 Flash; with images 300,000 rows at most."""

SNIPPET = """\
from google import genai
from google.cloud import storage
from google.genai import types

bucket = storage.Client().bucket("your-bucket")


def sent(split):
    bucket.blob(f"{split}.jsonl").upload_from_filename(files[split])
    return f"gs://{bucket.name}/{split}.jsonl"


config = types.CreateTuningJobConfig()
if "validation" in files:
    config.validation_dataset = types.TuningValidationDataset(gcs_uri=sent("validation"))
client = genai.Client(vertexai=True, project="your-project", location="us-central1")
client.tunings.tune(
    base_model="your-student",
    training_dataset=types.TuningDataset(gcs_uri=sent("train")),
    config=config,
)
"""

IMAGES = f"""\
import json
from pathlib import Path

from google.cloud import storage

home = Path(".")  # the folder in which distillgen was run: paths of images are seen from there
shelf = storage.Client().bucket("your-bucket")


def shelved(path):
    \"\"\"A copy of the file that names the images where Vertex AI finds them.\"\"\"
    whole = Path(path).with_suffix(".with_images.jsonl")
    with open(path, encoding="utf-8") as rows, whole.open("w", encoding="utf-8") as out:
        for row in map(json.loads, rows):
            for part in row["contents"][0]["parts"]:
                if "fileData" in part:
                    image = part["fileData"]["fileUri"]
                    shelf.blob(image).upload_from_filename(home / image)
                    part["fileData"]["fileUri"] = f"gs://{{shelf.name}}/{{image}}"
            print(json.dumps(row), file=out)
    return str(whole)


files = {{split: shelved(path) for split, path in files.items()}}

{SNIPPET}"""

KINDS = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
"""Images that it reads, by their endings."""

MOST = 30
"""Images of a row: its guide to tuning on images."""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"systemInstruction"?, "contents": [user, model]}`, each a role and a list of parts.

    An image is a `fileData` part behind the user's text, with its path in place of a URI.
    """
    told = system(answer, options)
    head: dict[str, JSON] = {}
    if told:
        head["systemInstruction"] = {"role": "system", "parts": [{"text": told}]}
    shown: list[JSON] = [
        {"fileData": {"mimeType": KINDS.get(_ending(path), ""), "fileUri": path}}
        for path in answer.images
    ]
    said = reply(answer, options.rationale)
    yield head | {
        "contents": [
            {"role": "user", "parts": [{"text": prompt(answer)}, *shown]},
            {"role": "model", "parts": [{"text": said}]},
        ]
    }


def _ending(path: str) -> str:
    return PurePath(path).suffix.lower()


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of its guides to preparing data and to tuning on images that a row breaks."""
    if problem := rules.only(row, "contents", optional=("systemInstruction",)):
        return problem
    user, model = ("user", ("text", "fileData")), ("model", ("text",))
    if problem := rules.voices(row, "contents", "parts", user, model):
        return problem
    told = row.get("systemInstruction")
    if told is not None and any(rules.texts(part, "text") for part in told["parts"]):
        return "`systemInstruction` is blank"
    shown = [part["fileData"] for turn in row["contents"] for part in turn["parts"]
             if "fileData" in part]  # fmt: skip
    if len(shown) > MOST:
        return f"{len(shown)} images, and {MOST} are the most"
    strange = [image["fileUri"] for image in shown if not image["mimeType"]]
    return f"image {strange[0]} is none of {', '.join(KINDS)}" if strange else ""
