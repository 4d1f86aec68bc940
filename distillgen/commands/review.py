"""The command of the review page, and of files of decisions."""

import json
import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from distillgen.errors import DONE, FEWER, UserError
from distillgen.inputs import SHOWN
from distillgen.program import program
from distillgen.records import JSON
from distillgen.review import files as exchange
from distillgen.review.desk import Desk, setting
from distillgen.review.opening import FIRST
from distillgen.screen import Screen


def review(given: Mapping[str, JSON]) -> int:
    """The review page, or records out and decisions in; gives the exit code."""
    wanted = setting(given["order"], given["double"], given["random_seed"])
    on_page = not (given["import_from"] or given["export_to"] or given["as_json"])
    desk = Desk(Path(given["run"]), wanted, FIRST if on_page else math.inf)
    told = Screen(quiet=bool(given["quiet"]))
    found: dict[str, JSON] = {"command": "review", "run": str(desk.run), "files": []}
    problems: list[str] = []
    name = given["reviewer"] or ""
    if source := given["import_from"]:
        imported = exchange.take_in(desk, source, name)
        found["imported"], problems = imported.as_json(), imported.problems
        found["problems"] = problems
        left = f"{imported.left:,} left as they were decided before + " if imported.left else ""
        told.say(
            f"{source}: {imported.rows:,} rows = {imported.taken:,} taken + {imported.there:,}"
            f" there already + {left}{imported.open:,} open + {len(problems):,} refused"
        )
        for warning in imported.warnings:
            told.error(f"{source}: {warning}")
        for problem in problems[:SHOWN]:
            told.error(problem)
        if len(problems) > SHOWN:
            told.error(f"… {len(problems) - SHOWN:,} more; --json lists them all")
    if out := given["export_to"]:
        n = exchange.export(desk, out, name, overwrite=given["overwrite"])
        found["files"] = [str(out)]
        told.say(f"{out}: {n:,} records; distillgen review {desk.run} --import {out} brings back"
                 " what was decided")  # fmt: skip
        if out.suffix.lower() == ".csv":
            told.say("spreadsheets respell the numbers and dates of a .csv; an .xlsx keeps them")
    if on_page:
        return _reviewed(desk, given, told)
    summary = desk.summary()
    for line in desk.words():
        told.say(line)
    if given["as_json"]:
        print(json.dumps(found | summary, ensure_ascii=False))
    return FEWER if problems else DONE


def _reviewed(desk: Desk, given: Mapping[str, JSON], told: Screen) -> int:
    """Serve the page until Ctrl-C."""
    try:
        server = import_module("distillgen.review.server")
    except ImportError as error:
        raise UserError(
            "the page needs packages: pip install 'distillgen[review]'; --export and --import do"
            " without"
        ) from error
    page = server.Server(
        desk, given["host"] or server.HERE, given["port"], remote=given["remote"],
        reviewer=given["reviewer"] or "",
    )  # fmt: skip
    before = len(desk.decisions)
    print(page.address, flush=True)
    opened = not given["no_browser"] and page.open()
    told.say("opened in your browser" if opened else "open this address in your browser")
    if page.remote:
        told.error(server.BEYOND)
    for line in ["the rest is read while you begin"] if desk.pile.partial else desk.words():
        told.say(line)
    told.say(f"Each decision is saved at once in {desk.decisions.path}. Ctrl-C ends.")
    code: int = page.run()
    desk.decisions.refresh()
    saved = len(desk.decisions) - before
    decisions = "decision" if saved == 1 else "decisions"
    told.say(f"saved {saved:,} {decisions}. Next: {program()} export {desk.run}     (leaves out the"
             " rejected, takes the edits)")  # fmt: skip
    return code
