"""Walk the lines of a file in any order, in 8 bytes a line."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from distillgen.errors import UserError

T = TypeVar("T")


class Lines(Generic[T]):
    """The lines of a file that hold something, as `parse` reads them."""

    def __init__(self, path: Path, parse: Callable[[bytes], T]) -> None:
        """Walks the file once, to know where its lines begin."""
        self._path, self._parse = path, parse
        self._starts = array("Q")
        start = 0
        with path.open("rb") as file:
            for line in file:
                if line.strip() and (line.endswith(b"\n") or self._is_whole(line)):
                    self._starts.append(start)
                start += len(line)

    def _is_whole(self, last: bytes) -> bool:
        """A last line that is cut off is no line; `files.read_lines` warns of it."""
        try:
            self._parse(last.strip())
        except ValueError:
            return False
        return True

    def __len__(self) -> int:
        return len(self._starts)

    def at(self, places: Iterable[int]) -> Iterator[T]:
        """The lines at these places, from 0.

        Raises:
            UserError: one cannot be read.
        """
        with self._path.open("rb") as file:
            for place in places:
                file.seek(self._starts[place])
                try:
                    yield self._parse(file.readline().strip())
                except ValueError as error:
                    raise UserError(f"{self._path}: {error}; mend or remove it") from error
