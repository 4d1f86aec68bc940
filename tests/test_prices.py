"""What tokens cost: exact, never 0 for unknown, and never more than was reserved."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot, set_custom_snapshot
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)
from hypothesis import given
from hypothesis import strategies as st

from distillgen.errors import UserError
from distillgen.prices import PRICED, Price, dollars, price_of
from distillgen.providers import PROVIDERS
from distillgen.records import Usage

MINI = Price(Decimal("0.4"), Decimal("0.1"), Decimal("1.6"))
"""As gpt-4.1-mini: a token in costs 400 nanodollars, a cached one 100, a token out 1,600."""

FIGURES = st.decimals(0, 1000, places=4)
TOKENS = st.integers(0, 10_000_000)


def test_a_completion_costs_its_tokens() -> None:
    usage = Usage(input_tokens=1000, cached_tokens=500, output_tokens=250)
    assert MINI.cost(usage) == 1000 * 400 + 500 * 100 + 250 * 1600


def test_nothing_costs_nothing() -> None:
    assert MINI.cost(Usage()) == 0


def test_less_than_a_nanodollar_is_rounded_up() -> None:
    assert Price(Decimal("0.00001"), Decimal(0), Decimal(0)).cost(Usage(input_tokens=1)) == 1


def test_tokens_written_to_the_cache_cost_what_the_provider_asks_for_them() -> None:
    usage = Usage(input_tokens=1000, written_tokens=400)
    dear = Price(Decimal(2), Decimal("0.2"), Decimal(10), written=Decimal("2.5"))
    assert dear.cost(usage) == 600 * 2000 + 400 * 2500
    assert MINI.cost(usage) == 1000 * 400


def test_a_long_prompt_costs_the_long_price_for_all_its_tokens() -> None:
    long = Price(Decimal(2), Decimal(2), Decimal(4))
    price = Price(Decimal(1), Decimal(1), Decimal(3), long=long, long_above=1000)
    assert price.cost(Usage(input_tokens=600, cached_tokens=400)) == 1000 * 1000
    assert price.cost(Usage(input_tokens=600, cached_tokens=401)) == 1001 * 2000


@given(FIGURES, FIGURES, FIGURES, TOKENS, TOKENS, TOKENS)
def test_the_cost_is_the_exact_sum_rounded_up(
    into: Decimal, cached: Decimal, out: Decimal, a: int, b: int, c: int
) -> None:
    cost = Price(into, cached, out).cost(Usage(input_tokens=a, cached_tokens=b, output_tokens=c))
    exact = (a * Fraction(into) + b * Fraction(cached) + c * Fraction(out)) * 1000
    assert exact <= cost < exact + 1


@given(
    figures=st.tuples(FIGURES, FIGURES, FIGURES, FIGURES | st.none(), FIGURES, FIGURES),
    prompt=st.text(max_size=200),
    max_tokens=st.integers(0, 10_000),
    data=st.data(),
)
def test_a_reply_never_costs_more_than_its_worst_case(
    figures: tuple[Decimal, ...], prompt: str, max_tokens: int, data: st.DataObject
) -> None:
    into, cached, out, written, more_in, more_out = figures
    long = Price(into + more_in, cached, out + more_out)
    price = Price(into, cached, out, written, long, long_above=1100)
    sent = len(prompt.encode())
    tokens_in = data.draw(st.integers(0, sent + 1024))
    from_cache = data.draw(st.integers(0, tokens_in))
    usage = Usage(
        input_tokens=tokens_in - from_cache,
        cached_tokens=from_cache,
        written_tokens=data.draw(st.integers(0, tokens_in - from_cache)),
        output_tokens=data.draw(st.integers(0, max_tokens)),
    )
    assert price.cost(usage) <= price.worst(sent, max_tokens)


def test_the_worst_case_of_an_english_prompt_is_a_few_times_the_truth() -> None:
    truth = MINI.cost(Usage(input_tokens=700, output_tokens=250))
    assert truth < MINI.worst(3000, 800) < 5 * truth


# Where a price comes from


def test_a_known_model_has_the_price_of_the_table() -> None:
    assert price_of("openai", "gpt-4.1-mini", own_server=False) == MINI


def test_every_provider_with_a_key_is_looked_up() -> None:
    assert {name for name, (_, variable) in PROVIDERS.items() if variable} == set(PRICED)


def test_the_table_knows_each_provider_by_the_name_we_use() -> None:
    assert set(PRICED.values()) <= {provider.id for provider in get_snapshot().providers}


@pytest.fixture
def table() -> Iterator[None]:
    """A table with one made-up provider of each kind of price, under OpenAI's name."""

    def model(name: str, *prices: ConditionalPrice) -> ModelInfo:
        return ModelInfo(name, ClauseEquals(name), prices=list(prices))

    def price(into: object, out: object, **more: object) -> ModelPrice:
        return ModelPrice(input_mtok=into, output_mtok=out, **more)

    def tiers(*prices: int) -> TieredPrices:
        return TieredPrices(
            Decimal(prices[0]), [Tier(1000 * n, Decimal(p)) for n, p in enumerate(prices[1:], 1)]
        )

    noon = TimeOfDateConstraint(time(12, 0, tzinfo=UTC), time(13, 0, tzinfo=UTC))
    tomorrow = StartDateConstraint(datetime.now(UTC).date() + timedelta(days=2))
    one, two, nine = Decimal(1), Decimal(2), Decimal(9)
    models = [
        model("by-the-hour", ConditionalPrice(prices=price(one, one)),
              ConditionalPrice(noon, prices=price(two, two))),
        model("dearer-soon", ConditionalPrice(prices=price(one, one)),
              ConditionalPrice(tomorrow, prices=price(nine, nine))),
        model("by-the-length", ConditionalPrice(prices=price(
            tiers(1, 2, 4), tiers(3, 6, 8), cache_read_mtok=Decimal("0.5")))),
        model("free", ConditionalPrice(prices=ModelPrice())),
        model("embeddings", ConditionalPrice(prices=ModelPrice(input_mtok=one))),
        model("no-cache-price", ConditionalPrice(prices=price(one, two))),
    ]  # fmt: skip
    set_custom_snapshot(DataSnapshot([Provider("openai", "OpenAI", "x", models=models)], False))
    yield
    set_custom_snapshot(None)


@pytest.mark.usefixtures("table")
def test_a_price_that_depends_on_the_hour_is_the_dearest() -> None:
    assert price_of("openai", "by-the-hour", own_server=False) == Price(*[Decimal(2)] * 3)


@pytest.mark.usefixtures("table")
def test_a_price_that_begins_later_does_not_count_yet() -> None:
    assert price_of("openai", "dearer-soon", own_server=False) == Price(*[Decimal(1)] * 3)


@pytest.mark.usefixtures("table")
def test_beyond_the_first_length_the_dearest_price_counts() -> None:
    price = price_of("openai", "by-the-length", own_server=False)
    long = Price(Decimal(4), Decimal("0.5"), Decimal(8))
    assert price == Price(Decimal(1), Decimal("0.5"), Decimal(3), long=long, long_above=1000)


@pytest.mark.usefixtures("table")
def test_cached_tokens_without_a_price_of_their_own_cost_the_full_one() -> None:
    price = price_of("openai", "no-cache-price", own_server=False)
    assert price == Price(Decimal(1), Decimal(1), Decimal(2))


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("model", ["free", "embeddings", "no-such-model", ""])
def test_a_table_without_both_prices_is_no_price(model: str) -> None:
    assert price_of("openai", model, own_server=False) is None


@pytest.mark.parametrize(
    ("provider", "model", "own_server"),
    [
        ("openai", "no-such-model", False),
        ("openai", "gpt-4.1-mini", True),
        ("ollama", "llama3.1:8b", True),
        ("vllm", "gpt-4.1-mini", True),
        ("lmstudio", "gemma-2-2b-it", True),
    ],
)
def test_an_unknown_price_is_none_and_never_zero(
    provider: str, model: str, own_server: bool
) -> None:
    assert price_of(provider, model, own_server=own_server) is None


@pytest.mark.parametrize("provider", ["local", "scripted"])
def test_the_embedded_and_the_scripted_teacher_are_free(provider: str) -> None:
    price = price_of(provider, "", own_server=True)
    assert price is not None
    assert price.worst(10_000, 1000) == 0


def test_the_users_figures_win() -> None:
    for provider in ("openai", "ollama", "local"):
        price = price_of(provider, "gpt-4.1-mini", "0.15", Decimal("0.6"), own_server=True)
        assert price == Price(Decimal("0.15"), Decimal("0.15"), Decimal("0.6"))


@pytest.mark.parametrize("text", ["0,40", "cheap", "", "-1", "NaN", "Infinity", "1e9", "$1"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--price-in"):
        price_of("openai", "m", text, "1", own_server=False)


def test_both_figures_are_needed() -> None:
    with pytest.raises(UserError, match="--price-out is missing"):
        price_of("openai", "m", "1", None, own_server=False)
    with pytest.raises(UserError, match="--price-in is missing"):
        price_of("openai", "m", None, "1", own_server=False)


def test_the_table_is_loaded_only_when_it_is_looked_into() -> None:
    script = (
        "import sys; from distillgen.prices import price_of; "
        "price_of('local', '', own_server=True); price_of('ollama', 'm', own_server=True); "
        "sys.exit('genai_prices' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# On the screen


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "$0.00"),
        (1, "<$0.0001"),
        (99_999, "<$0.0001"),
        (100_000, "$0.00010"),
        (1_834_000, "$0.0018"),
        (20_000_000, "$0.020"),
        (480_000_000, "$0.48"),
        (999_000_000, "$1.00"),
        (12_300_000_000, "$12.30"),
        (1_234_567_890_000, "$1,234.57"),
    ],
)
def test_dollars_are_written_with_the_digits_that_count(nano: int, text: str) -> None:
    assert dollars(nano) == text
