"""Know what tokens cost: exact sums in nanodollars, from a table in the package or from the user.

A nanodollar is 1e-9 US dollars; money is whole nanodollars everywhere inside, so sums are exact.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from distillgen.errors import UserError
from distillgen.records import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, TieredPrices

NANO = 10**9
"""Nanodollars in a dollar."""
MARGIN = 1024
"""Tokens that a chat template, its system preamble and a rendered schema may add to a prompt."""
PRICED = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "mistral": "mistral",
    "groq": "groq",
    "together": "together",
    "openrouter": "openrouter",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
}
"""Our name of each provider with known prices, and genai-prices' name."""


@dataclass(frozen=True)
class Price:
    """What a model charges, in dollars per million tokens."""

    input: Decimal
    cached: Decimal
    """For tokens in that the provider had in its cache."""
    output: Decimal
    written: Decimal | None = None
    """For tokens in that the provider puts into its cache; None: as `input`."""
    long: "Price | None" = None
    """The price of a request with more than `long_above` tokens in, all its tokens included."""
    long_above: int = 0

    @property
    def free(self) -> bool:
        """Nothing is billed."""
        return not (self.input or self.output)

    def cost(self, usage: Usage) -> int:
        """Nanodollars that a completion was billed, rounded up to a whole one."""
        price = self._at(usage.input_tokens + usage.cached_tokens)
        written = price.input if price.written is None else price.written
        return _nano(
            (usage.input_tokens - usage.written_tokens) * price.input
            + usage.written_tokens * written
            + usage.cached_tokens * price.cached
            + usage.output_tokens * price.output
        )

    def worst(self, prompt_bytes: int, max_tokens: int) -> int:
        """Nanodollars that a request can cost at most, before it is sent.

        `prompt_bytes` is the length in UTF-8 of the messages and of the schema that goes with
        them. No token stands for less than a byte, so the bound holds for any tokenizer; for
        English it is about four times the truth. That costs no money, as a reply is settled on
        its usage: the budget only stops earlier, by the worst case of what is under way.
        """
        tokens_in = prompt_bytes + MARGIN
        price = self._at(tokens_in)
        dearest = max(price.input, price.cached, price.written or price.input)
        return _nano(tokens_in * dearest + max_tokens * price.output)

    def _at(self, tokens_in: int) -> "Price":
        return self.long if self.long and tokens_in > self.long_above else self


FREE = Price(Decimal(0), Decimal(0), Decimal(0))


def price_of(
    provider: str,
    model: str,
    price_in: str | Decimal | None = None,
    price_out: str | Decimal | None = None,
    *,
    own_server: bool,
    replies: bool = True,
) -> Price | None:
    """The price of a model; None when it is not known, which is never the same as 0.

    `--price-in` and `--price-out` (dollars per million tokens) win. The embedded and the scripted
    teacher are free. Else the snapshot inside genai-prices is looked up; no network is touched. A
    server of one's own (`own_server`, and `ollama`, `vllm`, `lmstudio` always) has no known price:
    somebody pays for the machine, and a proxy may forward to a provider that bills.

    Without `replies`, as with embeddings, only tokens in are billed.

    Where a price depends on the time of day the dearest counts, so that a limit holds all day.

    Raises:
        UserError: a figure is not a price, or one of the two is missing.
    """
    if price_in is not None or price_out is not None:
        return _stated(price_in, price_out)
    if provider in ("local", "scripted"):
        return FREE
    if own_server or provider not in PRICED:
        return None
    return _looked_up(PRICED[provider], model, replies)


def dollars(nano: int) -> str:
    """An amount for the screen: cents from ten cents on, two digits that count below.

    >>> dollars(1_834_000), dollars(480_000_000), dollars(12_300_000_000)
    ('$0.0018', '$0.48', '$12.30')
    """
    amount = Decimal(nano) / NANO
    if 0 < amount < Decimal("0.0001"):
        return "<$0.0001"
    places = max(2, 1 - amount.adjusted()) if amount else 2
    return f"${amount:,.{places}f}"


def _nano(per_million: Decimal) -> int:
    """Tokens times dollars per million tokens, as nanodollars, rounded up."""
    return math.ceil(per_million * (NANO // 10**6))


def _stated(price_in: str | Decimal | None, price_out: str | Decimal | None) -> Price:
    figures = []
    for option, text in (("--price-in", price_in), ("--price-out", price_out)):
        if text is None:
            raise UserError(f"{option} is missing: give both --price-in and --price-out")
        try:
            figure = Decimal(text)
        except InvalidOperation:
            figure = Decimal("NaN")
        if not (figure.is_finite() and 0 <= figure <= 10**6):
            raise UserError(f"{option} {text}: not dollars per million tokens, such as 0.40")
        figures.append(figure)
    return Price(figures[0], figures[0], figures[1])


def _looked_up(provider: str, model: str, replies: bool) -> Price | None:
    import genai_prices

    try:
        found = genai_prices.calc_price(genai_prices.Usage(), model, provider_id=provider)
    except LookupError:
        return None
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    half_hours = [found.model.get_prices(day + timedelta(minutes=30 * i)) for i in range(48)]
    starts = [start for prices in half_hours for start in _starts(prices)]
    base = _dearest(half_hours, lambda value: value.base, replies)
    if base is None or not starts:
        return base
    long = _dearest(half_hours, lambda value: max(tier.price for tier in value.tiers), replies)
    return Price(base.input, base.cached, base.output, base.written, long, min(starts))


def _starts(prices: "ModelPrice") -> list[int]:
    """Numbers of tokens in, above which another price holds."""
    tiered = [prices.input_mtok, prices.output_mtok, prices.cache_read_mtok]
    return [tier.start for value in tiered for tier in getattr(value, "tiers", ())]


def _dearest(
    prices: "list[ModelPrice]", tier: "Callable[[TieredPrices], Decimal]", replies: bool
) -> Price | None:
    """The dearest of the prices, kind by kind; None when tokens in have none, or those out."""

    def most(kind: str) -> Decimal | None:
        values = [getattr(price, kind) for price in prices]
        figures = [tier(v) if hasattr(v, "tiers") else v for v in values if v is not None]
        return max(figures, default=None)

    into, out = most("input_mtok"), most("output_mtok") if replies else Decimal(0)
    if into is None or out is None:
        return None
    cached = most("cache_read_mtok")
    return Price(into, into if cached is None else cached, out, most("cache_write_mtok"))
