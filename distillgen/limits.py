"""Hold the sizes of an export against what its consumer takes."""

from collections.abc import Iterator, Mapping

from distillgen.formats import Limits

Sizes = Mapping[str, tuple[int, int]]
"""Rows and bytes by split."""


def refusal(limits: Limits, sizes: Sizes) -> str:
    """Why the consumer would not take it, and what to do; empty where it would.

    A validation split stops nothing, however small or large: the student trains without it.
    """
    rows, size = sizes["train"]
    who = limits.who or "the consumer"
    if rows < limits.least:
        return (
            f"{rows} rows to train on; {who} takes {limits.least:,} at least. Nothing was written;"
            " make more with -n, or give train a larger share with --split"
        )
    if size < limits.least_bytes:
        return (
            f"{size:,} bytes to train on; {who} takes {limits.least_bytes:,} at least. Nothing was"
            " written; make more with -n"
        )
    for split in limits.needs:
        if not sizes.get(split, (0, 0))[0]:
            return (
                f"no record in {split}; {who} needs {', '.join(limits.needs)}. Nothing was"
                " written; give it a larger share with --split, or leave the format away"
            )
    over = next(_over(limits, {s: one for s, one in sizes.items() if s != "validation"}), "")
    return f"{over}. Nothing was written; part the file" if over else ""


def advice(limits: Limits, sizes: Sizes) -> Iterator[str]:
    """What is not as the consumer advises, or more than it takes to validate with."""
    rows, _ = sizes["train"]
    if rows < limits.suggested:
        yield f"{rows} rows to train on; {limits.who} advises {limits.suggested:,}"
    yield from _over(limits, {"validation": sizes["validation"]})


def _over(limits: Limits, sizes: Sizes) -> Iterator[str]:
    who = limits.who or "the consumer"
    for split, (rows, size) in sizes.items():
        most = (limits.validation if split == "validation" else 0) or limits.most
        if most and rows > most:
            yield f"{split} has {rows:,} rows; {who} takes {most:,} at most"
        elif limits.bytes and size > limits.bytes:
            yield f"{split} has {size / 1e6:,.0f} MB; {who} takes {limits.bytes / 1e6:,.0f} at most"
