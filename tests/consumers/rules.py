"""What hosted services refuse, by their published rules: they have no checker to run.

Written from the services' own pages, apart from the rules that distillgen itself holds rows to.
"""

from collections.abc import Iterator

KEYS = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call"}
ROLES = {"system", "developer", "user", "assistant", "tool", "function"}


def openai_chat(rows: list[dict]) -> Iterator[str]:
    """OpenAI's guide to supervised fine-tuning, and its cookbook (Chat_finetuning_data_prep)."""
    yield from _fewer(rows, 10)
    for row in rows:
        yield from _unknown(row, {"messages", "tools", "parallel_tool_calls"})
        yield from _conversation(row.get("messages"), KEYS)


def openai_dpo(rows: list[dict]) -> Iterator[str]:
    """OpenAI's guide to direct preference optimization."""
    for row in rows:
        yield from _unknown(row, {"input", "preferred_output", "non_preferred_output"})
        yield from _unknown(row["input"], {"messages", "tools", "parallel_tool_calls"})
        yield from _turns(row["input"]["messages"], KEYS)
        if row["input"]["messages"][-1]["role"] == "assistant":
            yield "the question is missing"
        for name in ("preferred_output", "non_preferred_output"):
            said = row.get(name, [])
            if [turn.get("role") for turn in said] != ["assistant"]:
                yield f"{name} is not one turn of the assistant"
            yield from _turns(said, KEYS)


def fireworks(rows: list[dict]) -> Iterator[str]:
    """Fireworks' guides to fine-tuning and to thinking models."""
    yield from _fewer(rows, 3)
    for row in rows:
        yield from _unknown(row, {"messages", "tools"})
        yield from _conversation(row.get("messages"), KEYS | {"reasoning_content"})
        if any(turn["role"] == "system" for turn in row["messages"][1:]):
            yield "a system turn stands first"


def mistral(rows: list[dict]) -> Iterator[str]:
    """mistral-finetune's validation (utils/validate_data.py)."""
    yield from _fewer(rows, 10)
    for row in rows:
        yield from _unknown(row, {"messages", "tools"})
        yield from _conversation(row.get("messages"), KEYS)


def gemini(rows: list[dict]) -> Iterator[str]:
    """Vertex AI's page on preparing data for supervised tuning of Gemini."""
    for row in rows:
        yield from _unknown(row, {"systemInstruction", "contents"})
        yield from _parts(row["contents"], "parts", "model", {"text"})


def bedrock(rows: list[dict]) -> Iterator[str]:
    """Amazon's page on data for distillation in the format bedrock-conversation-2024."""
    for row in rows:
        yield from _unknown(row, {"schemaVersion", "system", "messages"})
        if row.get("schemaVersion") != "bedrock-conversation-2024":
            yield "another schemaVersion"
        yield from _parts(row["messages"], "content", "assistant", {"text", "reasoningContent"})


def _fewer(rows: list[dict], least: int) -> Iterator[str]:
    if len(rows) < least:
        yield f"{len(rows)} rows, {least} are the least"


def _unknown(row: dict, known: set[str]) -> Iterator[str]:
    if extra := row.keys() - known:
        yield f"unknown key {extra}"


def _conversation(turns: list[dict] | None, keys: set[str]) -> Iterator[str]:
    if not turns:
        yield "no turns"
        return
    yield from _turns(turns, keys)
    if turns[-1].get("role") != "assistant":
        yield "the assistant must have the last word"


def _turns(turns: list[dict], keys: set[str]) -> Iterator[str]:
    for turn in turns:
        role, content = turn.get("role"), turn.get("content")
        yield from _unknown(turn, keys)
        if role not in ROLES:
            yield f"unknown role {role}"
        if not (isinstance(content, str) and content.strip()) and not turn.get("tool_calls"):
            yield "no content"
        if "weight" in turn and (role != "assistant" or turn["weight"] not in (0, 1)):
            yield "weight is 0 or 1, on assistants only"


def _parts(turns: list[dict], name: str, student: str, kinds: set[str]) -> Iterator[str]:
    if [turn["role"] for turn in turns] != ["user", student] * (len(turns) // 2):
        yield f"user and {student} must take turns, and the {student} has the last word"
    for turn in turns:
        yield from _unknown(turn, {"role", name})
        for part in turn[name]:
            if not isinstance(part, dict) or len(part) != 1 or part.keys() - kinds:
                yield "a part that is not one of the known kinds"
            elif "text" in part and not part["text"].strip():
                yield "a blank text"
