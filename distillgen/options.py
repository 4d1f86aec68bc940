"""Declare the options that commands share, each once; `settings.py` holds their defaults."""

from pathlib import Path
from typing import Annotated

import typer

TEACHER, MONEY, RUN, OUTPUT = "Teacher", "Money", "Run", "Output"


def _option(panel: str, name: str, text: str) -> typer.models.OptionInfo:
    variable = "DISTILLGEN_" + name.strip("-").replace("-", "_").upper()
    names = [name] if name.startswith("--") else [f"-{name}"]
    made: typer.models.OptionInfo = typer.Option(
        *names, help=text, envvar=variable, show_envvar=False, rich_help_panel=panel,
        show_default=False,
    )  # fmt: skip
    return made


Teacher = Annotated[
    str | None,
    _option(
        TEACHER, "--teacher",
        "Who is asked: PROVIDER:MODEL, `local` (an embedded model, the default), "
        "local:smollm2-135m, local:FILE.gguf.",
    ),
]  # fmt: skip
Teachers = Annotated[
    list[str] | None,
    _option(
        TEACHER, "--teacher",
        "Who is asked: PROVIDER:MODEL, PROVIDER:MODEL@URL, `local` (embedded, the default), "
        "local:FILE.gguf; again for teachers that answer too.",
    ),
]  # fmt: skip
Escalate = Annotated[
    str | None,
    _option(
        TEACHER, "--escalate", "A further teacher, asked only where the others are divided [none]."
    ),
]
BaseUrl = Annotated[
    list[str] | None,
    _option(
        TEACHER, "--base-url",
        "Base URL of an OpenAI-compatible server, ending in /v1; again for each replica.",
    ),
]  # fmt: skip
Server = Annotated[
    str | None,
    _option(TEACHER, "--server", "A name that keeps the replies of this server apart."),
]
Vision = Annotated[
    bool, _option(TEACHER, "--vision", "The teacher sees images [it is told what they show].")
]
Temperature = Annotated[
    float | None, _option(TEACHER, "--temperature", "Sampling, 0 to 2 [expand 1.0, answer 0.3].")
]
TopP = Annotated[float | None, _option(TEACHER, "--top-p", "Nucleus sampling, up to 1 [not sent].")]
MaxTokens = Annotated[
    int | None,
    _option(TEACHER, "--max-tokens", "Longest reply, in tokens [answer 1024, embedded 250]."),
]
Threads = Annotated[
    int | None,
    _option(TEACHER, "--threads", "Cores for the embedded teacher [those that are idle]."),
]
Prompts = Annotated[
    Path | None,
    _option(TEACHER, "--prompts", "Folder of prompts that go before ./prompts and the packaged."),
]
MaxCost = Annotated[
    float | None,
    _option(MONEY, "--max-cost", "Dollars that the run folder may cost in all [5, if priced]."),
]
PriceIn = Annotated[
    str | None, _option(MONEY, "--price-in", "Dollars per million tokens in, where unknown.")
]
PriceOut = Annotated[
    str | None, _option(MONEY, "--price-out", "Dollars per million tokens out, where unknown.")
]
Concurrency = Annotated[
    int | None, _option(RUN, "--concurrency", "Requests in flight [32; embedded 1].")
]
Rpm = Annotated[float | None, _option(RUN, "--rpm", "Requests a minute, if you know the limit.")]
Tpm = Annotated[float | None, _option(RUN, "--tpm", "Tokens a minute, if you know the limit.")]
Timeout = Annotated[
    float | None,
    _option(RUN, "--timeout", "Seconds for one request, its last byte included [300]."),
]
Resample = Annotated[
    int | None, _option(RUN, "--resample", "Further draws when a reply cannot be read [1].")
]
MaxFailed = Annotated[
    float | None,
    _option(RUN, "--max-failed", "Share of failed items that still counts as done [0.01]."),
]
RandomSeed = Annotated[
    int | None, _option(RUN, "--random-seed", "Fixes which examples are shown, and the split [0].")
]
Reuse = Annotated[
    list[str] | None,
    _option(RUN, "--reuse", "Take replies from this run folder before asking; may be given again."),
]
Samples = Annotated[
    int | None, _option(RUN, "--samples", "Draws of each teacher for an input [1].")
]
Combine = Annotated[
    str | None,
    _option(
        RUN, "--combine",
        "How one answer is made of several: vote, agree, best, union, closest-gold [vote].",
    ),
]  # fmt: skip
Labels = Annotated[
    str | None,
    _option(
        RUN, "--labels", "A closed task: the labels, as a,b,c [those of the task file]."
    ),
]  # fmt: skip
Soft = Annotated[
    str | None,
    _option(
        RUN, "--soft",
        "A probability for each label, from: logprobs, votes (of --samples), verbal [none].",
    ),
]  # fmt: skip
Smooth = Annotated[
    float | None,
    _option(
        RUN, "--smooth",
        "Soft labels without a teacher: this share for the label, the rest evenly, as 0.9 [none].",
    ),
]  # fmt: skip
Style = Annotated[
    str | None,
    _option(
        RUN, "--style",
        "Manner of answering, from styles.toml; a,b or `all` in turn; `probe` tries them [none].",
    ),
]  # fmt: skip
Rationalize = Annotated[
    bool,
    _option(
        RUN, "--rationalize",
        "Where the gold answer is missed, ask for a rationale that leads to it.",
    ),
]  # fmt: skip
Refine = Annotated[
    int | None,
    _option(
        RUN, "--refine", "So many times at most an answer is criticised and written anew [0]."
    ),
]  # fmt: skip
Limit = Annotated[
    int | None, _option(RUN, "--limit", "Only the first so many inputs: a pilot that counts later.")
]
SkipInvalid = Annotated[
    bool, _option(RUN, "--skip-invalid", "Leave unusable rows out, and list them.")
]
Field = Annotated[
    list[str] | None,
    _option(RUN, "--field", "Our name of a field and the column it is in: question=body."),
]
Against = Annotated[
    list[str],
    _option(
        RUN, "--against", "A test set: JSONL, CSV or Parquet; again for more, or evals/*.jsonl."
    ),
]
On = Annotated[
    list[str] | None,
    _option(RUN, "--on", "Field that is compared; again for more [user_context and question]."),
]
Checks = Annotated[
    str | None,
    _option(RUN, "--checks", "Names of checks, parted by commas [all that apply]."),
]
Embeddings = Annotated[
    str | None,
    _option(
        TEACHER, "--embeddings",
        "A second witness: PROVIDER:MODEL of embeddings, `local` (an embedded model),"
        " local:all-minilm-l6-v2 (a quick one), local:FILE.gguf [none].",
    ),
]  # fmt: skip
Drop = Annotated[
    bool,
    typer.Option(
        "--drop", help="Also write the file without what is flagged.", rich_help_panel=RUN
    ),
]
Answered = Annotated[str, typer.Argument(help="A run folder, or answers as JSONL, CSV, Parquet.")]
Rubric = Annotated[
    Path | None,
    _option(
        TEACHER, "--rubric", "What is looked at, a TOML file [prompts/TASK/rubric.toml, packaged]."
    ),
]  # fmt: skip
Candidates = Annotated[
    bool, _option(RUN, "--candidates", "Score every candidate, too [the answer alone].")
]
Budget = Annotated[
    int | None, _option(RUN, "--budget", "Choose so many [all that are good enough].")
]
Min = Annotated[
    list[str] | None,
    _option(
        RUN, "--min",
        "Lowest score of an aspect, correct=4, or of all, 4; again for more [none].",
    ),
]  # fmt: skip
Require = Annotated[
    list[str] | None,
    _option(RUN, "--require", "A check that must have passed; again for more [none]."),
]
Compare = Annotated[
    str | None, _option(RUN, "--compare", "What the choice is held against [random].")
]
Margin = Annotated[
    float | None,
    _option(RUN, "--margin", "By so much the mean scores of a pair differ at least [1]."),
]
Reviewer = Annotated[
    str | None,
    _option(
        RUN, "--reviewer",
        "Your name: whose decisions --export writes [all], and --import reads where no row says.",
    ),
]  # fmt: skip
Order = Annotated[
    str | None,
    _option(
        RUN, "--order",
        "mixed: half the least sure, a third of each label or topic, a fifth at random; plain;"
        " failed: what failed a check [mixed].",
    ),
]  # fmt: skip
Double = Annotated[
    float | None,
    _option(RUN, "--double", "Share of the records that two reviewers decide about, 0 to 1 [0]."),
]
ExportFile = Annotated[
    Path | None,
    typer.Option(
        "--export", rich_help_panel=OUTPUT,
        help="No page: the records into a file, .csv, .xlsx, .jsonl, .label-studio.json or"
        " .argilla.json.",
    ),
]  # fmt: skip
ImportFile = Annotated[
    Path | None,
    typer.Option("--import", rich_help_panel=OUTPUT, help="No page: the decisions of such a file."),
]
Host = Annotated[str | None, _option(RUN, "--host", "Address that the page is at [127.0.0.1].")]
Port = Annotated[
    int | None, _option(RUN, "--port", "Port of the page [8717, or any if it is taken].")
]
Remote = Annotated[
    bool, typer.Option("--remote", help="Others may reach --host.", rich_help_panel=RUN)
]
NoBrowser = Annotated[
    bool, typer.Option("--no-browser", help="Open no browser.", rich_help_panel=RUN)
]
N = Annotated[int | None, _option(RUN, "n", "Distinct inputs wanted [100].")]
Strategy = Annotated[
    str | None,
    _option(
        RUN, "--strategy", "How inputs are made, or a mix: few-shot=0.6,evolve=0.4 [few-shot]."
    ),
]
Operations = Annotated[
    str | None,
    _option(
        RUN, "--operations",
        "Which operations of evolve, augment, transform, images: numbers,names [all they have].",
    ),
]  # fmt: skip
Generations = Annotated[
    int | None,
    _option(
        RUN, "--generations", "evolve, augment: rewrite an input so many times at most [3]."
    ),
]  # fmt: skip
PerParent = Annotated[
    int | None,
    _option(
        RUN, "--per-parent", "augment, transform: keep so many inputs of one example at most [2]."
    ),
]  # fmt: skip
Topics = Annotated[
    Path | None,
    _option(RUN, "--topics", "topics: the tree to cover [RUN/topics.toml]."),
]
Attributes = Annotated[
    Path | None,
    _option(RUN, "--attributes", "attributes: those to draw from [RUN/attributes.toml]."),
]
Images = Annotated[
    str | None,
    _option(RUN, "--images", "images: the manifest of what to ask about [RUN/images.jsonl]."),
]
PerCall = Annotated[
    int | None, _option(RUN, "--per-call", "Inputs asked for in one request [10; embedded 1].")
]
Shots = Annotated[
    int | None, _option(RUN, "--shots", "Examples shown in one request [8; embedded 3].")
]
HumanShots = Annotated[
    int | None, _option(RUN, "--human-shots", "So many of them are seeds [three quarters].")
]
Patience = Annotated[
    int | None,
    _option(RUN, "--patience", "Stop when so many proposals brought 3 new at most [200; 0 never]."),
]
MaxRequests = Annotated[
    int | None, _option(RUN, "--max-requests", "Stop after so many requests [10 n/per-call + 20].")
]
Format = Annotated[
    list[str] | None,
    _option(OUTPUT, "--format", "For which trainer; may be given again [trl-prompt-completion]."),
]
Rationale = Annotated[
    str | None,
    _option(
        OUTPUT, "--rationale",
        "Where the reason goes: first, after, think, field, none [after; labels: none].",
    ),
]  # fmt: skip
Split = Annotated[
    str | None,
    _option(OUTPUT, "--split", "Shares [train=0.9,validation=0.05,test=0.05]."),
]
Layout = Annotated[
    str | None,
    _option(
        OUTPUT, "--layout",
        "The shape, of formats that have several (step-by-step: rows, flat, google-research …).",
    ),
]  # fmt: skip
SeedsForTest = Annotated[
    bool,
    _option(OUTPUT, "--seeds-for-test", "Hand-written records, and what is like them, to test."),
]
LabelWeight = Annotated[
    float | None,
    _option(OUTPUT, "--label-weight", "step-by-step: the label's share of the loss [0.5]."),
]
System = Annotated[
    str | None,
    _option(
        OUTPUT, "--system",
        "System prompt of the rows: drop, keep (the record's own, else who the teacher was asked to"
        " be), or a text [drop].",
    ),
]  # fmt: skip
MaxLength = Annotated[
    int | None,
    _option(OUTPUT, "--max-length", "Tokens (of 4 characters) of the longest row; none is cut."),
]
Long = Annotated[
    str | None,
    _option(OUTPUT, "--long", "What becomes of longer records: drop, or warn and keep [drop]."),
]
Shuffle = Annotated[
    bool, _option(OUTPUT, "--shuffle", "Records in a random order, by --random-seed.")
]
Curriculum = Annotated[
    str | None,
    _option(
        OUTPUT, "--curriculum",
        "difficulty: the training rows once more, in files from easy to hard; implies --shuffle.",
    ),
]  # fmt: skip
Stages = Annotated[int | None, _option(OUTPUT, "--stages", "Files of the curriculum [3].")]
License = Annotated[
    str | None,
    _option(
        OUTPUT, "--license",
        "Licence or terms of what the teacher wrote, such as apache-2.0; stands in the card.",
    ),
]  # fmt: skip
Push = Annotated[
    str | None,
    _option(
        OUTPUT, "--push",
        "hf: upload to this dataset, USER/NAME, private; wants huggingface_hub and a login.",
    ),
]  # fmt: skip
Preset = Annotated[
    str | None,
    _option(
        OUTPUT, "--preset", "step-by-step: prefixes of the paper, or of google's code [paper]."
    ),
]
SoftTemperature = Annotated[
    float | None,
    _option(OUTPUT, "--soft-temperature", "soft-labels: temperature of the probabilities [1]."),
]
HardWeight = Annotated[
    float | None,
    _option(OUTPUT, "--hard-weight", "soft-labels: the hard label's share of the loss [0.5]."),
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="The run folder [runs/NAME].", rich_help_panel=OUTPUT),
]
ExportOut = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="Folder for the files [RUN/export].", rich_help_panel=OUTPUT),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Write over files changed by hand.", rich_help_panel=OUTPUT),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Ask nothing: requests, cost, three prompts.", rich_help_panel=MONEY
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="One JSON object on stdout.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Errors only.", rich_help_panel=OUTPUT)]
