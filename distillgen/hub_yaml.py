"""Write the head of a dataset card as the Hugging Face hub and its `datasets` read it.

Every value is spelled as JSON, which is YAML; so no text can end it, or begin another key.
"""

import json
import re
from collections.abc import Iterator, Mapping

from distillgen.delivery import Delivery
from distillgen.markdown import LONGEST, plain
from distillgen.records import JSON

_NAMES = (
    "apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m "
    "bigscience-bloom-rail-1.0 bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd "
    "bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 "
    "cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 "
    "cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 "
    "cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 "
    "epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 "
    "lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by odbl openrail++ osl-3.0 postgresql ofl-1.1 "
    "ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license llama2 llama3 llama3.1 llama3.2 "
    "llama3.3 gemma unknown other"
)
LICENSES = frozenset(_NAMES.split())
"""What the hub knows by an identifier (hub-docs, docs/hub/repositories-licenses.md)."""
TABLES = (".jsonl", ".csv", ".parquet")
"""Endings of files that `datasets` loads as tables."""
SURE, FEWEST = 0.05, 3
"""A language counts where such a share of the texts that were looked at has it, and so many do: a
single short text is easily mistaken. The most frequent counts always."""
KINDS = {"trl-kto": "kto", "trl-prompts": "prompts", "soft-labels": "soft-labels"}
"""Tags of formats that are neither for supervised fine-tuning nor for preferences."""


def head(
    folder: Delivery, name: str, license: str | None, languages: Mapping[str, int], closed: bool
) -> str:
    """The lines from `---` to `---`, of a card with the name of a dataset."""
    rows = sum(sink.rows for sink in folder.data.values())
    values: dict[str, JSON] = {
        "pretty_name": plain(name)[:LONGEST],
        **_license(license),
        "language": sure(languages),
        "size_categories": [size(rows)],
        "task_categories": ["text-classification" if closed else "text-generation"],
        "tags": ["synthetic", "distillation", "distillgen", _kind(folder)],
    }
    lines = [f"{key}: {_yaml(value)}" for key, value in values.items() if value]
    return "\n".join(["---", *lines, *_configs(folder), "---"])


def _yaml(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)


def _license(declared: str | None) -> dict[str, JSON]:
    """An identifier where the hub has one; nothing where nobody declared any."""
    if not (declared and plain(declared)):
        return {}
    name = plain(declared)[:LONGEST]
    known = name.lower().replace(" ", "-")
    if known in LICENSES:
        return {"license": known}
    link = {"license_link": name} if re.fullmatch(r"https?://\S+", name) else {}
    return {"license": "other", "license_name": name, **link}


def sure(languages: Mapping[str, int]) -> list[str]:
    """The codes of those languages that were surely found, the most frequent first.

    >>> sure({"en": 190, "?": 8, "de": 2})
    ['en']
    """
    found = {c: n for c, n in languages.items() if re.fullmatch("[a-z]{2,3}", c)}
    most, all = max(found.values(), default=0), sum(languages.values())
    kept = [c for c, n in found.items() if n == most or (n >= FEWEST and n >= SURE * all)]
    return sorted(kept, key=lambda code: (-found[code], code))


def size(rows: int) -> str:
    """The hub's name for a number of rows.

    >>> size(999), size(1000), size(2_000_000)
    ('n<1K', '1K<n<10K', '1M<n<10M')
    """
    names = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
    if rows < 1000:
        return "n<1K"
    place = min(len(str(rows)) - 4, len(names) - 2)
    return f"{names[place]}<n<{names[place + 1]}"


def _kind(folder: Delivery) -> str:
    found = folder.found
    return KINDS.get(found.name, "dpo" if found.of_pairs(folder.told) else "sft")


def loadable(folder: Delivery) -> bool:
    """Whether `datasets` loads the folder as a set with splits."""
    files = folder.given().values()
    return bool(files) and all(file.endswith(TABLES) for file in files)


def _configs(folder: Delivery) -> Iterator[str]:
    """Which files are the data: the others, such as the sidecars, are none."""
    if not loadable(folder):
        return
    yield "configs:"
    yield '- config_name: "default"'
    if all(path.endswith(".csv") for path in folder.given().values()):
        yield "  keep_default_na: false"  # else an empty text, or `NA`, is null
    yield "  data_files:"
    for split, path in folder.given().items():
        yield f"  - {_yaml({'split': split, 'path': path})}"
