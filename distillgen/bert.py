"""Write a BERT model, as the hub keeps it, as the one GGUF file that llama.cpp reads.

The weights stay as they are, 32-bit floats; only names and the order of what describes them differ.
The same model gives the same bytes. For models of one layout: safetensors, vocabulary of word
pieces, mean pooling. Layouts: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and
https://github.com/huggingface/safetensors#format.
"""

import json
import re
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

Value = str | float
ALIGNED = 32
"""Bytes; where the weights begin in the file. Each tensor has a multiple of it."""
MEAN = 1
"""llama.cpp's number for pooling by the mean."""
NORMAL, CONTROL = 1, 3
"""llama.cpp's kinds of tokens."""
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
"""GGUF's kinds of values."""

_PARTS = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
"""What llama.cpp calls the parts of a layer, and what comes before the first."""


class _Tensor(NamedTuple):
    name: str
    shape: tuple[int, ...]
    start: int
    """Offset in the safetensors file."""
    size: int
    """Bytes."""


def write(out: BinaryIO, weights: Path, config: dict[str, int], vocabulary: list[str]) -> None:
    """Write the model.

    Args:
        out: where to; written from its present position on.
        weights: the safetensors file.
        config: its `config.json`.
        vocabulary: a word piece a line of its `vocab.txt`.
    """
    with weights.open("rb") as file:
        tensors = sorted(_tensors(file), key=lambda tensor: tensor.name)
        described = [*_described(config), *_tokenizer(vocabulary)]
        head = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(described)), *described]
        offset = 0
        for tensor in tensors:
            shape = tensor.shape[::-1]
            head += [_text(tensor.name), struct.pack(f"<I{len(shape)}Q", len(shape), *shape)]
            head.append(struct.pack("<IQ", 0, offset))  # 0: 32-bit floats
            offset += tensor.size
        whole = b"".join(head)
        out.write(whole + bytes(-len(whole) % ALIGNED))
        for tensor in tensors:
            file.seek(tensor.start)
            out.write(file.read(tensor.size))


def _tensors(file: BinaryIO) -> Iterable[_Tensor]:
    """The tensors that llama.cpp wants of a safetensors file."""
    (length,) = struct.unpack("<Q", file.read(8))
    for name, tensor in json.loads(file.read(length)).items():
        start, end = tensor.get("data_offsets", (0, 0))
        if (new := _name(name)) and tensor["dtype"] == "F32":
            yield _Tensor(new, tuple(tensor["shape"]), 8 + length + start, end - start)


def _name(name: str) -> str | None:
    """
    >>> _name("encoder.layer.3.attention.self.query.weight")
    'blk.3.attn_q.weight'
    """
    part, _, kind = name.removeprefix("bert.").rpartition(".")
    layer = re.fullmatch(r"encoder\.layer\.(\d+)\.(.+)", part)
    new = _PARTS.get(layer[2] if layer else part)
    return new and f"blk.{layer[1]}.{new}.{kind}" if layer else new and f"{new}.{kind}"


def _described(config: dict[str, int]) -> Iterable[bytes]:
    yield _pair("general.architecture", STRING, "bert")
    for name, value in (
        ("context_length", config["max_position_embeddings"]),
        ("embedding_length", config["hidden_size"]),
        ("feed_forward_length", config["intermediate_size"]),
        ("block_count", config["num_hidden_layers"]),
        ("attention.head_count", config["num_attention_heads"]),
        ("pooling_type", MEAN),
    ):
        yield _pair(f"bert.{name}", U32, value)
    yield _pair("bert.attention.layer_norm_epsilon", F32, config["layer_norm_eps"])
    yield _pair("bert.attention.causal", BOOL, False)


def _tokenizer(vocabulary: list[str]) -> Iterable[bytes]:
    special = {token: n for n, token in enumerate(vocabulary) if re.fullmatch(r"\[.+\]", token)}
    yield _pair("tokenizer.ggml.model", STRING, "bert")
    yield _pair("tokenizer.ggml.pre", STRING, "default")
    yield _pair("tokenizer.ggml.token_type_count", U32, 2)
    yield _array("tokenizer.ggml.tokens", STRING, [
        token if token in special else token[2:] if token.startswith("##") else f"\u2581{token}"
        for token in vocabulary
    ])  # fmt: skip
    kinds = [CONTROL if token in special else NORMAL for token in vocabulary]
    yield _array("tokenizer.ggml.token_type", I32, kinds)
    for name, token in (
        ("bos", "[CLS]"), ("eos", "[SEP]"), ("seperator", "[SEP]"), ("padding", "[PAD]"),
        ("unknown", "[UNK]"), ("mask", "[MASK]"),
    ):  # fmt: skip
        yield _pair(f"tokenizer.ggml.{name}_token_id", U32, special[token])


def _pair(key: str, kind: int, value: Value) -> bytes:
    return _text(key) + struct.pack("<I", kind) + _value(kind, value)


def _array(key: str, kind: int, values: Sequence[Value]) -> bytes:
    head = _text(key) + struct.pack("<IIQ", ARRAY, kind, len(values))
    return head + b"".join(_value(kind, value) for value in values)


def _value(kind: int, value: Value) -> bytes:
    if isinstance(value, str):
        return _text(value)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def _text(text: str) -> bytes:
    spelled = text.encode()
    return struct.pack("<Q", len(spelled)) + spelled
