"""How long a report of 100,000 records takes, how large it is, and how soon a browser shows it.

    python benchmarks/report.py [RECORDS]

Makes a run with verdicts and scores in a temporary folder, writes its report twice, and opens the
page in headless Chromium, if there is one.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
RECORDS = 100_000
WORDS = "The rent is cheap, the loan costs more than bonds bring, and a reserve comes first. " * 6
OPENINGS = 5


def write(run: Path) -> float:
    """Seconds that the command takes, in a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "distillgen", "report", str(run), "--quiet"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


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
    from reports import full

    n = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory() as folder:
        run = full(Path(folder) / "run", n, text=WORDS)
        size = sum(path.stat().st_size for path in run.iterdir())
        print(f"{n:,} records, {size / 1e6:,.0f} MB of files")
        first = write(run)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"written in {first:.1f} s, at most {peak:.0f} MB of memory")
        print(f"asked for again, nothing changed: {write(run):.1f} s")
        page = run / "report.html"
        print(f"the page: {page.stat().st_size / 1e3:,.0f} kB")
        if times := opened(page):
            print(f"in Chromium loaded after {sorted(times)[len(times) // 2]:.0f} ms")


if __name__ == "__main__":
    main()
