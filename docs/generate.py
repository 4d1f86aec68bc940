"""Write docs/cli.md and docs/records.md from the code; with --check only compare."""

import ast
import inspect
import sys
from pathlib import Path

import typer

from distillgen import checks, cli, formats, records, strategies

HERE = Path(__file__).parent


def cli_page() -> str:
    """Every command with its options, from the same declarations that `--help` shows."""
    group = typer.main.get_command(cli.app)
    parts = [
        "# Commands",
        "",
        "Made from the code by `make docs`. Each option with a value also has an environment",
        "variable: `--max-cost` is `DISTILLGEN_MAX_COST`. The command line wins over it, it wins",
        "over `[defaults]` in the task file, and that over the built-in default in brackets.",
        "",
        "Exit codes: 0 done · 1 done, but too many items failed, or fewer inputs than asked ·",
        "2 usage, configuration or input is wrong, nothing was paid · 3 the budget is used up ·",
        "4 the provider refuses or cannot be reached · 5 the disk · 130, 143 a signal.",
        "",
    ]
    for name, command in group.commands.items():
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        usage = " ".join((a.metavar or a.name).upper() for a in arguments)
        parts += [f"## distillgen {name} {usage}".rstrip(), "", inspect.cleandoc(command.help), ""]
        rows = [_row(param) for param in command.params if param.param_type_name == "option"]
        if rows:
            parts += ["| option | what it does |", "|---|---|", *rows, ""]
    parts += ["## Formats, strategies and checks", ""]
    parts += [f"- `--format {name}`: {formats.load(name).help}" for name in formats.names()]
    parts += [f"- `--strategy {n}`: {_first_line(strategies.load(n))}" for n in strategies.names()]
    parts += [f"- `--checks {name}`: {checks.load(name).help}" for name in checks.names()]
    return "\n".join(parts) + "\n"


def _first_line(module: object) -> str:
    return (inspect.getdoc(module) or "").splitlines()[0]


def _row(param: typer.core.TyperOption) -> str:
    names = ", ".join(f"`{name}`" for name in [*param.opts, *param.secondary_opts])
    return f"| {names} | {_cell(param.help or '')} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def records_page() -> str:
    """Every record with its fields, from their docstrings."""
    tree = ast.parse(Path(records.__file__).read_text())
    parts = [
        "# Records",
        "",
        "Made from the code by `make docs`. Lines of the JSONL files leave out empty fields.",
        "",
    ]
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name != "Record":
            parts += [f"## {node.name}", "", ast.get_docstring(node) or "", ""]
            parts += ["| field | what it is |", "|---|---|", *_fields(node), ""]
    parts += [inspect.cleandoc(LEDGER), ""]
    return "\n".join(parts)


def _fields(node: ast.ClassDef) -> list[str]:
    rows = []
    for field, text in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            name, kind = ast.unparse(field.target), ast.unparse(field.annotation)
            words = " ".join(inspect.cleandoc(text.value.value).split())
            rows.append(f"| `{name}`: `{_cell(kind)}` | {words} |")
    return rows


LEDGER = """
    ## The ledger

    The screen, the manifest and `--json` give the same counts, and they add up.

    - `expand`, in proposals: `asked + extra = kept + duplicate + template + capped + invalid +
      short + failed + surplus`. `asked` is the number of requests with an outcome, and of places
      that needed no teacher, times the inputs asked for in each; `short` is what was missing from
      short lists, `extra` what came beyond; `capped` were too many of one example; `surplus` came
      after the last input that was wanted, and is there when `-n` grows.
    - `answer`, in inputs: `given = kept + failed + open + rejected`.
    - `topics`, `attributes`, in requests: `given = kept + failed + open`. `leaves` are the concepts
      or values that came of them, `left_out` names that `rejected.jsonl` says the reason of.
    - `export`, in records: `given = kept + rejected`, and `kept = train + validation + test`. A
      record that any format has is kept; `exports` says it of each format, with reasons.

    - `decontaminate`, in records: `given = kept + flagged`; without `--drop` the flagged ones are
      in the file still.
    - `dedupe`, in records: `given = kept + duplicate + template`.
    - `check`, in answers: `given = passed + failed`; `failed` fail one check or more.
    - `judge`, in answers and candidates, `compare`, in records that have two to compare: `given =
      kept + failed + open`.
    - `select`, in records: `given = kept + rejected_by_review + review_conflict + not_judged +
      below_min + check_silent + check_failed + too_near + over_budget`; `pairs`, in questions:
      `given = kept + single + all_right + all_wrong + undecided`. A reason that never applied is
      left out.
    - `review`, in records: `given = accept + edit + reject + conflict + open`.

    `--json` prints one object: `command`, `run`, `counts` (by stage for `run`), `usage`
    (`requests` and tokens of this command), `cost_usd` of this command and `spent_usd` of the run
    folder (null where the price is unknown), `possibly_paid_twice`, `files`, `failures` by kind,
    and `ended`: why each stage ended. `decontaminate` adds `against`: for each test set its `file`,
    its `items`, how many records are `exact`, `ngram`, `paraphrase` and so `flagged`, and the
    cosine of embeddings that counts as the same, `above` (null without any).
    `dedupe` adds the number of `clusters`, `frames`: what was left out of fields, and `bar`: the
    cosine `above` which texts say the same, with the known pairs that it has `found`, and `wrong`.
    `check` adds `checks`: for each check how many `passed`, `failed`, or are `not_applicable`, and
    of the answers `known` to be right or wrong the `precision` and `recall` of passing, and how
    many are `right_if_failed`; `overlap`: how many fail `both` of two checks; `without_failed`:
    what would be left (null where nothing is known).
    `judge` and `compare` add `judge`, the number of `records`, of verdicts on the judge's `own`
    answers, and of `known` truths. `judge` adds `scores` by aspect, `at_threshold` of the rubric,
    and `calibration`: for each bar `by` the lowest score or the mean, `at_least` so high, how many
    known answers `passed`, how many of them are `right`, `precision`, `recall`, and whether it is
    the `best`. `compare` adds how many verdicts are `consistent`, and `inconsistent`; its `known`
    says how often the `right` one was named, and the `wrong` one. `select` adds `compared`: what
    is `selected`, as many at `random`, and all `given`. `pairs` adds `reasons`, and figures on
    `length`. `export` adds `reviewed`: records by what people decided. `review` has no usage; it
    adds `reviewers`, the `estimate` of what is wrong, `kappa` of each two reviewers, the
    `conflicts`, and of `--import` what was `imported` (`given = taken + there + left
    + open + refused`, and `warnings`) and the `problems`.
"""


def main() -> int:
    """0 when the pages are written, or equal to what they would be."""
    stale = 0
    for name, text in (("cli.md", cli_page()), ("records.md", records_page())):
        path = HERE / name
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path}: not what the code says; run: make docs", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
