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


def reply(row: Mapping[str, JSON], key: str, *, keys: Collection[str] = ("role", "content")) -> str:
    """A list of one turn, the assistant's."""
    turns = row.get(key)
    if not isinstance(turns, list) or len(turns) != 1:
        return f"`{key}` is no list of one turn"
    if problem := _turn(turns[0], keys):
        return f"{key}[0]{problem}"
    role = turns[0]["role"]
    return "" if role == "assistant" else f"{key}[0]: `role` is {role}, not assistant"


def _turn(turn: JSON, keys: Collection[str]) -> str:
    if not isinstance(turn, dict):
        return " is no turn"
    if turn.get("role") not in ROLES:
        return f": `role` is {turn.get('role')!r}, not {', '.join(ROLES)}"
    if strange := [name for name in turn if name not in keys]:
        return f": a key `{strange[0]}`, which is not known"
    if not isinstance(turn.get("reasoning_content", ""), str):
        return ": `reasoning_content` is no text"
    if turn["role"] != "user" and any(_is_image(part) for part in _parts(turn.get("content"))):
        return ": an image, which only the user shows"
    return "" if said(turn.get("content")) else ": `content` is blank"


def _parts(content: JSON) -> list[JSON]:
    return content if isinstance(content, list) else []


def _is_image(part: JSON) -> bool:
    return isinstance(part, dict) and part.get("type") in ("image", "image_url")


def said(content: JSON) -> bool:
    """Whether a content says something: a text, or a list of parts with texts in it."""
    if not isinstance(content, list):
        return isinstance(content, str) and bool(content.strip())
    parts = [part for part in content if not _is_image(part)]
    return bool(parts) and all(isinstance(part, dict) and not texts(part, "text") for part in parts)


def uniform(*turns: JSON) -> str:
    """All contents of a row are texts, or all are lists of parts."""
    kinds = {type(turn["content"]) for many in turns for turn in many}
    return "some contents are texts, and some lists of parts" if len(kinds) > 1 else ""


def pictures(turns: JSON, most: int = 0, endings: Collection[str] = ()) -> str:
    """At most so many images in a row, by `image_url`, and of these kinds; 0 and () allow all."""
    shown = [part for turn in turns for part in _parts(turn["content"]) if _is_image(part)]
    if most and len(shown) > most:
        return f"{len(shown)} images, and {most} are the most"
    for part in shown if endings else ():
        if not part["image_url"]["url"].lower().endswith(tuple(endings)):
            return f"image {part['image_url']['url']} is none of {', '.join(endings)}"
    return ""


def marked(row: Mapping[str, JSON], key: str) -> str:
    """As many marks `{"type": "image"}` in the turns as paths in the column `images`, if any."""
    marks = sum(_is_image(part) for turn in row[key] for part in _parts(turn["content"]))
    images = row.get("images", [])
    if not isinstance(images, list) or not all(isinstance(path, str) for path in images):
        return "`images` is no list of paths"
    return "" if marks == len(images) else f"{len(images)} images, and {marks} marks for them"


Voice = tuple[str, tuple[str, ...]]
"""A role, and the kinds of parts that it may say."""


def voices(row: Mapping[str, JSON], key: str, parts: str, first: Voice, second: Voice) -> str:
    """A conversation of two who speak in turn, each turn a `role` and a list of parts.

    A part is an object with one key, its kind: `{"text": "Buy gold?"}`. Each turn has a text.
    """
    turns = row.get(key)
    if not isinstance(turns, list) or not turns:
        return f"`{key}` is no list of turns"
    for n, turn in enumerate(turns):
        where, (wanted, kinds) = f"{key}[{n}]", (second if n % 2 else first)
        if not isinstance(turn, dict) or turn.keys() != {"role", parts}:
            return f"{where} is not `role` and `{parts}`"
        if turn["role"] != wanted:
            return f"{where}: `role` is {turn['role']}, and {wanted} is due"
        if problem := _kinds(turn[parts], kinds):
            return f"{where}: `{parts}` {problem}"
    return f"the last turn is the {first[0]}'s, not the {second[0]}'s" if len(turns) % 2 else ""


def _kinds(parts: JSON, kinds: Collection[str]) -> str:
    if not isinstance(parts, list):
        return "is no list of parts"
    for part in parts:
        if not isinstance(part, dict) or len(part) != 1 or next(iter(part)) not in kinds:
            return f"has a part that is not one of {', '.join(kinds)}"
    spoken = [part for part in parts if "text" in part]
    if not spoken:
        return "has no text"
    return next((problem for part in spoken if (problem := texts(part, "text"))), "")


def differ(row: Mapping[str, JSON], better: str, worse: str) -> str:
    """The better and the worse answer are not the same."""
    return f"`{better}` and `{worse}` are the same" if row[better] == row[worse] else ""


def only(row: Mapping[str, JSON], *keys: str, optional: Collection[str] = ()) -> str:
    """The row has these columns, perhaps the optional ones, and no other."""
    if missing := [key for key in keys if key not in row]:
        return f"no `{missing[0]}`"
    if strange := [key for key in row if key not in keys and key not in optional]:
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
    return chat(row, "prompt", keys=keys, ends="user") or reply(row, "completion", keys=keys)
