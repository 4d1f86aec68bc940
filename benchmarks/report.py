"""How long a report of 100,000 records takes, how large it is, and how soon a browser shows it.

    python benchmarks/report.py [RECORDS]

Makes a run with verdicts and scores in a temporary folder, writes its report twice, and opens the
page in headless Chromium, if there is one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent.parent / "tests"
RECORDS = 100_000
WORDS = "The rent is cheap, the loan costs more than bonds bring, and a reserve comes first. " * 6
OPENINGS = 5
MAKE = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from pathlib import Path
from reports import full
full(Path(sys.argv[1]), int(sys.argv[2]), text={WORDS!r})
"""


class Took(NamedTuple):
    """What a process took: of its own, as this one stays small."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def took(*words: object) -> Took:
    """Run Python with these arguments to a good end."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *map(str, words)], stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    kilobytes = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    cpu_s = used.ru_utime + used.ru_stime
    return Took(time.perf_counter() - start, cpu_s, kilobytes / 1024)


def opened(page: Path) -> list[float]:
    """Milliseconds to the page's `load` event, each time in a new window."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        return []
    took = "performance.getEntriesByType('navigation')[0].loadEventStart"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        found = []
        for _ in range(OPENINGS):
            window = browser.new_page()
            window.goto(page.as_uri(), wait_until="load")
            found.append(float(window.evaluate(took)))
            window.close()
        browser.close()
    return found


def main() -> None:
    """Print the figures, a line each."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        took("-c", MAKE, run, n)
        size = sum(path.stat().st_size for path in run.iterdir())
        print(f"{n:,} records, {size / 1e6:,.0f} MB of files")
        report = ("-m", "distillgen", "report", run, "--quiet")
        first, again = took(*report), took(*report)
        print(f"written in {first.wall_s:.1f} s ({first.cpu_s:.1f} CPU-s), {first.peak_mb:.0f} MB")
        print(f"again, nothing changed: {again.wall_s:.1f} s ({again.cpu_s:.1f} CPU-s)")
        page = run / "report.html"
        print(f"the page: {page.stat().st_size / 1e3:,.0f} kB")
        if times := opened(page):
            print(f"in Chromium loaded after {sorted(times)[len(times) // 2]:.0f} ms")


if __name__ == "__main__":
    main()
