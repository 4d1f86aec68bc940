"""Tell how a run stands: what is done, open and failed, what it cost, who works in it."""

import fcntl
import os
from pathlib import Path

from distillgen.folder import read_manifest
from distillgen.prices import NANO, dollars
from distillgen.records import JSON
from distillgen.stored import Stored


def of(path: Path) -> dict[str, JSON]:
    """How the run in a folder stands; reads only, also while another process works in it."""
    manifest = read_manifest(path)
    found: dict[str, JSON] = {
        "run": str(path),
        "working_pid": _worker(path / "lock"),
        "commands": {
            name: {
                "started": entry.started, "finished": entry.finished, "ended": entry.ended,
                "counts": entry.counts, "source": entry.source,
            }
            for name, entry in manifest.commands.items()
        },
    }  # fmt: skip
    if not (path / "journal.sqlite").exists():
        return found | {"requests": {"answered": 0, "failed": 0, "open": 0, "in_flight": 0}}
    journal = Stored(path / "journal.sqlite")
    spent = journal.spent()
    found["requests"] = journal.states() | {"in_flight": journal.in_flight()}
    found["spent_usd"] = None if spent.unpriced else spent.cost / NANO
    found["possibly_paid_twice"] = spent.unknown
    journal.close()
    return found


def words(stand: dict[str, JSON]) -> str:
    """The same for people, a few lines."""
    requests, name = stand["requests"], stand["run"]
    lines = []
    for command, entry in stand["commands"].items():
        counts = ", ".join(f"{n:,} {what}" for what, n in entry["counts"].items() if n)
        if entry["finished"]:
            state = f"{entry['ended'] or 'stopped'} {entry['finished'][:16].replace('T', ' ')}"
        else:
            state = "at work" if stand["working_pid"] else "broken off; the same command goes on"
        lines.append(f"{command:<8} {state}   {counts}".rstrip())
    line = f"{requests['answered']:,} answered, {requests['failed']:,} failed"
    line += f", {requests['open']:,} open, {requests['in_flight']:,} in flight"
    if stand.get("spent_usd"):
        line += f"; {dollars(round(stand['spent_usd'] * NANO))} spent"
    if stand["working_pid"]:
        line += f"; process {stand['working_pid']} works in it"
    return "\n".join([f"{name}", *(f"  {one}" for one in [*lines, f"requests {line}"])])


def _worker(lock: Path) -> int | None:
    """The process that holds a run folder; None when nobody does."""
    if not lock.exists():
        return None
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return int(file.read(20) or b"0") or os.getpid()
        fcntl.flock(file, fcntl.LOCK_UN)
    return None
