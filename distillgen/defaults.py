"""Turn options into what each stage needs, with the defaults that depend on the teacher.

A strong teacher writes ten inputs a request and is shown eight examples, six of them by people
(Self-Instruct, Wang et al. 2022, section 2.2). A small embedded one writes one, is shown three,
and keeps them for four requests, because its prompt cache works on a common beginning.
"""

from math import ceil

from distillgen import answer, judging, strategies
from distillgen.errors import UserError
from distillgen.expand import Options
from distillgen.prices import NANO
from distillgen.prompts import Prompt
from distillgen.records import JSON, Seed, Terms
from distillgen.rubric import Rubric
from distillgen.settings import DEFAULT_MAX_COST, Settings
from distillgen.task import Task
from distillgen.teachers import Chosen


def of_expand(
    settings: Settings, chosen: Chosen, task: Task, prompt: Prompt, seeds: tuple[Seed, ...]
) -> strategies.Setting:
    """What all places of one sequence share."""
    per_call = settings.per_call or (1 if chosen.small else 10)
    shots = settings.shots or (3 if chosen.small else 8)
    human = settings.human_shots
    sampling: dict[str, float | int] = {"temperature": 1.0, "max_tokens": 256 + 200 * per_call}
    if chosen.small:
        sampling |= {"min_p": 0.1, "max_tokens": 300 * per_call}
    return strategies.Setting(
        terms=Terms(chosen.identity, settings.server, None, sampling | _given(settings)),
        task=task,
        prompt=prompt,
        seeds=seeds,
        per_call=per_call,
        shots=shots,
        human_shots=min(shots, ceil(shots * 0.75) if human is None else human),
        steady=6 if chosen.url == "embedded" else 1,
        short=chosen.small,
        random_seed=settings.random_seed,
        generations=settings.generations,
        per_parent=settings.per_parent,
    )


def settled_of_expand(setting: strategies.Setting) -> dict[str, JSON]:
    """What the manifest says of it."""
    names = ("per_call", "shots", "human_shots", "steady", "short")
    return {name: getattr(setting, name) for name in names} | {**setting.terms.sampling}


def settled_of_answer(setting: answer.Setting) -> dict[str, JSON]:
    """What the manifest says of it."""
    return {"shots": len(setting.shots), **setting.terms.sampling}


def sees(settings: Settings, chosen: Chosen) -> bool:
    """Whether the teacher is shown images.

    Raises:
        UserError: it reads text alone.
    """
    if settings.vision and chosen.url == "embedded":
        raise UserError(
            f"--vision: {chosen.shown} reads text alone; name a teacher that sees images, as in"
            " --teacher openai:MODEL, or leave --vision away: it is told what captions say"
        )
    return settings.vision


def of_walk(settings: Settings, setting: strategies.Setting) -> Options:
    """How far to walk; the ceiling stands far beyond any useful yield."""
    return Options(
        n=settings.n,
        max_requests=settings.max_requests or 10 * ceil(settings.n / setting.per_call) + 20,
        patience=settings.patience,
        resample=settings.resample,
    )


def of_answer(
    settings: Settings, chosen: Chosen, task: Task, prompt: Prompt, seeds: list[Seed]
) -> answer.Setting:
    """What all answers of one run share."""
    sampling: dict[str, float | int] = {"temperature": 0.3}
    sampling["max_tokens"] = 250 if chosen.small else 1024
    return answer.Setting(
        terms=Terms(
            chosen.identity,
            settings.server,
            answer.schema(list(task.labels)),
            sampling | _given(settings),
        ),
        teacher=chosen.shown,
        task=task,
        prompt=prompt,
        shots=answer.pick_shots(seeds, task.labels, short=chosen.small),
        resample=settings.resample,
        vision=sees(settings, chosen),
    )


def of_judge(
    settings: Settings, chosen: Chosen, task: Task, prompt: Prompt, rubric: Rubric,
    schema: dict[str, JSON],
) -> judging.Setting:  # fmt: skip
    """What all cases of one run share."""
    sampling: dict[str, float | int] = {"temperature": 0.3}
    sampling["max_tokens"] = 250 if chosen.small else 1024
    return judging.Setting(
        terms=Terms(chosen.identity, settings.server, schema, sampling | _given(settings)),
        judge=chosen.shown,
        task=task,
        prompt=prompt,
        rubric=rubric,
        candidates=settings.candidates,
    )


def max_cost(settings: Settings, chosen: Chosen) -> int | None:
    """The limit in nanodollars; None for none, which only an unknown or a free price allows."""
    if settings.max_cost is not None:
        return round(settings.max_cost * NANO)
    known = chosen.price is not None and not chosen.price.free
    return round(DEFAULT_MAX_COST * NANO) if known else None


def _given(settings: Settings) -> dict[str, float | int]:
    names = ("temperature", "top_p", "max_tokens")
    return {name: value for name in names if (value := getattr(settings, name)) is not None}
