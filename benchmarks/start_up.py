"""Measure what it costs to start distillgen, beside `import openai` in the same run.

CPU-seconds (user and system) of whole processes, the median of ten; the commands take turns, so
that a busy moment meets them all alike. The limit for `distillgen --help` is 0.35.
"""

import os
import statistics
import subprocess
import sys

ROUNDS = 10
COMMANDS = {
    "distillgen --help": ["-m", "distillgen", "--help"],
    "distillgen --version": ["-m", "distillgen", "--version"],
    "import openai": ["-c", "import openai"],
    "import nothing": ["-c", ""],
}


def cpu_s(words: list[str]) -> float:
    """CPU-seconds of one Python process."""
    child = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(words)} ended with exit code {child.returncode}")
    return used.ru_utime + used.ru_stime


def main() -> None:
    for words in COMMANDS.values():
        cpu_s(words)  # writes bytecode
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, words in COMMANDS.items():
            taken[name].append(cpu_s(words))
    whole = statistics.median(taken["import openai"])
    print(f"{'start-up':<22}{'CPU-seconds':>12}{'of import openai':>18}")
    for name, seconds in taken.items():
        middle = statistics.median(seconds)
        print(f"{name:<22}{middle:>12.2f}{middle / whole:>17.0%}")


if __name__ == "__main__":
    main()
