"""What the teacher of the tests says, fixed by what it is asked and by nothing else."""

import base64
import hashlib
import json
import math
import random
import re
import time
from typing import Any

JSON = Any

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


NUMBER = re.compile(
    r"\d+(?:[.,]\d+)*|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b", re.I
)


def rewritten(point: float, sample: JSON, *, backwards: bool) -> tuple[str, str]:
    """A user context and a question in other words, with the numbers of a sample and no others."""
    context, question = (NUMBER.sub("some", text) for text in proposal(point, False))
    numbers = ", ".join(NUMBER.findall(f"{sample['user_context']} {sample['question']}"))
    if backwards:
        question += f" The answer was {sample['answer']}. What is x?"
    return f"{context} It is about {numbers}{' and x' if backwards else ''}.", question


def reasons(point: float) -> str:
    """Why an answer holds."""
    dice = random.Random(point)
    because = dice.choice(BECAUSE.split("|")).format(who=dice.choice(WHO))
    return f"As {because}, {dice.choice(WHAT)} can wait {dice.choice(WHEN)} ({point:.12f})."


def point(*parts: JSON) -> float:
    """A number from 0 to 1 that is fixed by the parts."""
    text = json.dumps(parts, sort_keys=True)
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 16**13


def meaning(body: JSON) -> JSON:
    """The part of a request that the reply depends on: not the model's name, not the wire form."""
    rest = {k: v for k, v in body.items() if k not in ("model", "response_format", "stream")}
    rest["max_tokens"] = rest.pop("max_completion_tokens", rest.get("max_tokens"))
    return rest


def words_of(message: JSON) -> str:
    """The text of a message, with images or without."""
    content = message["content"]
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return "\n".join(part["text"] for part in parts if part["type"] == "text")


def images_of(body: JSON) -> list[bytes]:
    """The images that a request shows; what is no data URL of its kind is no image."""
    found = []
    for message in body["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else []:
            if part["type"] == "image_url":
                head, _, data = part["image_url"]["url"].partition(",")
                raw = base64.b64decode(data, validate=True)
                assert head == "data:image/png;base64", head
                assert raw.startswith(b"\x89PNG"), raw[:16]
                found.append(raw)
    return found


def wanted(body: JSON, twins: float) -> dict[str, JSON]:
    """The object that is asked for, told from the schema or else from the words."""
    words = "\n".join(map(words_of, body["messages"]))
    form = body.get("response_format") or {}
    properties = form.get("json_schema", {}).get("schema", {}).get("properties", {})
    dice = meaning(body)
    if '"examples"' in words:
        return {"examples": examples(words, properties, dice, twins)}
    for name in ("topics", "attributes"):
        if f'{{"{name}"' in words:
            return {name: drafted(words, properties.get(name, {}), point(dice))}
    if '"analysis"' in words:
        return judged(words, dice)
    return answered(words, properties, dice)


def examples(words: str, properties: JSON, dice: JSON, twins: float) -> list[dict[str, str]]:
    """Inputs, with what else is asked of each."""
    stated = re.search(r"generate (\d+) more", words) or re.search(r"exactly (\d+) item", words)
    count = int(stated[1]) if stated else 3
    count = properties.get("examples", {}).get("minItems", count)
    pairs = [proposal(point(dice, i), point("twin", dice, i) < twins)
             for i in range(count)]  # fmt: skip
    if "in quite other words" in words or "x stands in its place" in words:
        backwards = "x stands in its place" in words
        lines = [line for line in words.splitlines() if line.startswith('{"user_context"')]
        pairs = [rewritten(point(dice, i), json.loads(line), backwards=backwards)
                 for i, line in enumerate(lines)]  # fmt: skip
    items = [{"user_context": c, "question": q} for c, q in pairs]
    for i, item in enumerate(items):
        if '"sample"' in words:
            item["sample"] = str(i + 1)
        if '"number"' in words:
            item["number"] = str(i + 1)
        if '"persona"' in words:
            twin = point("twin", dice, i) >= twins / 2 and point("double", dice, i) < twins / 2
            item["persona"] = proposal(point("who", dice, i), twin)[0]
        if '"flawed"' in words:
            item["flawed"] = reasons(point("flawed", dice, i))
        if "about a text that lies before them" in words:
            del item["user_context"]
    return items


def answered(words: str, properties: JSON, dice: JSON) -> dict[str, JSON]:
    """An answer or a label with its reason, or what is said of one."""
    reason = reasons(point(dice))
    if '"criticism"' in words:
        return {"criticism": reason, "mend": "yes" if point("mend", dice) < 0.5 else "no"}
    if "make 100 together" in words:
        return {label: round(100 * point("verbal", words, label)) for label in stated_labels(words)}
    if hint := re.search(r"The right \w+ is known: (.+?)\. Find the reasons", words):
        reason = f"The given answer is right. {reason}" if point("trace", dice) < 0.3 else reason
        kind = "label" if "The right label" in words else "answer"
        return {"rationale": reason, kind: hint[1] if point("miss", dice) > 0.2 else "No idea"}
    if "label" in properties or '"label"' in words:
        listed = words.partition("exactly one of these labels")[2]
        labels = re.findall(r"(?m)^\s*- ([\w ]+?)(?::|$)", listed)
        labels = properties.get("label", {}).get("enum", labels)
        return {"rationale": reason, "label": labels[int(point("label", dice) * len(labels))]}
    number = 1 + int(point("answer", dice) * 10**6)
    return {"rationale": reason, "answer": f"Put {number} aside, and then decide."}


def judged(words: str, dice: str) -> dict[str, JSON]:
    """A verdict: scores of the aspects that are named, or which of two answers is better.

    Of two the same one in both orders, but where the judge goes by the order: in 3 of 10 replies
    it names the first.
    """
    analysis = reasons(point(dice))
    if '"better"' in words:
        texts = re.search(r"(?s)\n<first>\n(.*)\n</first>\n<second>\n(.*)\n</second>", words)
        assert texts
        first = point("worth", texts[1]) > point("worth", texts[2])
        by_order = point("order", dice) < 0.3
        return {"analysis": analysis, "better": "first" if first or by_order else "second"}
    aspects = re.findall(r'(?m)^- "(\w+)": (?!work out)', words)
    scores = {name: 1 + int(5 * point(name, dice)) for name in aspects if name != "analysis"}
    return {"analysis": analysis, **scores}


def stated_labels(words: str) -> list[str]:
    """The labels that a prompt lists."""
    return re.findall(r"(?m)^\s*- ([\w ]+?)(?::|$)", words.partition("<question>")[0])


def letter(body: JSON, covered: float) -> dict[str, JSON]:
    """A choice that is one letter, with its log-probabilities; the labels hold `covered` of it."""
    words = "\n".join(map(words_of, body["messages"]))
    asked = words.partition("<question>")[2]
    letters = dict(re.findall(r"(?m)^([A-Z]): ([\w ]+?)(?: \(|$)", words))
    weights = {one: 0.05 + point("soft", asked, label) for one, label in letters.items()}
    total = sum(weights.values())
    shares = {one: covered * weight / total for one, weight in weights.items()} | {
        "The": (1 - covered) * 0.9
    }
    top = [{"token": token, "logprob": math.log(share)} for token, share in shares.items() if share]
    said = max(shares, key=shares.__getitem__)
    place = {"token": said, "logprob": math.log(shares[said]), "top_logprobs": top}
    return {
        "index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": said},
        "logprobs": {"content": [place]},
    }  # fmt: skip


def drafted(words: str, form: JSON, dice: float) -> list[JSON]:
    """Names of a draft, each with parts where they are asked for: of few names one comes twice."""
    stated = re.search(r"exactly (\d+) item", words)
    count = form.get("minItems", int(stated[1]) if stated else 3)
    parts = next((name for name in ("concepts", "values") if f'"{name}"' in words), "")
    names = random.Random(dice)
    made: list[JSON] = []
    for _ in range(count):
        one: JSON = {"name": names.choice(WHAT)}
        if parts:
            one[parts] = [f"{names.choice(WHO)} {names.choice(WHEN)}" for _ in range(3)]
        made.append(one)
    return made


def dressed(reply: dict[str, JSON], dress: str, dice: float) -> dict[str, JSON]:
    """The message and finish reason in which a reply comes."""
    if dress == "mixed":
        dress = ("plain", "fence", "prose", "think")[int(dice * 4)]
    if dress == "uneven":
        dress = "cut" if dice < 0.5 else "plain"
    bare = {k: v for k, v in reply.items() if k != "rationale"}
    text = json.dumps(reply, ensure_ascii=False)
    message: dict[str, JSON] = {"role": "assistant", "content": text}
    match dress:
        case "fence":
            message["content"] = f"```json\n{json.dumps(reply, indent=2)}\n```"
        case "prose":
            message["content"] = f"Sure, here it is:\n\n{text}\n\nTell me if you want more."
        case "think":
            message["content"] = f"<think>Who asks {{this}}, and why?</think>\n{text}"
        case "reasoning":
            message |= {"content": json.dumps(bare), "reasoning_content": "It follows from the age"}
        case "thinking":
            block = {"type": "thinking", "thinking": "It follows from the age"}
            message["content"] = [block, {"type": "text", "text": json.dumps(bare)}]
        case "bare":
            message["content"] = json.dumps(bare)
        case "cut":
            message["content"] = text[: len(text) * 2 // 3]
    reason = "length" if dress == "cut" else "stop"
    return {"index": 0, "finish_reason": reason, "message": message}


def completion(
    body: JSON, dress: str = "plain", twins: float = 0.0, *, useless: bool = False,
    covered: float = 0.9,
) -> dict[str, JSON]:  # fmt: skip
    """A whole chat completion; its id and time differ from call to call, as anywhere."""
    if body.get("logprobs"):
        choice = letter(body, covered)
    else:
        choice = dressed(wanted(body, twins), dress, point("dress", meaning(body)))
    if useless:
        choice["message"]["content"] = "I am happy to help. What do you want to know?"
    asked = sum(len(words_of(m)) for m in body["messages"]) // 4
    asked += 1000 * len(images_of(body))
    said = len(str(choice["message"]["content"])) // 4
    return {
        "id": f"chatcmpl-{time.monotonic_ns()}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": f"{body['model']}-2026-01-01",
        "choices": [choice],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": said,
            "total_tokens": asked + said,
        },
    }
