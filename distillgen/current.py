"""Hold pairs against the records that are exported: what is outdated, and what is asked now."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from itertools import product

from distillgen.formats import LeftOut
from distillgen.records import Answer, Preference, digest
from distillgen.review import texts


class Current:
    """What the records say. Takes 8 bytes for each of their answers and candidates, and keeps the
    prompts that people changed."""

    def __init__(self) -> None:
        self._said = array("Q")
        self._prompts: dict[str, dict[str, str]] = {}

    def add(self, given: Answer, taken: Answer) -> None:
        """A record as it stands in the file, and with the texts that people want in it."""
        known = [texts.texts(given), texts.texts(taken), texts.taught(given)]
        prompts = {(one["user_context"], one["question"]) for one in known}
        said = {(one["rationale"], one["label"] or one["answer"]) for one in known}
        said |= {(one.rationale, one.label or one.answer) for one in given.candidates}
        self._said.extend(_key(*prompt, *one) for prompt, one in product(prompts, said))
        prompt = {"user_context": taken.user_context, "question": taken.question}
        if prompt.items() - texts.texts(given).items():
            self._prompts[given.id] = prompt

    def all_added(self) -> None:
        """Comes before the first pair."""
        self._said = array("Q", sorted(self._said))

    def renewed(self, pair: Preference) -> Preference:
        """The pair, with the prompt that a person put in place of the old one.

        Raises:
            LeftOut: `outdated`, no record says what one of its sides says.
        """
        for side in (pair.chosen, pair.rejected):
            key = _key(pair.user_context, pair.question, side.rationale, side.answer)
            place = bisect_left(self._said, key)
            if self._said[place : place + 1] != array("Q", [key]):
                raise LeftOut("outdated")
        prompt: Mapping[str, str] = self._prompts.get(pair.chosen.id, {})
        return pair.model_copy(update=prompt) if prompt else pair


def _key(*said: str) -> int:
    return int(digest([text.strip() for text in said])[:16], 16)
