"""Render a page from its packaged template: whatever comes from data is escaped.

What could turn the order of a text or hide in it is spelled out, as on a terminal.
"""

from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from distillgen.records import JSON
from distillgen.show import visible


def _source(name: str) -> str:
    return (files("distillgen") / name).read_text(encoding="utf-8")


def _shown(value: JSON) -> JSON:
    return visible(value) if type(value) is str else value  # a safe one is another type


_ENVIRONMENT = Environment(
    autoescape=True, finalize=_shown, undefined=StrictUndefined, loader=FunctionLoader(_source),
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip


def _breaking(value: JSON) -> JSON:
    """A text whose paths may be broken behind a `/` or `_`, rather than anywhere."""
    if type(value) is not str:
        return value
    safe = str(escape(visible(value)))
    return Markup(safe.replace("/", "/<wbr>").replace("_", "_<wbr>"))


_ENVIRONMENT.filters["breaking"] = _breaking


def render(template: str, **told: JSON) -> str:
    """The page that a template makes of what it is told."""
    return _ENVIRONMENT.get_template(template).render(told)
