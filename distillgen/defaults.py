"""Turn options into what each stage needs, with the defaults that depend on the teacher.

A strong teacher writes ten inputs a request and is shown eight examples, six of them by people
(Self-Instruct, Wang et al. 2022, section 2.2). A small embedded one writes one, is shown three,
and keeps them for four requests, because its prompt cache works on a common beginning.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import ceil

from distillgen import checks, course, judging, soft, strategies, styles
from distillgen.asking import Asked, pick_shots
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


def settled_of_answer(setting: course.Setting) -> dict[str, JSON]:
    """What the manifest says of it."""
    first = setting.teachers[0]
    return {"shots": len(first.shots), **first.sampling}


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
    settings: Settings,
    everybody: Sequence[Chosen],
    task: Task,
    prompt: Callable[[str, int], Prompt],
    seeds: list[Seed],
    known_styles: Mapping[str, str],
) -> course.Setting:
    """What all answers of one run share; `prompt` finds one for a teacher by its number.

    Raises:
        UserError: options do not go together, or a prompt does not use what one sets.
    """
    _go_together(settings, everybody, task)
    asked = tuple(
        _asked(settings, who, chosen, task, prompt, seeds) for who, chosen in enumerate(everybody)
    )
    teachers = asked[:-1] if settings.escalate else asked
    named = styles.named(settings.style, known_styles) if settings.style else ()
    for one in teachers if named else ():
        one.prompts["answer"].needs("style", "--style")
    if settings.rationalize:
        teachers[0].prompts["answer"].needs("hint", "--rationalize")
    return course.Setting(
        teachers=teachers,
        escalate=asked[-1] if settings.escalate else None,
        resample=settings.resample,
        samples=settings.samples,
        combine=settings.combine,
        styles={name: known_styles[name] for name in named},
        soft=settings.soft,
        smooth=settings.smooth,
        rationalize=settings.rationalize,
        refine=settings.refine,
        known=checks.Setting(
            labels=tuple(task.labels), language=task.language, shots=teachers[0].shots
        ),
    )


def _asked(
    settings: Settings, who: int, chosen: Chosen, task: Task,
    prompt: Callable[[str, int], Prompt], seeds: list[Seed],
) -> Asked:  # fmt: skip
    """One of the teachers; draws after the first are warmer, since they are to differ.

    Wang et al. 2022 (self-consistency, section 3.1) draw at 0.7 and find 0.5 to 0.7 alike.
    """
    names = ["answer"]
    names += ["answer.critique", "answer.refine"] if settings.refine else []
    names += [f"answer.{PROMPTS[settings.soft]}"] if settings.soft in PROMPTS else []
    sampling = {"temperature": 0.3, "max_tokens": 250 if chosen.small else 1024} | _given(settings)
    return Asked(
        who=who,
        name=chosen.shown,
        identity=chosen.identity,
        server=settings.server,
        task=task,
        prompts={name: prompt(name, who) for name in names},
        sampling=sampling,
        further=sampling | ({"temperature": 0.7} if settings.temperature is None else {}),
        shots=pick_shots(seeds, task.labels, short=chosen.small),
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


PROMPTS = {"logprobs": "soft", "verbal": "verbal"}
"""The prompts that soft labels need."""


def _go_together(settings: Settings, everybody: Sequence[Chosen], task: Task) -> None:
    """Find options of `answer` that make no sense together.

    Raises:
        UserError: there are some.
    """
    twice = Counter(chosen.identity for chosen in everybody).most_common(1)[0]
    if twice[1] > 1:
        name = next(one.shown for one in everybody if one.identity == twice[0])
        raise UserError(f"--teacher {name}: named twice; --samples draws more from one teacher")
    draws = settings.samples * (len(everybody) - bool(settings.escalate))
    if (settings.soft or settings.smooth) and not task.labels:
        option = "soft" if settings.soft else "smooth"
        raise UserError(
            f"--{option}: a soft label needs labels; give --labels a,b,c or write them into"
            f" {task.name}.toml"
        )
    if settings.soft and settings.smooth:
        raise UserError("--soft and --smooth both make a soft label; take one of them")
    if settings.soft == "logprobs":
        soft.rotations(tuple(task.labels))
    several = {"--escalate": settings.escalate, "--soft votes": settings.soft == "votes"}
    several[f"--combine {settings.combine}"] = settings.combine not in ("vote", "closest-gold")
    for option, given in several.items():
        if given and draws < 2:
            raise UserError(
                f"{option}: needs several draws; give --samples 5, or --teacher more than once"
            )


def max_cost(settings: Settings, everybody: Sequence[Chosen]) -> int | None:
    """The limit in nanodollars; None for none, which only unknown or free prices allow."""
    if settings.max_cost is not None:
        return round(settings.max_cost * NANO)
    known = any(one.price is not None and not one.price.free for one in everybody)
    return round(DEFAULT_MAX_COST * NANO) if known else None


def _given(settings: Settings) -> dict[str, float | int]:
    names = ("temperature", "top_p", "max_tokens")
    return {name: value for name in names if (value := getattr(settings, name)) is not None}
