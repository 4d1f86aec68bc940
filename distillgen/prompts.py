"""Find prompt files, check them before anything is paid, and render them into messages."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from traceback import walk_tb
from typing import Literal

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from distillgen.errors import UserError
from distillgen.records import JSON, Message

_CASE = ("expert", "language", "labels", "user_context", "question", "image")
"""What is said of a case to be answered."""

VARIABLES: Mapping[str, frozenset[str]] = {
    "expand.few_shot": frozenset(
        {"expert", "language", "labels", "shots", "per_call", "tags", "place"}
    ),
    "expand.evolve": frozenset(
        {"expert", "language", "labels", "shots", "per_call", "operation", "place"}
    ),
    "expand.personas": frozenset(
        {"expert", "language", "labels", "shots", "per_call", "personas", "place"}
    ),
    "expand.augment": frozenset(
        {"expert", "language", "labels", "shots", "per_call", "operation", "place"}
    ),
    "expand.transform": frozenset(
        {"expert", "language", "labels", "shots", "per_call", "operation", "place"}
    ),
    "expand.topics": frozenset(
        {"expert", "language", "labels", "shots", "per_call", "topics", "place"}
    ),
    "expand.attributes": frozenset(
        {"expert", "language", "labels", "shots", "per_call", "draws", "place"}
    ),
    "topics": frozenset(
        {"expert", "language", "labels", "shots", "level", "path", "others", "count", "parts"}
    ),
    "attributes": frozenset({"expert", "language", "labels", "shots", "count", "parts"}),
    "expand.images": frozenset(
        {
            "expert",
            "language",
            "labels",
            "shots",
            "per_call",
            "operation",
            "image",
            "description",
            "place",
        }
    ),
    "answer": frozenset({*_CASE, "shots", "style", "hint"}),
    "answer.soft": frozenset({*_CASE, "letters"}),
    "answer.verbal": frozenset(_CASE),
    "answer.critique": frozenset({*_CASE, "rationale", "answer"}),
    "answer.refine": frozenset({*_CASE, "rationale", "answer", "criticism"}),
    "judge": frozenset(
        {"expert", "language", "aspects", "user_context", "question", "rationale", "answer"}
    ),
    "compare": frozenset(
        {"expert", "language", "aspects", "user_context", "question", "first", "second"}
    ),
}
"""What a prompt may use, by its name; `docs/prompts.md` says what each variable holds."""

_SHOT_FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(VARIABLES, ("user_context", "question")),
    "expand.augment": ("user_context", "question", "answer"),
    "expand.transform": ("user_context", "question", "rationale", "answer", "label"),
    "answer": ("user_context", "question", "rationale", "answer", "label"),
}
"""What each item of `shots` offers to the prompt, by the prompt's name."""

_BLOCKS = ("system", "user")

_ELSEWHERE = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
"""Statements that reach for other files."""

_UNBOUNDED = (nodes.Mul, nodes.Pow)
"""`"a" * 9**9` fills the memory while it is being compiled; no prompt needs to multiply."""

_RENDER_ERRORS = (
    TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip
"""What the code in a template can raise; all of it is the prompt's fault."""


def _tojson(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.clear()
    # Jinja's own `tojson` is for web pages: it writes `<` as `\u003c`.
    environment.filters["tojson"] = _tojson
    return environment


_ENVIRONMENT = _environment()


_SYSTEM = re.compile(r"(?s){%-?\s*block system\s*-?%}(.*?){%-?\s*endblock")
_SHOWN = re.compile(r'"(?:persona|user_context|question)": "([^"{}]*\w[^"{}]*)"')


def packaged(kind: Literal["prompts", "seeds"]) -> Path:
    """The folder of the prompts or seeds that come with distillgen.

    It lies inside an installed package, and at the top of a checkout.
    """
    here = Path(__file__).parent
    installed = here / f"{kind}_packaged"
    return installed if installed.is_dir() else here.parent / kind


def packaged_seeds(name: str) -> Path:
    """The seeds file NAME.jsonl that comes with distillgen; its task file lies beside it."""
    return packaged("seeds") / f"{name}.jsonl"


@dataclass(frozen=True)
class Prompt:
    """A prompt file that was read, checked and compiled."""

    name: str
    """`answer` or `expand.few_shot`: the key in `VARIABLES`."""
    path: Path
    """Where it was found."""
    sha256: str
    """Digest of the file's bytes."""
    _template: Template = field(repr=False)
    _uses: Mapping[str, tuple[str, ...]] = field(repr=False)
    """The variables of each block."""
    _rendered: dict[str, tuple[list[JSON], str]] = field(default_factory=dict, repr=False)
    """Each block as it was rendered last, and on what: a system message is mostly the same."""
    shown: tuple[str, ...] = ()
    """What stands for the texts in the form of a reply that the system message shows, such as
    "one short question"."""

    @property
    def digests(self) -> dict[str, str]:
        """What a manifest keeps: the digest by the name of the file."""
        return {self.path.name: self.sha256}

    def needs(self, variable: str, option: str) -> None:
        """Make sure that the prompt uses a variable that an option sets.

        Raises:
            UserError: it does not, so the option would change nothing.
        """
        if not any(variable in used for used in self._uses.values()):
            raise UserError(
                f"{self.path}: does not use `{variable}`, so {option} would change nothing; put"
                f" {{{{ {variable} }}}} into it, or delete it to go back to the packaged prompt"
            )

    def render(self, **variables: JSON) -> tuple[Message, ...]:
        """The messages for one request: the system message, unless it is empty, and the user's.

        All variables of the prompt must be given, and no other. A value is data: Jinja code in
        it arrives as it is. `shots` may be any objects that have the fields of a shot.

        Raises:
            UserError: the template fails on these values, or renders to no user message.
        """
        if variables.keys() != VARIABLES[self.name]:
            raise TypeError(f"{self.name} takes {sorted(VARIABLES[self.name])}")
        # Plain dicts, since a template may call the methods of what it is given, and a pydantic
        # model still has a `parse_raw` that unpickles.
        fields = _SHOT_FIELDS[self.name]
        shown = variables.get("shots", ())
        shots = [{f: getattr(shot, f) or "" for f in fields} for shot in shown]
        given = {**variables, "shots": shots}
        try:
            texts = {role: self._block(role, given) for role in self._uses}
        except _RENDER_ERRORS as error:
            what = str(error) or type(error).__name__
            raise UserError(f"{self.path}:{self._line(error)}: {what}; mend the prompt") from error
        if not texts["user"]:
            raise UserError(f"{self.path}: the user block is empty; write what is to be asked")
        messages = (Message(role=role, content=texts.get(role, "")) for role in ("system", "user"))
        return tuple(message for message in messages if message.content)

    def _block(self, role: str, given: dict[str, JSON]) -> str:
        values = [given[name] for name in self._uses[role]]
        if role in self._rendered and self._rendered[role][0] == values:
            return self._rendered[role][1]
        context = self._template.new_context(given)
        text = "".join(self._template.blocks[role](context)).strip()
        self._rendered[role] = values, text
        return text

    def _line(self, error: BaseException) -> int:
        """Line of the prompt file that raised `error`."""
        steps = walk_tb(error.__traceback__)
        lines = [n for frame, n in steps if frame.f_code.co_filename == "<template>"]
        if isinstance(error, RecursionError):
            # Where the stack runs out is chance; the call is below what it came from.
            return max(map(self._template.get_corresponding_lineno, lines), default=1)
        return self._template.get_corresponding_lineno(lines[-1]) if lines else 1


def find(name: str, task: str, small: bool, folders: Sequence[Path]) -> Prompt:
    """The prompt NAME for a task: from the first of `folders` that has it, else the packaged one.

    In each folder the one of the task, `<folder>/<task>/NAME.j2`, goes before the general one,
    `<folder>/NAME.j2`. `small` looks in each place for NAME.small.j2 first, then for NAME.j2: so
    a prompt that a person wrote is used with small teachers too. For the same reason an unchanged
    copy of a packaged file counts as absent: it must not hide what was written elsewhere.

    Raises:
        UserError: no folder has the prompt, or it cannot be used; one line for each fault.
    """
    forms = [f"{name}.small.j2", f"{name}.j2"] if small else [f"{name}.j2"]
    for path in written(forms, task, folders):
        return load(name, path)
    looked = ", ".join(str(folder) for folder in (*folders, packaged("prompts")))
    raise UserError(f"no prompt {name}.j2 in {looked}; there are: {', '.join(sorted(VARIABLES))}")


def written(forms: Sequence[str], task: str, folders: Sequence[Path]) -> Iterator[Path]:
    """The files of one of these names for a task, the one that counts first; as `find` looks."""
    own = packaged("prompts")
    for folder in (*folders, own):
        # In a checkout ./prompts is the packaged folder itself.
        is_own = folder.resolve() == own.resolve()
        for path in (room / form for room in (folder / task, folder) for form in forms):
            if path.is_file() and (is_own or not _same_text(path, own / path.name)):
                yield path


def _same_text(path: Path, other: Path) -> bool:
    """Equal but for line ends, which version control changes on some systems."""
    return other.is_file() and path.read_bytes().splitlines() == other.read_bytes().splitlines()


def load(name: str, path: Path) -> Prompt:
    """Read, check and compile one prompt file; its faults are named before anything is paid.

    Raises:
        UserError: the file is no UTF-8, no template, or uses what there is not; a line each.
    """
    raw = path.read_bytes()
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8; save it as UTF-8") from error
    try:
        tree = _ENVIRONMENT.parse(source)
        faults = sorted(set(_faults(tree, name))) or sorted(set(_unknown_variables(tree, name)))
        if faults:
            raise UserError("\n".join(f"{path}:{line}: {fault}" for line, fault in faults))
        template = _ENVIRONMENT.from_string(source)
    except TemplateSyntaxError as error:
        raise UserError(f"{path}:{error.lineno}: {error.message}; mend the prompt") from error
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise UserError(f"{path}: nested too deep; write it flatter") from error
    uses = {
        block.name: tuple(VARIABLES[name] & {node.name for node in block.find_all(nodes.Name)})
        for block in tree.find_all(nodes.Block)
    }
    system = _SYSTEM.search(source)
    shown = tuple(dict.fromkeys(_SHOWN.findall(system[1]))) if system else ()
    return Prompt(name, path, hashlib.sha256(raw).hexdigest(), template, uses, shown=shown)


def _faults(tree: nodes.Template, name: str) -> Iterator[tuple[int, str]]:
    """Line and description of everything in a template that cannot end well."""
    yield from _block_faults(tree)
    yield from _field_faults(tree, _SHOT_FIELDS[name])
    for node in tree.find_all(nodes.Node):
        if fault := _forbidden(node) or _unknown_filter(node):
            yield node.lineno, fault


def _unknown_variables(tree: nodes.Template, name: str) -> Iterator[tuple[int, str]]:
    """The same for variables; Jinja looks for them only in a template that it could compile."""
    unknown = meta.find_undeclared_variables(tree) - VARIABLES[name]
    known = ", ".join(sorted(VARIABLES[name]))
    for node in tree.find_all(nodes.Name):
        if node.name in unknown and node.ctx == "load":
            yield node.lineno, f"unknown variable `{node.name}`; there are: {known}"


def _block_faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    blocks = [node for node in tree.body if isinstance(node, nodes.Block)]
    if "user" not in [block.name for block in blocks]:
        yield 1, "no {% block user %}; what stands between it and {% endblock %} is sent"
    for block in tree.find_all(nodes.Block):
        if block not in blocks or block.name not in _BLOCKS:
            yield block.lineno, f"block `{block.name}` is not sent; there are: system, user"
    for node in tree.body:
        if node not in blocks and (line := _line_outside(node)):
            yield line, "this stands outside the blocks and is not sent; move it into one"


def _line_outside(node: nodes.Node) -> int:
    """Line of the first thing but white space in a node outside the blocks; 0 if there is none."""
    for part in node.nodes if isinstance(node, nodes.Output) else [node]:
        if not isinstance(part, nodes.TemplateData):
            return part.lineno
        if text := part.data.lstrip():
            return part.lineno + part.data[: -len(text)].count("\n")
    return 0


def _forbidden(node: nodes.Node) -> str:
    if isinstance(node, _ELSEWHERE):
        return "a prompt cannot take in other files; write the text here"
    if isinstance(node, _UNBOUNDED):
        return "a prompt cannot multiply; write the result"
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return f"`{node.attr}` is not open to prompts; leave it out"
    # A filter such as `map(attribute="__class__")` has its way to ask.
    if isinstance(node, nodes.Const) and str(node.value).startswith("__"):
        return f"`{node.value}` is not open to prompts; leave it out"
    return ""


def _unknown_filter(node: nodes.Node) -> str:
    # Jinja itself finds one within an `{% if %}` only when the branch is taken.
    if isinstance(node, nodes.Filter) and node.name not in _ENVIRONMENT.filters:
        return f"unknown filter `{node.name}`; there are those of Jinja"
    if isinstance(node, nodes.Test) and node.name not in _ENVIRONMENT.tests:
        return f"unknown test `{node.name}`; there are those of Jinja"
    return ""


def _field_faults(tree: nodes.Template, fields: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Misspelt fields in loops over the shots: behind an `{% if %}` they would be met late."""
    shots: set[str] = set()
    for loop in tree.find_all(nodes.For):
        over = (loop.iter, *loop.iter.find_all(nodes.Name))
        if any(isinstance(node, nodes.Name) and node.name == "shots" for node in over):
            shots.update(n.name for n in (loop.target,) if isinstance(n, nodes.Name))
    for get in tree.find_all(nodes.Getattr):
        of_shot = isinstance(get.node, nodes.Name) and get.node.name in shots
        if of_shot and get.attr not in fields:
            yield get.lineno, f"unknown field `{get.attr}`; a shot has: {', '.join(fields)}"
