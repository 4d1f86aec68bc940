"""Rules that several consumers have in common: what is wrong with a row, in words.

Each gives the first rule that is broken, with its place in the row, or an empty text.
"""

from collections.abc import Collection, Mapping

from distillgen.records import JSON

ROLES = ("system", "user", "assistant")


def chat(
    row: Mapping[str, JSON], key: str = "messages", *, keys: Collection[str] = ("role", "content"),
    ends: str = "assistant",
) -> str:  # fmt: skip
    """A conversation: a system turn at most and first, then user and assistant in turn.

    `keys` are all that a turn may have; `ends` is the role of the last one.
    """
    turns = row.get(key)
    if not isinstance(turns, list) or not turns:
        return f"`{key}` is no list of turns"
    for n, turn in enumerate(turns):
        where = f"{key}[{n}]"
        if problem := _turn(turn, keys):
            return f"{where}{problem}"
        system = turns[0]["role"] == "system"
        if turn["role"] == "system" and n:
            return f"{where} is a system turn, which stands first if anywhere"
        wanted = "user" if (n - system) % 2 == 0 else "assistant"
        if turn["role"] not in ("system", wanted):
            return f"{where}: `role` is {turn['role']}, and {wanted} is due"
    if turns[-1]["role"] != ends:
        return f"the last turn is the {turns[-1]['role']}'s, not the {ends}'s"
    return ""


def _turn(turn: JSON, keys: Collection[str]) -> str:
    if not isinstance(turn, dict):
        return " is no turn"
    if turn.get("role") not in ROLES:
        return f": `role` is {turn.get('role')!r}, not {', '.join(ROLES)}"
    if strange := [name for name in turn if name not in keys]:
        return f": a key `{strange[0]}`, which is not known"
    return "" if said(turn.get("content")) else ": `content` is blank"


def said(content: JSON) -> bool:
    """Whether a content says something, a text or a list of parts."""
    if isinstance(content, list):
        return bool(content)
    return isinstance(content, str) and bool(content.strip())


def only(row: Mapping[str, JSON], *keys: str) -> str:
    """The row has exactly these columns."""
    if missing := [key for key in keys if key not in row]:
        return f"no `{missing[0]}`"
    if strange := [key for key in row if key not in keys]:
        return f"a column `{strange[0]}`, which is not known"
    return ""


def texts(row: Mapping[str, JSON], *keys: str) -> str:
    """These columns hold texts that are not blank."""
    blank = [key for key in keys if not (isinstance(row.get(key), str) and row[key].strip())]
    return f"`{blank[0]}` is blank" if blank else ""


def completed(row: Mapping[str, JSON], keys: Collection[str] = ("role", "content")) -> str:
    """A `prompt` of turns that ends with the user's, and a `completion`: the assistant's next one.

    `keys` are all that a turn may have.
    """
    if problem := chat(row, "prompt", keys=keys, ends="user"):
        return problem
    said = row.get("completion")
    if not isinstance(said, list) or len(said) != 1:
        return "`completion` is no list of one turn"
    if problem := _turn(said[0], keys):
        return f"completion[0]{problem}"
    who = said[0]["role"]
    return "" if who == "assistant" else f"completion[0]: `role` is {who}, not assistant"
