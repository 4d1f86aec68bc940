"""What the teacher of the tests says: people, questions and reasons, each fixed by a number."""

import random

WHO = """nurse on night shifts|retired carpenter|student of law|mother of twins|bus driver
|young dentist|freelance translator|widower|chess coach|fisherman|shop assistant|piano tuner
|army sergeant|gardener|school principal|beekeeper|sailor on leave|taxi owner|librarian|baker
|farm manager|physics teacher|hotel porter|violinist|roofer|vet in a village|glazier|judge
|film editor|miner""".replace("\n", "").split("|")
WHERE = """by the sea|in a big city|in the mountains|near the border|on an island|in a village
|in a new suburb|far from my family|in the old town|next to a harbour|on a houseboat|abroad
|with my parents|above a bakery|in a shared flat|on a farm""".replace("\n", "").split("|")
MEANS = """a small inheritance of {n} euros|{n} euros on a savings account|a debt of {n} euros
|{n} euros of company shares|a flat worth {n} euros|{n} euros in gold coins|a pension of {n} a year
|a bonus of {n} euros|{n} dollars in a fund|rent of {n} a year|no savings but {n} a year left over
|{n} euros from a sold car""".replace("\n", "").split("|")
MOOD = """I sleep badly when prices fall|I want to stop working early|I have never bought a share
|My wife thinks I gamble|I lost half of it once|I need part of it in spring|I trust no bank
|My brother says I am too careful|I follow the news every hour|I would rather not pay fees
|Two children will study soon|I only understand what I can touch""".replace("\n", "").split("|")
DO = """Should I put it into|Is it too late for|How much of it belongs in|What speaks against
|Would you sell everything for|Can I live from|How do I begin with|When do I get out of
|Is there a cheaper way to own|How risky is it to borrow for|Why does everybody talk about
|Do I need advice for""".replace("\n", "").split("|")
WHAT = """government bonds|a world index fund|shares of my employer|a second flat|silver
|timber land|a small coin that doubled|dividend shares|a savings plan for my daughter|oil futures
|a friend's bakery|an annuity|emerging markets|a money market fund|art|solar parks|a gold mine
|cash in francs|an old vineyard|bank shares|inflation linked bonds|a robot adviser|water utilities
|airline shares""".replace("\n", "").split("|")
WHEN = """before the election|at my age|if rates rise again|while the market falls|this year
|with three jobs in ten years|without telling anyone|instead of paying off the house
|after such a long rally|when I cannot watch it|and keep my peace of mind|for ten years at least
|as a reserve|in a foreign currency""".replace("\n", "").split("|")
BECAUSE = """{who} has time|the sum is small|nothing else is saved|income is steady
|the loan costs more|fees eat the gain|a fall would hurt|the house is paid off""".replace("\n", "")

POOL = 25
"""Different proposals among the twins."""


def proposal(point: float, twin: bool) -> tuple[str, str]:
    """A user context and a question; a twin is one of `POOL` that come again and again."""
    dice = random.Random(int(point * POOL) if twin else point)
    pick = dice.choice
    context = (
        f"I am a {pick(WHO)}, {dice.randint(19, 88)} years old, and live {pick(WHERE)}. "
        f"I have {pick(MEANS).format(n=dice.randint(2, 900) * 100)}. {pick(MOOD)}."
    )
    return context, f"{pick(DO)} {pick(WHAT)} {pick(WHEN)}?"


def reasons(point: float) -> str:
    """Why an answer holds."""
    dice = random.Random(point)
    because = dice.choice(BECAUSE.split("|")).format(who=dice.choice(WHO))
    return f"As {because}, {dice.choice(WHAT)} can wait {dice.choice(WHEN)} ({point:.12f})."
