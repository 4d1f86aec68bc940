"""A clock that jumps: by a day, there and back, while a run is at work."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from conftest import ended
from jobs import questions, sent_again, teacher


def test_a_clock_that_jumps_changes_nothing(cli, server, tmp_path):
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    now = tmp_path / "now"
    now.write_text("+0")
    env = {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(now), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    server.set(latency_s=0.05, slow_every=10, retry_after="0.2")
    command = ["answer", questions(tmp_path / "mine.jsonl", 160), "-o", "run", "--json",
               "--concurrency", 4, *teacher(server)]  # fmt: skip
    started = time.monotonic()
    process = cli.start(*command, **env)
    for jump, enough in (("+1d", 20), ("-1d", 60), ("+3600", 100), ("+0", 130)):
        while len(server.asked) < enough and process.poll() is None:
            time.sleep(0.01)
        now.write_text(jump)
    ran = ended(process)
    assert ran.told["counts"]["kept"] == 160
    assert ran.told["possibly_paid_twice"] == 0
    assert sent_again(server.asked) <= 160 // 9, "only what met a 429 went out again"
    assert time.monotonic() - started < 100
    with closing(sqlite3.connect(tmp_path / "run/journal.sqlite")) as journal:
        (hours,) = journal.execute("SELECT (MAX(sent) - MIN(sent)) / 3600 FROM attempt").fetchone()
    assert hours > 23, "it was this run's clock that jumped"
