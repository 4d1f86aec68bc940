"""Who can be asked: each file here is a kind of teacher."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from distillgen.errors import UserError
from distillgen.prices import FREE, Price, price_of
from distillgen.providers import (
    TeacherName,
    doctor,
    endpoint,
    is_loopback,
    is_small,
    parse_teacher,
)
from distillgen.settings import Settings
from distillgen.wire import Teacher

Progress = Callable[[int, int, str], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Chosen:
    """A teacher that was chosen and checked; nothing is contacted or started yet."""

    identity: str
    """What requests carry: the digest of the weights or of the script, where there is one."""
    shown: str
    """What answers and screens say."""
    url: str
    """Base URL, or several with blanks between them; `embedded` or `scripted` where there is
    none."""
    small: bool
    """Whether prompts take their small form."""
    stays_here: bool
    """Nothing leaves this machine."""
    good_for: str
    """A line on what an embedded teacher is and is good for."""
    concurrency: int
    price: Price | None
    make: Callable[[Progress, Say], Teacher]
    prefix: str = ""
    """What stands before each text that is embedded."""


NOBODY = Chosen(
    identity="none", shown="none", url="none", small=False, stays_here=True, good_for="",
    concurrency=1, price=FREE, make=lambda *_: _nobody(),
)  # fmt: skip
"""Where nothing is to be asked."""


def _nobody() -> NoReturn:
    raise AssertionError("nobody is to be asked")


def choose_all(settings: Settings, env: Mapping[str, str], folder: Path) -> list[Chosen]:
    """Everybody whom a command may ask: `--teacher` in its order, and `--escalate` last.

    Raises:
        UserError: as `choose` does.
    """
    names = [settings.teacher, *settings.also, *([settings.escalate] if settings.escalate else [])]
    return [choose(settings.model_copy(update={"teacher": name}), env, folder) for name in names]


def choose(settings: Settings, env: Mapping[str, str], folder: Path) -> Chosen:
    """Check `--teacher` and all that belongs to it; `--embeddings`, where that is given.

    `folder` is where a `.env` might lie that holds a missing key.

    Raises:
        UserError: the name, the URL, the key, the file or the price is wrong.
    """
    embeds = settings.embeddings is not None
    given, url = _at(settings.embeddings or settings.teacher)
    name = parse_teacher(given, "--embeddings" if embeds else "--teacher")
    if name.provider == "local":
        return _local(name, settings, embeds)
    if name.provider == "scripted" and not embeds:
        return _scripted(name, settings)
    if name.provider == "scripted":
        raise _no_embedder(name)
    urls = [url] if url else settings.base_url or [None]
    wheres = [endpoint(name, url, env) for url in dict.fromkeys(urls)]
    for where in wheres:
        if fault := doctor(where, folder, env):
            raise UserError(fault)

    def make(_: Progress, say: Say) -> Teacher:
        from distillgen.teachers.embeddings import Embeddings
        from distillgen.teachers.openai_chat import OpenAIChat
        from distillgen.teachers.replicas import Replicas

        kind = Embeddings if embeds else OpenAIChat
        chats = [kind(str(name), name.model, where, settings.timeout) for where in wheres]
        return Replicas(chats, say) if len(chats) > 1 else chats[0]

    return Chosen(
        identity=str(name), shown=str(name), url=" ".join(where.url for where in wheres),
        small=is_small(name), stays_here=all(is_loopback(where.url) for where in wheres),
        good_for="", concurrency=settings.concurrency or 32,
        price=price_of(name.provider, name.model, settings.price_in, settings.price_out,
                       own_server=wheres[0].own_server, replies=not embeds),
        make=make,
    )  # fmt: skip


def _at(given: str) -> tuple[str, str]:
    """A teacher's name, and the URL of its own that stands behind it, if any.

    >>> _at("vllm:qwen@http://gpu-1:8000/v1")
    ('vllm:qwen', 'http://gpu-1:8000/v1')
    """
    name, at, url = given.rpartition("@")
    return (name, url) if at and url.startswith(("http://", "https://")) else (given, "")


def _no_embedder(name: TeacherName) -> UserError:
    return UserError(
        f"--embeddings {name}: writes texts, and embeds none; name a model that was made for"
        " embeddings: local, PROVIDER:MODEL or local:FILE.gguf"
    )


def _local(name: TeacherName, settings: Settings, embeds: bool) -> Chosen:
    from distillgen import catalogue, weights

    found = weights.resolve(name.model or (catalogue.EMBEDDER if embeds else catalogue.DEFAULT))
    listed = found.name in catalogue.CATALOGUE
    if listed and embeds and not found.embeds:
        raise _no_embedder(name)
    if found.embeds and not embeds:
        raise UserError(f"--teacher {name}: embeds texts, and writes none; --teacher local does")
    slots = settings.concurrency or 1

    def make(progress: Progress, _: Say) -> Teacher:
        from distillgen.teachers.local import Local

        return Local(found, threads=settings.threads, slots=slots, deadline_s=settings.timeout,
                     progress=progress, embeds=embeds)  # fmt: skip

    shown = found.name if listed else Path(found.name).name
    return Chosen(
        identity=f"local:{found.sha256}", shown=f"local:{shown}", url="embedded", small=True,
        stays_here=True, good_for=found.good_for, concurrency=slots, make=make,
        prefix=found.prefix,
        price=price_of("local", shown, settings.price_in, settings.price_out, own_server=True),
    )  # fmt: skip


def _scripted(name: TeacherName, settings: Settings) -> Chosen:
    from distillgen.files import sha256_of
    from distillgen.teachers.scripted import Scripted

    path = Path(name.model)
    if not path.is_file():
        raise UserError(f"--teacher {settings.teacher}: no such file")
    identity = f"scripted:{sha256_of(path)}"
    return Chosen(
        identity=identity, shown="scripted", url="scripted", small=False, stays_here=True,
        good_for="", concurrency=settings.concurrency or 32,
        price=price_of("scripted", "", settings.price_in, settings.price_out, own_server=True),
        make=lambda *_: Scripted(identity, path),
    )  # fmt: skip
