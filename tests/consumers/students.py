"""Build a student on the spot: a tokenizer, a chat template, and a model of two layers."""

from pathlib import Path

from meant import SETS, Record, opening, records
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, PreTrainedTokenizerFast

EOS = "<|im_end|>"
TEMPLATE = """\
{%- for message in messages %}
{%- if message.role not in ("system", "user", "assistant") %}
{{- raise_exception("Unknown role: " + message.role) }}
{%- endif %}
{{- "<|im_start|>" + message.role + "\\n" }}
{%- if message.role == "assistant" %}
{%- generation %}
{%- if message.reasoning_content %}
{{- "<think>\\n" + message.reasoning_content + "\\n</think>\\n\\n" }}
{%- endif %}
{{- message.content + "<|im_end|>" }}
{%- endgeneration %}
{{- "\\n" }}
{%- else %}
{{- message.content + "<|im_end|>\\n" }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- "<|im_start|>assistant\\n" }}{%- endif %}
"""
"""ChatML, with the key of reasoning that Qwen3 and others read."""


def asked(one: Record, form: str) -> str:
    """What a student is shown and does not learn."""
    said = (f"<|im_start|>{turn['role']}\n{turn['content']}{EOS}\n" for turn in opening(one, form))
    return "".join(said) + "<|im_start|>assistant\n"


def tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE of 600 tokens, trained on the records' own texts."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    texts = (text for set in SETS for one in records(set) for text in one)
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<|pad|>", "<|im_start|>", EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    bpe.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=EOS, pad_token="<|pad|>")
    made.chat_template = TEMPLATE
    return made


def config(words: PreTrainedTokenizerFast) -> LlamaConfig:
    """Two layers, 32 wide; the longest record fits."""
    return LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=16384,
        eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id, bos_token_id=None,
    )  # fmt: skip


def build(path: Path) -> Path:
    """Write a student, as `from_pretrained` loads it."""
    from transformers import LlamaForCausalLM

    words = tokenizer()
    words.save_pretrained(path)
    LlamaForCausalLM(config(words)).save_pretrained(path)
    return path
