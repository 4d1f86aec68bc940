"""What it took: requests, tokens, money, time, and what brought nothing."""

from distillgen.prices import dollars
from distillgen.sections import Page, Section, Table, n, took, words


def spent(page: Page) -> Section | None:
    """Requests, tokens, money, time."""
    rows = tuple(
        (f"{_teacher(used.teacher, used.model)} {name}".strip(), n(used.answered), n(used.failed),
         n(used.usage.input_tokens + used.usage.cached_tokens), n(used.usage.output_tokens),
         "unknown" if used.cost is None else dollars(used.cost), f"{used.wait_s:.1f} s",
         took(used.last - used.first))
        for name, facts in page.named
        for used in facts.used
    )  # fmt: skip
    if not rows:
        return None
    head = ("teacher", "replies", "failed sends", "tokens in", "tokens out", "cost", "a reply took",
            "first to last")  # fmt: skip
    how = "All that was ever asked in this run, also what was not kept in the end."
    return Section("cost", "Cost, tokens, time", how, (), (("", Table(head, rows)),))


def _teacher(name: str, model: str) -> str:
    """An embedded teacher is known by a digest; its model's name says more."""
    return f"local:{model}" if name.startswith("local:") and model else name


def failures(page: Page) -> Section:
    """What brought nothing."""
    rows = tuple(
        (f"{one.stage} {name}".strip(), words(one.kind), n(one.count), one.detail)
        for name, facts in page.named
        for one in facts.failures
    )
    how = "Requests that were given up, by kind; distillgen retry RUN asks for answers again."
    table = Table(("step", "kind", "requests", "what was said of the first"), rows, prose=True)
    said = () if rows else ("None.",)
    tables = (("", table),) if rows else ()
    return Section("failures", "Failures", how, (), tables, said)
