"""Render a page from its packaged template: whatever comes from data is escaped."""

from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from distillgen.records import JSON


def _source(name: str) -> str:
    return (files("distillgen") / name).read_text(encoding="utf-8")


_ENVIRONMENT = Environment(
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    loader=FunctionLoader(_source),
)  # fmt: skip


def render(template: str, **told: JSON) -> str:
    """The page that a template makes of what it is told."""
    return _ENVIRONMENT.get_template(template).render(told)
