"""Measure the same job with other tools: `python benchmarks/peers.py distilabel curator`.

2,000 answers at 64 in flight from the benchmarks' own teacher at 50 ms, by each tool that is named,
and by distillgen in the same run. Each tool is installed into an environment of its own (several
hundred MB), in a folder that is removed in the end. What is measured is its process as a whole,
start-up included, and how busy it kept the teacher.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import teacher
from answers import Case, used, write_questions

CASE = Case(2000, 64, 50)
DISTILABEL = """
import json, sys
from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

url, source, in_flight, out = sys.argv[1:]
rows = [json.loads(line) for line in open(source)]
data = [{"instruction": f"{row['user_context']}\\n{row['question']}"} for row in rows]
with Pipeline(name="peer") as pipeline:
    load = LoadDataFromDicts(data=data, batch_size=int(in_flight))
    llm = OpenAILLM(model="bench", base_url=url, api_key="none")
    load >> TextGeneration(llm=llm, input_batch_size=int(in_flight))
if __name__ == "__main__":
    pipeline.run(use_cache=False)["default"]["train"].to_json(out)
"""
CURATOR = """
import json, sys
from bespokelabs import curator

url, source, in_flight, out = sys.argv[1:]
rows = [json.loads(line) for line in open(source)]
prompts = [f"{row['user_context']}\\n{row['question']}" for row in rows]
limits = {"max_requests_per_minute": 10**6, "max_tokens_per_minute": 10**9}
llm = curator.LLM(
    model_name="bench", backend="openai",
    backend_params={"base_url": url, "api_key": "none",
                    "max_concurrent_requests": int(in_flight), **limits},
)
answers = llm(prompts)
getattr(answers, "dataset", answers).to_json(out)
"""
PEERS = {
    # distilabel imports requests and does not ask for it.
    "distilabel": (["distilabel[openai]==1.5.3", "requests"], DISTILABEL),
    "curator": (["bespokelabs-curator==0.1.31"], CURATOR),
}


def measure(name: str, command: list[str], folder: Path, address: str, out: Path) -> None:
    """Run one tool's process and print what it came to."""
    row = used(command[1:], folder, address, CASE.in_flight, python=command[0])
    with out.open("rb") as file:
        there = sum(1 for _ in file)
    print(
        f"{name:<12}{row.wall_s:8.1f} s{row.cpu_s / CASE.answers * 1000:8.2f} CPU-s per 1,000"
        f"{row.peak_mb:7.0f} MB   busy {row.busy:.2f}   {there:,} answers",
        flush=True,
    )


def main() -> None:
    os.environ |= {"OPENAI_API_KEY": "none", "TELEMETRY_ENABLED": "0", "HF_HUB_OFFLINE": "1"}
    for name in sys.argv[1:] or PEERS:
        packages, script = PEERS[name]
        with teacher.running() as address, tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_questions(folder / "questions.jsonl", CASE.answers)
            subprocess.run([sys.executable, "-m", "venv", "env"], cwd=folder, check=True)
            python = str(folder / "env/bin/python")
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
            (folder / "peer.py").write_text(script)
            url = f"{address}/{CASE.latency_ms}/0/0/v1"
            words = ["questions.jsonl", str(CASE.in_flight), "peer.jsonl"]
            os.environ |= {"HOME": temporary, "CURATOR_CACHE_DIR": str(folder / "cache")}
            measure(name, [python, "peer.py", url, *words], folder, address, folder / "peer.jsonl")
            ours = [
                "-m", "distillgen", "answer", "questions.jsonl", "--teacher", "openai:bench",
                "--base-url", url, "--concurrency", str(CASE.in_flight), "-o", "run", "--quiet",
            ]  # fmt: skip
            command = [sys.executable, *ours]
            measure("distillgen", command, folder, address, folder / "run/answers.jsonl")


if __name__ == "__main__":
    main()
