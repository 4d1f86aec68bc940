"""Answer from a file of replies: to try prompts, formats and folders without a model.

Each line of the file is `{"reply": …}`, with `"when": "words"` if it is to answer only requests
that contain these words. Of the lines that fit, one is picked by the request's seed, so the same
request always gets the same reply. A reply that is not text is sent as JSON.
"""

import json
from pathlib import Path

import orjson

from distillgen.errors import UserError
from distillgen.records import JSON, Request
from distillgen.wire import Form, Reply


class Scripted:
    """A teacher that costs nothing and never leaves the process."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.url = name, "scripted"
        try:
            lines = [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
            self._lines = [(str(line.get("when", "")), line["reply"]) for line in lines]
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f'{path}: each line must be {{"reply": …}} in JSON') from error

    async def start(self) -> None:
        """Nothing to get ready."""

    async def send(self, request: Request, seed: int, form: Form) -> Reply:
        """The reply that fits; 404 when none does."""
        asked = "\n".join(message.content for message in request.messages)
        fitting = [reply for when, reply in self._lines if when in asked]
        if not fitting:
            return Reply(404, {}, b'{"error": {"message": "no scripted reply fits"}}')
        reply: JSON = fitting[seed % len(fitting)]
        text = reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": text},
        }
        usage = {"prompt_tokens": len(asked) // 4, "completion_tokens": len(text) // 4}
        return Reply(
            200, {}, orjson.dumps({"model": "scripted", "choices": [choice], "usage": usage})
        )

    async def close(self) -> None:
        """Nothing to let go of."""

    async def explain(self, status: int, message: str) -> str:
        """Why nothing fits."""
        return f"the scripted teacher cannot answer ({message}); add a line without `when`"
