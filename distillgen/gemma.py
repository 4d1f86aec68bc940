"""Write EmbeddingGemma, as the hub keeps it, as the one GGUF file that llama.cpp reads.

Matrices are rounded to 16 bits (bfloat16), which halves the file; norms keep their 32, and become
the factor itself, of which the hub keeps what exceeds 1. For archives of one layout: a text model
of Gemma 3 with a SentencePiece vocabulary, mean pooling, and two dense layers after it (Schechter
Vera et al. 2025, arXiv:2509.20354).
"""

import json
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import IO, BinaryIO, NamedTuple
from zipfile import ZipFile

from distillgen import gguf, safetensors

_PARTS = {
    "embed_tokens": "token_embd",
    "norm": "output_norm",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_proj": "attn_k",
    "self_attn.k_norm": "attn_k_norm",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "post_feedforward_layernorm": "post_ffw_norm",
}
"""What llama.cpp calls the parts of a layer, and what comes before the first and after the last."""
_DENSE = {"dense_2": "2_Dense", "dense_3": "3_Dense"}
"""What it calls the layers after pooling, and the folder of each."""
_TOKENS = {"bos": "<bos>", "eos": "<eos>", "unknown": "<unk>", "padding": "<pad>"}
_RULES = {"add_bos_token": True, "add_eos_token": True, "add_space_prefix": False}


class _Piece(NamedTuple):
    """A piece of the vocabulary."""

    text: str
    score: float
    kind: int
    """SentencePiece numbers the kinds as llama.cpp does."""


def write(out: BinaryIO, archive: ZipFile, folder: str) -> None:
    """Write the model that a folder of an archive holds, from the present position on.

    The archive is read once from end to end, 1 MB at a time; nothing is unpacked. `folder` ends
    with `/`.
    """
    config = json.loads(archive.read(f"{folder}config.json"))
    vocabulary = list(_pieces(archive.read(f"{folder}tokenizer.model")))
    with ExitStack() as opened:
        body = opened.enter_context(archive.open(f"{folder}model.safetensors"))
        tensors = [_tensor(_name(at.name), at, body) for at in safetensors.floats(body)]
        for name, where in _DENSE.items():
            layer = opened.enter_context(archive.open(f"{folder}{where}/model.safetensors"))
            tensors += [_tensor(f"{name}.weight", at, layer) for at in safetensors.floats(layer)]
        shapes = {tensor.name: tensor.shape for tensor in tensors}
        gguf.write(out, [*_described(config, shapes), *_tokenizer(vocabulary)], tensors)


def _name(name: str) -> str:
    """
    >>> _name("layers.3.self_attn.q_proj.weight")
    'blk.3.attn_q.weight'
    """
    part, _, kind = name.rpartition(".")
    layer = re.fullmatch(r"layers\.(\d+)\.(.+)", part)
    return f"blk.{layer[1]}.{_PARTS[layer[2]]}.{kind}" if layer else f"{_PARTS[part]}.{kind}"


def _tensor(name: str, at: safetensors.Stored, file: IO[bytes]) -> gguf.Tensor:
    kind, change = (gguf.FLOAT, _plus_one) if len(at.shape) == 1 else (gguf.BFLOAT, rounded)
    return gguf.Tensor(name, at.shape, kind, lambda: map(change, at.pieces(file)))


def _plus_one(data: bytes) -> bytes:
    layout = f"<{len(data) // 4}f"
    return struct.pack(layout, *(1 + value for value in struct.unpack(layout, data)))


def rounded(data: bytes) -> bytes:
    """32-bit floats, little-endian, as the nearest bfloat16, which is the upper half of one.

    One sum rounds them all: to each, half of the last bit that stays is added, and the carry goes
    where it belongs.

    >>> rounded(bytes.fromhex("0000803f 0080803f ff7f803f")).hex(" ", 2)
    '803f 813f 803f'
    """
    halves = int.from_bytes(b"\0\x80\0\0" * (len(data) // 4), "little")
    raised = (int.from_bytes(data, "little") + halves).to_bytes(len(data), "little")
    upper = bytearray(len(data) // 2)
    upper[0::2], upper[1::2] = raised[2::4], raised[3::4]
    return bytes(upper)


def _described(config: Mapping[str, int], shapes: Mapping[str, tuple[int, ...]]) -> Iterator[bytes]:
    yield gguf.pair("general.architecture", gguf.STRING, "gemma-embedding")
    for name, value in (
        ("context_length", config["max_position_embeddings"]),
        ("embedding_length", config["hidden_size"]),
        ("feed_forward_length", config["intermediate_size"]),
        ("block_count", config["num_hidden_layers"]),
        ("attention.head_count", config["num_attention_heads"]),
        ("attention.head_count_kv", config["num_key_value_heads"]),
        ("attention.key_length", config["head_dim"]),
        ("attention.value_length", config["head_dim"]),
        ("attention.sliding_window", config["sliding_window"]),
        ("pooling_type", gguf.MEAN),
    ):
        yield gguf.pair(f"gemma-embedding.{name}", gguf.U32, value)
    for name, value in (
        ("attention.layer_norm_rms_epsilon", config["rms_norm_eps"]),
        ("rope.freq_base", config["rope_theta"]),
        ("rope.freq_base_swa", config["rope_local_base_freq"]),
    ):
        yield gguf.pair(f"gemma-embedding.{name}", gguf.F32, value)
    for name in _DENSE:
        after, before = shapes[f"{name}.weight"]
        yield gguf.pair(f"gemma-embedding.{name}_feat_in", gguf.U32, before)
        yield gguf.pair(f"gemma-embedding.{name}_feat_out", gguf.U32, after)


def _tokenizer(vocabulary: list[_Piece]) -> Iterator[bytes]:
    texts, scores, kinds = zip(*vocabulary, strict=True)
    yield gguf.pair("tokenizer.ggml.model", gguf.STRING, "llama")
    yield gguf.pair("tokenizer.ggml.pre", gguf.STRING, "default")
    yield gguf.array("tokenizer.ggml.tokens", gguf.STRING, texts)
    yield gguf.array("tokenizer.ggml.scores", gguf.F32, scores)
    yield gguf.array("tokenizer.ggml.token_type", gguf.I32, kinds)
    for name, token in _TOKENS.items():
        yield gguf.pair(f"tokenizer.ggml.{name}_token_id", gguf.U32, texts.index(token))
    for name, holds in _RULES.items():
        yield gguf.pair(f"tokenizer.ggml.{name}", gguf.BOOL, holds)


def _pieces(model: bytes) -> Iterator[_Piece]:
    """What SentencePiece's `tokenizer.model` holds: a message of Protocol Buffers, in which field 1
    comes once for each piece, a message of text (1), score (2) and kind (3, where not normal).
    """
    for number, value in _fields(model):
        if number == 1 and isinstance(value, bytes):
            text, score, kind = "", 0.0, gguf.NORMAL
            for field in _fields(value):
                match field:
                    case 1, bytes(spelled):
                        text = spelled.decode()
                    case 2, bytes(packed):
                        (score,) = struct.unpack("<f", packed)
                    case 3, int(told):
                        kind = told
            yield _Piece(text, score, kind)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message by their number; what is no integer as the bytes it is spelled in
    (https://protobuf.dev/programming-guides/encoding)."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        value, at = _varint(message, at) if wire in (0, 2) else ({1: 8, 5: 4}[wire], at)
        if wire == 0:
            yield number, value
        else:
            yield number, message[at : at + value]
            at += value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """An integer, seven bits a byte and the lowest first, and where it ends."""
    value = shift = 0
    while True:
        value |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 128:
            return value, at
