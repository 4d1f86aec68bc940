"""Embeddings for tests: a direction for each word, the same one for words that mean the same."""

import hashlib
import random
import re

SIZE = 96
SYNONYMS = """smart wise|purchase buy|save aside|secure safe|hold keep|begin start|pay off down
|income small low|stocks shares|may can could must|boil cook|tin pan|illness sickness|children kids
|large big|scared afraid|visit see|often frequently|harmful dangerous|ache hurt|relax calm
|increase raise|fine ticket|challenge contest|operation surgery|become turn|fastest quickest
|rescue save|prepare train|store shop|cutting slicing|automobile car|verbal oral|agreement contract
"""
FILLERS = """a an the is are was do does did i my me it to of in on at for with and or that this
when if can could may must should would will be being have has how what which who really very"""
_WORD = {word: group.split()[0] for group in SYNONYMS.replace("\n", "").split("|")
         for word in group.split()}  # fmt: skip


def vector(text: str) -> list[float]:
    """The sum of the words' directions; those that carry little meaning count little."""
    total = [0.0] * SIZE
    for word in re.findall(r"[^\W_]+", text.lower()) or [text]:
        weight = 0.1 if word in FILLERS.split() else 1.0
        stem = re.sub(r"(?<=...)(?:ing|ed|es|er|s)$", "", _WORD.get(word, word))
        dice = random.Random(hashlib.sha256(stem.encode()).digest())
        total = [sum_ + weight * dice.gauss(0, 1) for sum_ in total]
    return total
