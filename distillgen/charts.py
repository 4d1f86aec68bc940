"""Draw charts as SVG that stands in a page: one picture for light and dark, phone and paper.

Each is 328 px wide, as much as a phone has, and is told in words too. Colours are the page's own
variables, `--ink`, `--a`, `--s1` …, so that its style sheet decides them.
"""

import importlib.util
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

from rich.cells import cell_len, chop_cells

from distillgen.records import JSON
from distillgen.show import visible

if TYPE_CHECKING:
    import altair as alt

EXTRA = "pip install 'distillgen[report]'"
"""What makes charts available."""
WIDTH = 328
"""Of the whole picture: a phone of 360 less its margins."""
FONT = 12
LONGEST = 18
"""Columns of a name that a chart shows; the table beside it has all of it."""
ROW = 26
"""Height of a bar with its gap."""
ROUND = [n * 10**k for k in range(8) for n in (1, 2, 5)]
"""Lengths that a logarithmic axis names."""
SLACK = {"left": 12, "right": 8, "top": 2, "bottom": 2}
"""Pixels around a chart: the reader's font may be wider than the one it was measured with."""
NARROW = 16
"""A logarithmic axis spans so many times its start at least."""
SVG = "http://www.w3.org/2000/svg"

COLOURS = {
    "#000001": "--ink", "#000002": "--faint", "#000003": "--line", "#00000a": "--a",
    "#00000b": "--b", **{f"#00001{n}": f"--s{n}" for n in range(1, 6)},
}  # fmt: skip
"""What is drawn in a colour is shown in the page's one of that name."""
INK, FAINT, LINE, A, B, *STEPS = COLOURS
SERIES = {"": A, "A": A, "B": B}
"""The colours of a single run, and of two that are held against each other."""

NOT_XML = str.maketrans({"\n": " ", "\ufffe": "\ufffd", "\uffff": "\ufffd"})
"""What a picture cannot hold, beside what nobody could see."""
NOBODY: Mapping[str, str] = {}


class Value(NamedTuple):
    """A bar."""

    name: str
    value: float
    told: str
    """The figure as it stands beside the bar."""
    series: str = ""
    """Which of two that are held against each other; empty where there is one."""


class Point(NamedTuple):
    """A point of a line."""

    x: float
    y: float
    series: str = ""


class Interval(NamedTuple):
    """A column of a histogram."""

    low: float
    high: float
    value: float
    series: str = ""


def there() -> bool:
    """Whether charts can be drawn."""
    return all(importlib.util.find_spec(name) for name in ("altair", "vl_convert"))


def bars(values: Sequence[Value], title: str, told: str, *, most: float | None = None) -> str:
    """Bars one below the other, with their figures; `most` is the length of a whole one."""
    import altair as alt

    names = _names(one.name for one in values)
    series = list(dict.fromkeys(one.series for one in values))
    rows = [
        {"name": names[one.name], "value": one.value, "told": one.told, "series": one.series}
        for one in values
    ]
    top = most or max((one.value for one in values), default=0) or 1
    y = alt.Y("name:N", sort=None, title=None, axis=_names_axis())
    offset = {"yOffset": alt.YOffset("series:N", sort=series)} if len(series) > 1 else {}
    x = alt.X("value:Q", title=None, axis=None, scale=alt.Scale(domain=[0, top * 1.28], nice=False))
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, **offset)
    drawn = base.mark_bar(height={"band": 0.72}).encode(x=x, color=_colour(series))
    said = base.mark_text(align="left", dx=4, fontSize=FONT, color=INK).encode(x=x, text="told:N")
    height = len(names) * (ROW if len(series) == 1 else ROW * 1.5)
    return _svg(alt.layer(drawn, said).properties(height=height), title, told, names)


def shares(rows: Mapping[str, Mapping[int, float]], title: str, told: str) -> str:
    """For each name a bar of 1, parted by score; scores are 1 to 5."""
    import altair as alt

    names = _names(rows)
    found = [
        {"name": names[name], "score": score, "share": share}
        for name, scores in rows.items()
        for score, share in scores.items()
    ]
    chart = (
        alt.Chart(alt.Data(values=found))
        .mark_bar(height={"band": 0.72})
        .encode(
            y=alt.Y("name:N", sort=None, title=None, axis=_names_axis()),
            x=alt.X(
                "sum(share):Q", title=None, scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", values=[0, 0.5, 1], **_ticks()),
            ),
            color=alt.Color(
                "score:O",
                scale=alt.Scale(domain=[1, 2, 3, 4, 5], range=STEPS),
                legend=_legend(),
            ),
            order="score:Q",
        )
        .properties(height=len(names) * ROW)
    )  # fmt: skip
    return _svg(chart, title, told, names)


def lines(points: Sequence[Point], x: str, y: str, title: str, told: str) -> str:
    """Lines, one for each series, from 0."""
    import altair as alt

    series = list(dict.fromkeys(one.series for one in points))
    start = [Point(0, 0, name) for name in series]
    rows = [one._asdict() for one in (*start, *points)]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("x:Q", title=x, axis=_axis(tickCount=4, tickMinStep=1)),
            y=alt.Y("y:Q", title=y, axis=_axis(tickCount=4, tickMinStep=1)),
            color=_colour(series, "stroke"),
        )
        .properties(height=180)
    )
    return _svg(chart, title, told)


def lengths(values: Sequence[Interval], title: str, told: str) -> str:
    """A histogram over a logarithmic axis of characters."""
    import altair as alt

    low, high = min(one.low for one in values), max(one.high for one in values)
    if high < NARROW * low:
        low, high = low * (high / low / NARROW) ** 0.5, high * (NARROW * low / high) ** 0.5
    scale = alt.Scale(type="log", domain=[low, high])
    marks = [one for one in ROUND if low <= one <= high]
    x = alt.X("low:Q", title="characters", scale=scale, axis=_axis(values=marks))
    return _histogram(values, x, title, told)


def histogram(values: Sequence[Interval], x: str, title: str, told: str) -> str:
    """Columns over intervals of 0 to 1; of two series the second is an outline over the first."""
    import altair as alt

    axis = alt.X("low:Q", title=x, scale=alt.Scale(domain=[0, 1]), axis=_axis(tickCount=4))
    return _histogram(values, axis, title, told)


def _histogram(values: Sequence[Interval], x: "alt.X", title: str, told: str) -> str:
    """Of two series the shares are drawn, as the numbers of records may differ."""
    import altair as alt

    series = list(dict.fromkeys(one.series for one in values))
    sums = {name: sum(one.value for one in values if one.series == name) for name in series}
    rows = [
        one._asdict() | ({"value": one.value / sums[one.series]} if len(series) > 1 else {})
        for one in values
        if one.value
    ]
    format = "%" if len(series) > 1 else ",~f"
    whole = {} if len(series) > 1 else {"tickMinStep": 1}  # there is no half record
    axis = alt.Axis(format=format, tickCount=3, **whole, **_ticks())
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=True, nice=True), axis=axis)
    layers = []
    for n, name in enumerate(series):
        colour = SERIES[name]
        mark = {"filled": False, "stroke": colour, "strokeWidth": 2} if n else {"color": colour}
        own = [one for one in rows if one["series"] == name]
        layers.append(
            alt.Chart(alt.Data(values=own))
            .mark_bar(**mark)
            .encode(x=x, x2="high:Q", y=y, y2=alt.datum(0))
        )  # fmt: skip
    return _svg(alt.layer(*layers).properties(height=120), title, told)


def reliability(points: Sequence[Point], title: str, told: str) -> str:
    """How often who is so sure is right: on the diagonal as often as it says."""
    import altair as alt

    series = list(dict.fromkeys(one.series for one in points))
    axis = alt.Axis(format="%", values=[0, 0.5, 1], **_ticks())
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("x:Q", title="said to be likely", scale=scale, axis=axis)
    y = alt.Y("y:Q", title="right", scale=scale, axis=axis)
    even = alt.Chart(alt.Data(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
    dots = alt.Chart(alt.Data(values=[one._asdict() for one in points]))
    return _svg(
        alt.layer(
            even.mark_line(color=FAINT, strokeDash=[4, 4], strokeWidth=1).encode(x=x, y=y),
            dots.mark_line(point={"size": 40, "filled": True}, strokeWidth=2).encode(
                x=x, y=y, color=_colour(series, "stroke")
            ),
        ).properties(height=220),
        title,
        told,
    )


# -- what they share -------------------------------------------------------------------------


def _names(given: Iterable[str]) -> dict[str, str]:
    """A stand-in for each name, as wide and different from all others.

    What data brings never reaches the library that draws: it ends the process on some texts, such
    as a heap of accents. The names are put in their places afterwards.
    """
    names = dict.fromkeys(given)
    return {
        name: f"{i:03}".ljust(min(LONGEST, cell_len(visible(name))), "n")
        for i, name in enumerate(names)
    }


def _shown(names: Mapping[str, str]) -> dict[str, str]:
    """By stand-in the name as a chart shows it; two that are shortened alike stay apart."""
    clean = {stand_in: visible(name).translate(NOT_XML) for name, stand_in in names.items()}
    short = {
        stand_in: name if cell_len(name) <= LONGEST else f"{chop_cells(name, LONGEST - 1)[0]}…"
        for stand_in, name in clean.items()
    }
    often = Counter(short.values())
    return {
        stand_in: name if often[name] == 1 else f"{chop_cells(name, LONGEST - 4)[0]}…{stand_in[:3]}"
        for stand_in, name in short.items()
    }


def _names_axis() -> "alt.Axis":
    import altair as alt

    return alt.Axis(
        labelLimit=0, labelFontSize=FONT, labelColor=INK, ticks=False, domain=False,
        labelPadding=6,
    )  # fmt: skip


def _axis(**marked: JSON) -> "alt.Axis":
    """An axis with counts: 1,200 in full, 12k from ten thousand on."""
    import altair as alt

    said = "datum.value < 10000 ? format(datum.value, ',~f') : format(datum.value, '~s')"
    return alt.Axis(labelExpr=said, labelOverlap="greedy", labelSeparation=8, **_ticks(), **marked)


def _ticks() -> dict[str, JSON]:
    """How an axis with figures looks."""
    return {
        "grid": True, "gridColor": LINE, "domain": False, "ticks": False, "labelColor": FAINT,
        "titleColor": FAINT, "labelFontSize": FONT, "titleFontSize": FONT, "titleFontWeight":
        "normal", "labelPadding": 6,
    }  # fmt: skip


def _legend(symbol: str = "square") -> "alt.Legend":
    import altair as alt

    return alt.Legend(
        orient="top", title=None, labelFontSize=FONT, labelColor=FAINT, symbolType=symbol,
        columnPadding=8,
    )  # fmt: skip


def _colour(series: Sequence[str], symbol: str = "square") -> "alt.Color | alt.ColorValue":
    import altair as alt

    if series in ([], [""]):
        return alt.value(A)
    scale = alt.Scale(domain=list(series), range=[SERIES[name] for name in series])
    return alt.Color("series:N", scale=scale, legend=_legend(symbol))


def _svg(
    chart: "alt.LayerChart | alt.Chart", title: str, told: str, names: Mapping[str, str] = NOBODY
) -> str:
    import vl_convert

    sized = chart.properties(
        width=WIDTH, autosize={"type": "fit-x", "contains": "padding"}, padding=SLACK
    ).configure(background="transparent", font="sans-serif")
    sized = sized.configure_view(stroke=None)
    drawn = vl_convert.vegalite_to_svg(sized.to_dict())
    return _for_a_page(drawn, f"{title}. {told}", _shown(names))


def _for_a_page(drawn: str, told: str, shown: Mapping[str, str]) -> str:
    """The picture with the page's colours and fonts, its names, what it tells, and no more."""
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(drawn)
    size = {name: root.attrib[name] for name in ("viewBox", "width", "height")}
    root.attrib = {**size, "role": "img", "aria-label": visible(told).translate(NOT_XML)}
    for parent in list(root.iter()):
        for child in list(parent):
            child.text = shown.get(child.text or "", child.text)
            classes = child.attrib.pop("class", "")
            if classes in ("foreground", "background"):
                parent.remove(child)
                continue
            for name in list(child.attrib):
                if name.startswith("aria-") or name in ("role", "font-family", "pointer-events"):
                    del child.attrib[name]
            for name in ("fill", "stroke"):
                if variable := COLOURS.get(child.attrib.get(name, "")):
                    child.attrib[name] = f"var({variable})"
    # In a page the namespace goes without saying.
    return ElementTree.tostring(root, encoding="unicode").replace(f' xmlns="{SVG}"', "", 1)
