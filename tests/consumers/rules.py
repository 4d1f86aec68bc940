"""What hosted services refuse, by their published rules: they have no checker to run."""

from collections.abc import Iterator

MIN_ROWS = 10
"""Of OpenAI's supervised fine-tuning guide, and of mistral-finetune's validation."""
ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
KEYS = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call"}


def openai_chat(rows: list[dict]) -> Iterator[str]:
    """What OpenAI's guide and cookbook (Chat_finetuning_data_prep) find wrong in a file."""
    if len(rows) < MIN_ROWS:
        yield f"{len(rows)} rows, at least {MIN_ROWS} are wanted"
    for row in rows:
        if extra := row.keys() - {"messages", "tools", "parallel_tool_calls"}:
            yield f"unknown column {extra}"
        messages = row.get("messages")
        if not isinstance(messages, list) or not messages:
            yield "no messages"
            continue
        yield from _turns(messages)
        if messages[-1].get("role") != "assistant":
            yield "the assistant must have the last word"


def _turns(messages: list[dict]) -> Iterator[str]:
    for message in messages:
        role, content = message.get("role"), message.get("content")
        if extra := message.keys() - KEYS:
            yield f"unknown key {extra}"
        if role not in ROLES:
            yield f"unknown role {role}"
        if not (isinstance(content, str) and content.strip()) and not message.get("tool_calls"):
            yield "no content"
        if "weight" in message and (role != "assistant" or message["weight"] not in (0, 1)):
            yield "weight is 0 or 1, on assistants only"
