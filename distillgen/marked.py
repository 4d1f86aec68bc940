"""Read a reply of plain text that ends in a marked answer: "… So the answer is (d) gravity." Pure.

Teachers that are shown worked examples, and models that never learned to chat, answer so. They also
go on with an example of their own making, as 98 to 100 % of saved PaLM-540B outputs do: it is cut
off before anything is read.
"""

import re
from typing import NamedTuple

from distillgen.errors import ParseError

_NEXT = re.compile(
    r"""\n [ \t>\#*_-]{0,8} (?: Q | question | premise | user | human ) [ \t]? \d* [*_]{0,2} :
      | \n [ \t]* \n [ \t>\#*_-]{0,8} (?: problem | input | instruction | example | exercise | task
                                      | passage | context ) [ \t]? \d* [*_]{0,2} :
      | <\|? (?: endoftext | im_end | eot_id ) \|?> | </s>""",
    re.I | re.X,
)
"""How an example begins that nobody asked for; some words only behind an empty line."""
_MARK = re.compile(
    r"""(?P<so> \b (?: so | thus | hence | therefore ) \b ,? \s+ )?
        \b the \s+ (?: \w+ \s+ )? answer \s+ (?: is | would \s+ be | must \s+ be ) \b :?
      | (?P<head> (?: ^ | (?<= [.!?:]\s ) ) [ \t\#*_]{0,8} (?: the \s )? (?: final \s )?
                  answer [*_]{0,2} : )
      | ^ [ \t]* \#{4} (?! \# )
      | (?= \\boxed \s? \{ )""",
    re.I | re.M | re.X,
)
"""A sentence that states the answer, a heading of it, GSM8K's four hashes, a box of LaTeX."""
_BOXED = re.compile(r"\\boxed\s?\{((?:[^{}]|\{[^{}]*\})*)\}")
_END = re.compile(
    r"(?<![\s.][A-Za-z])(?<!\b[DM]r)(?<!\bMs)(?<!\bMrs)[.!?]+(?=\s+[A-Z\d(\"']|\s*$)|\n"
)
"""Where an answer's sentence ends: not behind "Mr." or an initial, nor before a small letter."""
_WHOLE = re.compile(r".*(?:[.!?…][\"')\]]*(?=\s)|\n)", re.S)
"""A text up to the end of its last whole sentence, or of its last whole line."""
_WHY = re.compile(
    r"^[ \t*_]{0,8}(?:rationale|reasoning|explanation)[*_]{0,2}:[*_]{0,2}", re.I | re.M
)
_HEAD = re.compile(r"(?:A|answer|rationale|reasoning|explanation|solution)\s?:[\s*_]*", re.I)
_OPTION = re.compile(r"\(?[A-Za-z]\)\s+(?=\S)")
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))


class Marked(NamedTuple):
    """What such a reply says."""

    rationale: str
    """The sentences before that of the answer; empty where it stands alone."""
    answer: str
    """Without its full stop, its emphasis, and the letter of an option before the option's text."""


def cut(text: str) -> str:
    """The text up to an example that nobody asked for.

    >>> cut("She has 2. The answer is 2.\\n\\nQ: He has 3 … A:")
    'She has 2. The answer is 2.'
    """
    starts = (found.start() for found in _NEXT.finditer(text))
    end = next((start for start in starts if text[:start].strip()), len(text))
    return text[:end].strip()


def read(text: str) -> Marked:
    """The answer behind the last mark, and what stands before that mark's sentence.

    Behind a heading, `Answer:`, the answer is all that follows, up to a rationale with a heading of
    its own; behind any other mark it is the rest of the sentence.

    >>> read("Only gravity pulls. So the answer is (e) gravity.\\n\\nQ: What is …")
    Marked(rationale='Only gravity pulls.', answer='gravity')

    Raises:
        ParseError: `schema`, nothing is marked; `truncated`, the answer breaks off; `empty`.
    """
    text = cut(text)
    marks = list(_MARK.finditer(text))
    if not marks:
        raise ParseError("schema", "no answer is marked as such")
    mark = marks.pop()
    while marks and not _END.search(text, marks[-1].end(), mark.start()):
        mark = marks.pop()
    said = text[mark.end() :]
    why = _WHY.search(said)
    rationale = _rationale(text[: mark.start()], bool(mark["so"]))
    if why and not rationale:
        rationale = said[why.end() :].strip()
    return Marked(rationale, _answer(said[: why.start()] if why else said, bool(mark["head"])))


def _answer(said: str, headed: bool) -> str:
    """What follows a mark: its sentence, or all of it where the mark is a heading."""
    if boxed := _BOXED.search(said):
        said = boxed[1]
    said = _behind(_HEAD, said.strip(" \t\r\n*_:"))
    end = _END.search(said)
    if end and not (headed and said[end.end() :].strip()):
        said = said[: end.start()]
    said = _behind(_OPTION, said.strip(" \t\r*_"))
    if not said:
        raise ParseError("empty", "nothing stands behind the mark of the answer")
    if any(said.count(left) > said.count(right) for left, right in _PAIRS):
        raise ParseError("truncated", "the answer breaks off")
    return said


def _rationale(before: str, concluded: bool) -> str:
    """The whole sentences of a text; its last words too if a conclusion was drawn from them."""
    before = _behind(_HEAD, before.lstrip(" \t\r\n*_#"))
    whole = found[0] if (found := _WHOLE.match(before)) else ""
    rest = before[len(whole) :].strip(" \t,;:")
    return (whole + (f" {rest}" if concluded and rest else "")).strip()


def _behind(start: re.Pattern[str], text: str) -> str:
    """The text without such a start."""
    found = start.match(text)
    return text[found.end() :] if found else text
