"""The two kinds of error, and the exit code of each.

    Exception
    ├── UserError        what only the user can mend: one line, exit code 2 (or as said)
    └── ParseError       a reply cannot be used; the item becomes a Failure

Anything else is a bug and crashes with its traceback.
"""

from typing import Literal

DONE = 0
"""Done; failed items are within `--max-failed`."""
FEWER = 1
"""Done, but too many items failed, or fewer inputs than asked for."""
USAGE = 2
"""Usage, configuration or input is wrong; nothing was paid."""
BUDGET = 3
"""The budget is used up; what is there is written."""
PROVIDER = 4
"""The provider refuses for good, or cannot be reached."""
STORAGE = 5
"""The disk is full, read-only or failing."""
INTERRUPTED = 130
"""Stopped by Ctrl-C; the same command goes on."""
TERMINATED = 143
"""Stopped by SIGTERM or SIGHUP; the same command goes on."""


class UserError(Exception):
    """Something only the user can mend: *where, what, what to do*, in a line each.

    `code` is the exit code: 2 unless the disk (5) or the provider (4) is at fault.
    """

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code


FailureKind = Literal[
    "bad_json", "schema", "empty", "truncated", "refused", "uncovered", "context_length",
    "too_large", "bad_request", "bad_body", "encoding", "timeout", "connection", "server_error",
    "rate_limited",
]  # fmt: skip
"""Why an item has no result: the first six are seen in a reply, the rest met on the way."""


class ParseError(Exception):
    """A reply came and cannot be used.

    `bad_json`, `schema` and `empty` may come out well at another draw; `truncated`, `refused` and
    `uncovered` (the labels had hardly any probability) would be paid for again to no avail.
    """

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail

    @property
    def another_draw_may_help(self) -> bool:
        return self.kind in ("bad_json", "schema", "empty")
