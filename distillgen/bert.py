"""Write a BERT model, as the hub keeps it, as the one GGUF file that llama.cpp reads.

The weights stay as they are, 32-bit floats; only names and the order of what describes them differ.
For models of one layout: safetensors, vocabulary of word pieces, mean pooling.
"""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from distillgen import gguf, safetensors

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


def write(out: BinaryIO, weights: Path, config: dict[str, int], vocabulary: list[str]) -> None:
    """Write the model.

    Args:
        out: where to; written from its present position on.
        weights: the safetensors file.
        config: its `config.json`.
        vocabulary: a word piece a line of its `vocab.txt`.
    """
    with weights.open("rb") as file:
        tensors = [
            gguf.Tensor(name, stored.shape, gguf.FLOAT, partial(stored.pieces, file))
            for stored in safetensors.floats(file)
            if (name := _name(stored.name))
        ]
        described = [*_described(config), *_tokenizer(vocabulary)]
        gguf.write(out, described, sorted(tensors, key=lambda tensor: tensor.name))


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
    yield gguf.pair("general.architecture", gguf.STRING, "bert")
    for name, value in (
        ("context_length", config["max_position_embeddings"]),
        ("embedding_length", config["hidden_size"]),
        ("feed_forward_length", config["intermediate_size"]),
        ("block_count", config["num_hidden_layers"]),
        ("attention.head_count", config["num_attention_heads"]),
        ("pooling_type", gguf.MEAN),
    ):
        yield gguf.pair(f"bert.{name}", gguf.U32, value)
    yield gguf.pair("bert.attention.layer_norm_epsilon", gguf.F32, config["layer_norm_eps"])
    yield gguf.pair("bert.attention.causal", gguf.BOOL, False)


def _tokenizer(vocabulary: list[str]) -> Iterable[bytes]:
    special = {token: n for n, token in enumerate(vocabulary) if re.fullmatch(r"\[.+\]", token)}
    yield gguf.pair("tokenizer.ggml.model", gguf.STRING, "bert")
    yield gguf.pair("tokenizer.ggml.pre", gguf.STRING, "default")
    yield gguf.pair("tokenizer.ggml.token_type_count", gguf.U32, 2)
    yield gguf.array("tokenizer.ggml.tokens", gguf.STRING, [
        token if token in special else token[2:] if token.startswith("##") else f"\u2581{token}"
        for token in vocabulary
    ])  # fmt: skip
    kinds = [gguf.CONTROL if token in special else gguf.NORMAL for token in vocabulary]
    yield gguf.array("tokenizer.ggml.token_type", gguf.I32, kinds)
    for name, token in (
        ("bos", "[CLS]"), ("eos", "[SEP]"), ("seperator", "[SEP]"), ("padding", "[PAD]"),
        ("unknown", "[UNK]"), ("mask", "[MASK]"),
    ):  # fmt: skip
        yield gguf.pair(f"tokenizer.ggml.{name}_token_id", gguf.U32, special[token])
