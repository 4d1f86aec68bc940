"""Hold the money of a run: reserve the worst case before sending, settle what it came to."""

from dataclasses import dataclass

from distillgen.prices import Price
from distillgen.records import Request, Usage

UNSTATED_MAX_TOKENS = 4096
"""Assumed length of a reply where a request states no limit."""


@dataclass
class Money:
    """What one run folder may cost, and what it has cost, in nanodollars."""

    limit: int | None
    spent: int
    """Settled so far, attempts of unknown outcome at their worst case included."""
    reserved: int = 0
    """Worst case of what is under way."""


class Purse:
    """The money of a run folder at one teacher's price; the limit is never passed.

    Without a price nothing is reserved, and costs are unknown (None), never 0.
    """

    def __init__(self, price: Price | None, money: Money) -> None:
        """`money` may be shared with the purses of other teachers."""
        self.price, self.money = price, money

    def worst(self, request: Request) -> int | None:
        """The most that one send of a request can cost."""
        if self.price is None:
            return None
        most = int(request.terms.sampling.get("max_tokens", UNSTATED_MAX_TOKENS))
        return self.price.worst(request.length, most)

    def reserve(self, request: Request) -> bool:
        """Set the worst case of a send aside; False when that could pass the limit."""
        worst = self.worst(request) or 0
        money = self.money
        if money.limit is not None and money.spent + money.reserved + worst > money.limit:
            return False
        money.reserved += worst
        return True

    def release(self, request: Request) -> None:
        """Give back what `reserve` set aside; what it came to is settled on its own."""
        self.money.reserved -= self.worst(request) or 0

    def settle(self, cost: int | None) -> None:
        """Count what a send came to."""
        self.money.spent += cost or 0

    def cost(self, usage: Usage) -> int | None:
        """What a reply was billed; None when the price is unknown."""
        return None if self.price is None else self.price.cost(usage)
