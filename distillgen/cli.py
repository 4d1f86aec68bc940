"""Read the command line, do one thing in a run folder, and say what came of it."""

import os
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from distillgen import options as o
from distillgen.errors import UserError
from distillgen.help import Groups, Panels

app = typer.Typer(
    name="distillgen",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=Groups,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

START, MAKE, LOOK, TRUST, DELIVER = "Start", "Make", "Look", "Trust", "Deliver"

OVERVIEW = """\
distillgen makes fine-tuning data: from a few questions of yours, many; to each,
an answer and a rationale of a strong model.

  distillgen demo                     see it work, no key (fetches 1.1 GB once)
  distillgen init NAME                lay out seeds and prompts to edit
  distillgen run seeds/NAME.jsonl --teacher openai:MODEL

All commands: distillgen --help"""

Target = Annotated[str, typer.Argument(help="A run folder, or a file.")]


def main() -> None:
    """The console script."""
    warnings.formatwarning = lambda message, *_, **__: f"{message}\n"
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except UserError as error:
        from distillgen.show import visible

        print(visible(str(error)), file=sys.stderr)
        sys.exit(error.code)
    except BrokenPipeError:  # nobody reads on, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


@app.callback(invoke_without_command=True)
def overview(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Make fine-tuning data: from a few questions, many; to each, an answer and a rationale."""
    if version:
        from distillgen import __version__

        print(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(OVERVIEW)


@app.command(cls=Panels, rich_help_panel=START)
def demo(out: o.Out = None, teacher: o.Teacher = None, quiet: o.Quiet = False) -> None:
    """Go the whole way once with the embedded teacher, 12 pairs; needs no key.

    Fetches the teacher's weights (1.1 GB) at first use; run again, it asks nothing.
    """
    from distillgen.commands import make

    make.demo(out, teacher, quiet=quiet)


@app.command(cls=Panels, rich_help_panel=START)
def init(
    name: Annotated[str, typer.Argument(help="Name of the task, such as bike_help.")],
    csv: Annotated[bool, typer.Option("--csv", help="A table instead of JSON lines.")] = False,
) -> None:
    """Lay out a seeds file, a task file and copies of the prompts, to edit.

    Writes over nothing. Example: distillgen init bike_help --csv
    """
    from distillgen.commands import make

    make.init(name, csv=csv)


@app.command(cls=Panels, rich_help_panel=START)
def run(
    seeds: Annotated[str, typer.Argument(help="Hand-written seeds: JSONL, CSV or Parquet.")],
    n: o.N = None,
    format: o.Format = None,
    rationale: o.Rationale = None,
    teacher: o.Teachers = None,
    escalate: o.Escalate = None,
    base_url: o.BaseUrl = None,
    server: o.Server = None,
    vision: o.Vision = False,
    temperature: o.Temperature = None,
    top_p: o.TopP = None,
    max_tokens: o.MaxTokens = None,
    threads: o.Threads = None,
    prompts: o.Prompts = None,
    max_cost: o.MaxCost = None,
    price_in: o.PriceIn = None,
    price_out: o.PriceOut = None,
    dry_run: o.DryRun = False,
    concurrency: o.Concurrency = None,
    rpm: o.Rpm = None,
    tpm: o.Tpm = None,
    timeout: o.Timeout = None,
    resample: o.Resample = None,
    samples: o.Samples = None,
    combine: o.Combine = None,
    soft: o.Soft = None,
    smooth: o.Smooth = None,
    style: o.Style = None,
    rationalize: o.Rationalize = False,
    refine: o.Refine = None,
    strategy: o.Strategy = None,
    operations: o.Operations = None,
    generations: o.Generations = None,
    per_parent: o.PerParent = None,
    topics: o.Topics = None,
    attributes: o.Attributes = None,
    images: o.Images = None,
    per_call: o.PerCall = None,
    shots: o.Shots = None,
    human_shots: o.HumanShots = None,
    patience: o.Patience = None,
    max_requests: o.MaxRequests = None,
    max_failed: o.MaxFailed = None,
    random_seed: o.RandomSeed = None,
    reuse: o.Reuse = None,
    field: o.Field = None,
    split: o.Split = None,
    layout: o.Layout = None,
    preset: o.Preset = None,
    system: o.System = None,
    license: o.License = None,
    soft_temperature: o.SoftTemperature = None,
    hard_weight: o.HardWeight = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Expand the seeds, answer each input, check, export for a trainer: the whole way.

    Run again, it goes on where it stopped; a larger -n pays only for what is new.
    Example: distillgen run seeds/stock_advisor.jsonl -n 500 --teacher openai:MODEL
    """
    given = dict(locals())
    from distillgen.commands import make

    make.run(given)


@app.command(cls=Panels, rich_help_panel=MAKE)
def expand(
    seeds: Annotated[str, typer.Argument(help="Hand-written seeds: JSONL, CSV or Parquet.")],
    n: o.N = None,
    teacher: o.Teacher = None,
    base_url: o.BaseUrl = None,
    server: o.Server = None,
    vision: o.Vision = False,
    temperature: o.Temperature = None,
    top_p: o.TopP = None,
    max_tokens: o.MaxTokens = None,
    threads: o.Threads = None,
    prompts: o.Prompts = None,
    max_cost: o.MaxCost = None,
    price_in: o.PriceIn = None,
    price_out: o.PriceOut = None,
    dry_run: o.DryRun = False,
    concurrency: o.Concurrency = None,
    rpm: o.Rpm = None,
    tpm: o.Tpm = None,
    timeout: o.Timeout = None,
    resample: o.Resample = None,
    strategy: o.Strategy = None,
    operations: o.Operations = None,
    generations: o.Generations = None,
    per_parent: o.PerParent = None,
    topics: o.Topics = None,
    attributes: o.Attributes = None,
    images: o.Images = None,
    per_call: o.PerCall = None,
    shots: o.Shots = None,
    human_shots: o.HumanShots = None,
    patience: o.Patience = None,
    max_requests: o.MaxRequests = None,
    random_seed: o.RandomSeed = None,
    reuse: o.Reuse = None,
    field: o.Field = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Grow a few seeds into many distinct inputs.

    Writes inputs.jsonl. Run again, it asks nothing that was asked; the first lines stay the same
    with a larger -n.
    Example: distillgen expand seeds/stock_advisor.jsonl -n 500 --teacher openai:MODEL
    """
    given = dict(locals())
    from distillgen.commands import make

    make.expand(given)


@app.command(cls=Panels, rich_help_panel=MAKE)
def topics(
    seeds: Annotated[str, typer.Argument(help="Hand-written seeds: JSONL, CSV or Parquet.")],
    teacher: o.Teacher = None,
    base_url: o.BaseUrl = None,
    server: o.Server = None,
    temperature: o.Temperature = None,
    top_p: o.TopP = None,
    max_tokens: o.MaxTokens = None,
    threads: o.Threads = None,
    prompts: o.Prompts = None,
    max_cost: o.MaxCost = None,
    price_in: o.PriceIn = None,
    price_out: o.PriceOut = None,
    dry_run: o.DryRun = False,
    concurrency: o.Concurrency = None,
    rpm: o.Rpm = None,
    tpm: o.Tpm = None,
    timeout: o.Timeout = None,
    resample: o.Resample = None,
    max_failed: o.MaxFailed = None,
    random_seed: o.RandomSeed = None,
    reuse: o.Reuse = None,
    field: o.Field = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Draft the topics of the field as a tree to edit.

    Writes topics.toml: disciplines, subjects, sessions, concepts. Prune it; expand then covers
    all of it. Run again, it asks only what is open, and never writes over your changes.
    Example: distillgen topics seeds/stock_advisor.jsonl --teacher openai:MODEL
    """
    given = dict(locals())
    from distillgen.commands import make

    make.draft("topics", given)


@app.command(cls=Panels, rich_help_panel=MAKE)
def attributes(
    seeds: Annotated[str, typer.Argument(help="Hand-written seeds: JSONL, CSV or Parquet.")],
    teacher: o.Teacher = None,
    base_url: o.BaseUrl = None,
    server: o.Server = None,
    temperature: o.Temperature = None,
    top_p: o.TopP = None,
    max_tokens: o.MaxTokens = None,
    threads: o.Threads = None,
    prompts: o.Prompts = None,
    max_cost: o.MaxCost = None,
    price_in: o.PriceIn = None,
    price_out: o.PriceOut = None,
    dry_run: o.DryRun = False,
    concurrency: o.Concurrency = None,
    rpm: o.Rpm = None,
    tpm: o.Tpm = None,
    timeout: o.Timeout = None,
    resample: o.Resample = None,
    max_failed: o.MaxFailed = None,
    random_seed: o.RandomSeed = None,
    reuse: o.Reuse = None,
    field: o.Field = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Draft what inputs differ in, as a file to edit.

    Writes attributes.toml: attributes with their values, of which expand then draws some for each
    input. Run again, it asks nothing, and never writes over your changes.
    Example: distillgen attributes seeds/stock_advisor.jsonl --teacher openai:MODEL
    """
    given = dict(locals())
    from distillgen.commands import make

    make.draft("attributes", given)


@app.command(cls=Panels, rich_help_panel=MAKE)
def answer(
    inputs: Annotated[
        str, typer.Argument(help="A run folder, or questions as JSONL, CSV, Parquet; - is stdin.")
    ],
    limit: o.Limit = None,
    samples: o.Samples = None,
    combine: o.Combine = None,
    labels: o.Labels = None,
    soft: o.Soft = None,
    smooth: o.Smooth = None,
    style: o.Style = None,
    rationalize: o.Rationalize = False,
    refine: o.Refine = None,
    reuse: o.Reuse = None,
    teacher: o.Teachers = None,
    escalate: o.Escalate = None,
    base_url: o.BaseUrl = None,
    server: o.Server = None,
    vision: o.Vision = False,
    temperature: o.Temperature = None,
    top_p: o.TopP = None,
    max_tokens: o.MaxTokens = None,
    threads: o.Threads = None,
    prompts: o.Prompts = None,
    max_cost: o.MaxCost = None,
    price_in: o.PriceIn = None,
    price_out: o.PriceOut = None,
    dry_run: o.DryRun = False,
    concurrency: o.Concurrency = None,
    rpm: o.Rpm = None,
    tpm: o.Tpm = None,
    timeout: o.Timeout = None,
    resample: o.Resample = None,
    max_failed: o.MaxFailed = None,
    field: o.Field = None,
    skip_invalid: o.SkipInvalid = False,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Answer every input, with a rationale.

    Writes answers.jsonl. Takes what expand wrote, or any file with questions. Run again, it asks
    only what is open; with more --samples or another --teacher only what is new.
    Example: distillgen answer questions.csv --field question=body --limit 50
    """
    given = dict(locals())
    from distillgen.commands import make

    make.answer(given)


@app.command(cls=Panels, rich_help_panel=MAKE)
def retry(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only failures of this kind; again for more.")
    ] = None,
    teacher: o.Teacher = None,
    base_url: o.BaseUrl = None,
    max_tokens: o.MaxTokens = None,
    max_cost: o.MaxCost = None,
    concurrency: o.Concurrency = None,
    timeout: o.Timeout = None,
    dry_run: o.DryRun = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Ask again for the answers that failed.

    Takes the options of the last answer command. Failed requests of expand are left alone: expand
    has made up for them. Example: distillgen retry runs/stock_advisor
    """
    given = dict(locals())
    from distillgen.commands import make

    make.retry(given)


@app.command(cls=Panels, rich_help_panel=LOOK)
def show(
    target: Target,
    limit: Annotated[int, typer.Option("--limit", help="So many records; 0 for all.")] = 20,
) -> None:
    """Read inputs, answers or exported rows in plain text.

    Of a run folder the answers are shown, or the inputs while there are none.
    """
    from distillgen.commands import look

    look.show(target, limit)


@app.command(cls=Panels, rich_help_panel=LOOK)
def status(
    run: Annotated[Path | None, typer.Argument(help="A run folder; all in ./runs if none.")] = None,
    as_json: o.Json = False,
) -> None:
    """Tell how runs stand: done, open, failed, spent.

    Also while one is at work.
    """
    from distillgen.commands import look

    look.status(run, as_json=as_json)


@app.command(cls=Panels, rich_help_panel=LOOK)
def trace(
    id: Annotated[str, typer.Argument(help="Id of a record, or the first digits of a request.")],
    run: Annotated[
        Path | None, typer.Option("--run", help="The run folder [found in ./runs].")
    ] = None,
) -> None:
    """Tell the way of one record.

    The prompt as sent, the raw reply, what was read of it, and its fate.
    """
    from distillgen.commands import look

    look.trace(id, run)


@app.command(cls=Panels, rich_help_panel=LOOK)
def report(
    runs: Annotated[list[Path], typer.Argument(help="A run folder, or two to compare.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The page to write [RUN/report.html].")
    ] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write a page that tells a stranger what a run holds.

    One HTML file that loads nothing: figures, charts, warnings, and records to read. Of two runs it
    goes to A/report-vs-B.html, and names what differs. Run again, it is written anew only where
    something changed. Charts need pip install 'distillgen[report]'.
    Example: distillgen report runs/stock_advisor
    """
    given = dict(locals())
    from distillgen.commands import report

    report.report(given)


@app.command(cls=Panels, rich_help_panel=LOOK)
def stats(
    target: Annotated[
        str, typer.Argument(help="A run folder, or JSONL, CSV, Parquet; - is stdin.")
    ],
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Seeds to compare with [those of the run]."),
    ] = None,
    field: o.Field = None,
    as_json: o.Json = False,
) -> None:
    """Measure how varied, near to the seeds, and damaged a set is.

    Figures on 200 texts of each field, always the same; asks nothing and changes nothing.
    Example: distillgen stats runs/stock_advisor
    """
    given = dict(locals())
    from distillgen.commands import look

    look.stats(given)


@app.command(cls=Panels, rich_help_panel=TRUST)
def seeds(
    seeds: Annotated[str, typer.Argument(help="Hand-written seeds: JSONL, CSV or Parquet.")],
    holdout: Annotated[
        float | None,
        typer.Option("--holdout", help="Share to keep from the teacher, such as 0.2 [none]."),
    ] = None,
    field: o.Field = None,
    as_json: o.Json = False,
) -> None:
    """Check seeds before money is spent, and hold a part out.

    Says what to mend; warnings only. With --holdout it writes NAME.holdout.jsonl, which the
    teacher never sees, and NAME.rest.jsonl beside the seeds; run again, the same.
    Example: distillgen seeds seeds/stock_advisor.jsonl --holdout 0.2
    """
    given = dict(locals())
    from distillgen.commands import trust

    trust.seeds(given)


@app.command(cls=Panels, rich_help_panel=TRUST)
def check(
    file: Target,
    checks: o.Checks = None,
    labels: o.Labels = None,
    field: o.Field = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Check answers without a teacher, and say which check to trust on them.

    Writes checks.jsonl, a line an answer; nothing is taken away. Where the right answer (gold) or
    a person's review is known, it says how often what passes is right. Run again, it does the same.
    Example: distillgen check runs/stock_advisor --checks arithmetic,grounded
    """
    given = dict(locals())
    from distillgen.commands import trust

    trust.check(given)


@app.command(cls=Panels, rich_help_panel=TRUST)
def review(
    run: Target,
    order: o.Order = None,
    double: o.Double = None,
    random_seed: o.RandomSeed = None,
    reviewer: o.Reviewer = None,
    host: o.Host = None,
    port: o.Port = None,
    remote: o.Remote = False,
    no_browser: o.NoBrowser = False,
    export_to: o.ExportFile = None,
    import_from: o.ImportFile = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Check and mend the records on a page in your browser, one at a time.

    Each decision is in reviews.jsonl at once; the answers stay as they are. export, select, pairs
    and check go by what you decide. Run again, it goes on where it stopped. With --export, --import
    or --json no page is opened: records go out as a table and decisions come back.
    Example: distillgen review runs/stock_advisor
    """
    given = dict(locals())
    from distillgen.commands import review

    raise typer.Exit(review.review(given))


@app.command(cls=Panels, rich_help_panel=TRUST)
def decontaminate(
    file: Target,
    against: o.Against,
    more: Annotated[
        list[str] | None, typer.Argument(help="Further test sets, as the shell spells *.jsonl.")
    ] = None,
    embeddings: o.Embeddings = None,
    base_url: o.BaseUrl = None,
    server: o.Server = None,
    threads: o.Threads = None,
    max_cost: o.MaxCost = None,
    price_in: o.PriceIn = None,
    price_out: o.PriceOut = None,
    concurrency: o.Concurrency = None,
    rpm: o.Rpm = None,
    tpm: o.Tpm = None,
    timeout: o.Timeout = None,
    reuse: o.Reuse = None,
    field: o.Field = None,
    drop: o.Drop = False,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Flag the records that give a test set away, with the evidence.

    Finds copies, parts and paraphrases; with --embeddings more paraphrases, where there are no
    numbers to go by. Writes contaminated.jsonl; with --drop decontaminated.jsonl too, the file
    without those records. The file itself stays. Of a run folder the answers are taken, or the
    inputs while there are none.
    Example: distillgen decontaminate runs/stock_advisor --against test.csv --field question=body
    """
    given = dict(locals())
    from distillgen.commands import trust

    trust.decontaminate(given)


@app.command(cls=Panels, rich_help_panel=TRUST)
def dedupe(
    file: Target,
    on: o.On = None,
    embeddings: o.Embeddings = None,
    base_url: o.BaseUrl = None,
    server: o.Server = None,
    threads: o.Threads = None,
    max_cost: o.MaxCost = None,
    price_in: o.PriceIn = None,
    price_out: o.PriceOut = None,
    concurrency: o.Concurrency = None,
    rpm: o.Rpm = None,
    tpm: o.Tpm = None,
    timeout: o.Timeout = None,
    reuse: o.Reuse = None,
    field: o.Field = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Leave out the records that repeat others, and say which.

    The rule of expand, on any file. Writes deduped.jsonl, duplicates.jsonl and clusters.jsonl; the
    file itself stays. With --embeddings also in other words, where words and vectors agree. Run
    again, it asks for no vector twice. Of a run folder the answers are taken, or the inputs while
    there are none.
    Example: distillgen dedupe questions.csv --field question=body --on question
    """
    given = dict(locals())
    from distillgen.commands import trust

    trust.dedupe(given)


@app.command(cls=Panels, rich_help_panel=TRUST)
def judge(
    file: o.Answered,
    teacher: o.Teacher = None,
    rubric: o.Rubric = None,
    candidates: o.Candidates = False,
    limit: o.Limit = None,
    reuse: o.Reuse = None,
    base_url: o.BaseUrl = None,
    server: o.Server = None,
    temperature: o.Temperature = None,
    top_p: o.TopP = None,
    max_tokens: o.MaxTokens = None,
    threads: o.Threads = None,
    prompts: o.Prompts = None,
    max_cost: o.MaxCost = None,
    price_in: o.PriceIn = None,
    price_out: o.PriceOut = None,
    dry_run: o.DryRun = False,
    concurrency: o.Concurrency = None,
    rpm: o.Rpm = None,
    tpm: o.Tpm = None,
    timeout: o.Timeout = None,
    resample: o.Resample = None,
    max_failed: o.MaxFailed = None,
    field: o.Field = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Have a judge score every answer by a rubric.

    Writes scores.jsonl: an analysis, then 1 to 5 for each aspect. Where the right answer or a
    reviewer's decision is known, says how far the scores can be trusted. The judge is a teacher of
    your choice, best another than the one that answered. Run again, it asks only what is open.
    Example: distillgen judge runs/stock_advisor --teacher openai:MODEL
    """
    given = dict(locals())
    from distillgen.commands import trust

    trust.judge("judge", given)


@app.command(cls=Panels, rich_help_panel=TRUST)
def compare(
    file: o.Answered,
    teacher: o.Teacher = None,
    rubric: o.Rubric = None,
    limit: o.Limit = None,
    reuse: o.Reuse = None,
    base_url: o.BaseUrl = None,
    server: o.Server = None,
    temperature: o.Temperature = None,
    top_p: o.TopP = None,
    max_tokens: o.MaxTokens = None,
    threads: o.Threads = None,
    prompts: o.Prompts = None,
    max_cost: o.MaxCost = None,
    price_in: o.PriceIn = None,
    price_out: o.PriceOut = None,
    dry_run: o.DryRun = False,
    concurrency: o.Concurrency = None,
    rpm: o.Rpm = None,
    tpm: o.Tpm = None,
    timeout: o.Timeout = None,
    resample: o.Resample = None,
    max_failed: o.MaxFailed = None,
    field: o.Field = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Have a judge compare two candidates of each record, in both orders.

    Writes comparisons.jsonl; only what is said in both orders counts. Takes the first candidate and
    the first that comes to another answer. Run again, it asks only what is open.
    Example: distillgen compare runs/stock_advisor --teacher openai:MODEL
    """
    given = dict(locals())
    from distillgen.commands import trust

    trust.judge("compare", given)


@app.command(cls=Panels, rich_help_panel=DELIVER)
def select(
    file: o.Answered,
    budget: o.Budget = None,
    min: o.Min = None,
    require: o.Require = None,
    compare: o.Compare = None,
    random_seed: o.RandomSeed = None,
    field: o.Field = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Choose the best answers that are not too alike, and say why the others are out.

    Writes selected.jsonl, and excluded.jsonl with a reason a line. Goes by what judge and check
    said, by votes, and by what answers repeat each other; shows what as many drawn at random would
    hold. Asks nothing.
    Example: distillgen select runs/stock_advisor --budget 1000 --min 4
    """
    given = dict(locals())
    from distillgen.commands import deliver

    deliver.select(given)


@app.command(cls=Panels, rich_help_panel=DELIVER)
def pairs(
    file: o.Answered,
    margin: o.Margin = None,
    field: o.Field = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Pair a better and a worse answer to each question, for preference training.

    Writes pairs.jsonl. A right answer against a wrong one where the truth is known, else by the
    scores of judge --candidates, else by compare. Says whether length alone tells the better one.
    Asks nothing.
    Example: distillgen pairs runs/stock_advisor
    """
    given = dict(locals())
    from distillgen.commands import deliver

    deliver.pairs(given)


@app.command(cls=Panels, rich_help_panel=DELIVER)
def export(
    run: Target,
    format: o.Format = None,
    rationale: o.Rationale = None,
    split: o.Split = None,
    seeds_for_test: o.SeedsForTest = False,
    layout: o.Layout = None,
    preset: o.Preset = None,
    label_weight: o.LabelWeight = None,
    soft_temperature: o.SoftTemperature = None,
    hard_weight: o.HardWeight = None,
    system: o.System = None,
    max_length: o.MaxLength = None,
    long: o.Long = None,
    shuffle: o.Shuffle = False,
    curriculum: o.Curriculum = None,
    stages: o.Stages = None,
    license: o.License = None,
    push: o.Push = None,
    random_seed: o.RandomSeed = None,
    out: o.ExportOut = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write the answers as trainers load them: train, validation, test.

    Asks nothing. Example:
    distillgen export runs/stock_advisor --format step-by-step --format openai-chat
    """
    given = dict(locals())
    from distillgen.commands import deliver

    deliver.export(given)
