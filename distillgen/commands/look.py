"""The commands that show what there is, and ask nothing."""

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from distillgen import files, folder, standing
from distillgen.commands.targets import newest
from distillgen.errors import UserError
from distillgen.records import JSON
from distillgen.show import blocks, visible
from distillgen.task import columns, task_beside


def show(target: str, limit: int) -> None:
    """Records in plain text."""

    path = newest(Path(target))
    if not path.is_file():
        raise UserError(f"{target}: nothing to show; give a run folder or a .jsonl file")
    rows = files.rows_of(path)
    for block in blocks(islice(rows, limit or None)):
        print(block, end="\n\n")


def status(run: Path | None, *, as_json: bool) -> None:
    """How runs stand."""
    runs = [run] if run else sorted(p for p in folder.RUNS.glob("*") if folder.is_run(p))
    if run and not folder.is_run(run):
        raise UserError(f"{run}: not a run folder")
    found = [standing.of(path) for path in runs]
    if as_json:
        print(json.dumps({"command": "status", "runs": found}, ensure_ascii=False))
    elif not found:
        print("no runs in ./runs yet; distillgen demo makes one")
    for stand in () if as_json else found:
        print(standing.words(stand))


def trace(id: str, run: Path | None) -> None:
    """The way of one record."""
    from distillgen import trace as way

    runs = [run] if run else sorted(p for p in folder.RUNS.glob("*") if folder.is_run(p))
    for path in runs:
        if lines := way.of(id, path):
            print("\n".join(lines))
            return
    where = ", ".join(str(path) for path in runs) or "./runs"
    raise UserError(f"{id}: neither a record nor a request in {where}; --run names the folder")


def stats(given: Mapping[str, JSON]) -> None:
    """Figures on a set, and what stands out."""
    from distillgen import figures
    from distillgen.stats import of

    path = newest(Path(given["target"]))
    if path.is_dir():
        raise UserError(f"{path}: nothing to measure; give a run folder or a file with questions")
    run = path.parent if str(path) != "-" and folder.is_run(path.parent) else None
    fields = task_beside(path).fields | columns(given["field"] or [])
    found = of(path, run, given["against"], fields)
    if given["as_json"]:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(visible("\n".join(figures.of_stats(found))))
