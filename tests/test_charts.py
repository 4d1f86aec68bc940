"""Charts: whatever they are given, one picture with the page's colours, told in words, too."""

import re
from xml.etree import ElementTree

import pytest
from hostile import ODD_TEXTS

from distillgen import charts
from distillgen.charts import Interval, Point, Value

COLUMN = re.compile(r'd="M([\d.]+),0h([\d.]+)v')


def bars(*names, series=("",)):
    values = [Value(name, 3, "3 (30 %)", one) for name in names for one in series]
    return charts.bars(values, "Bars", "three each")


DRAWN = {
    "bars": lambda *s: bars("asked", "kept", series=s),
    "shares": lambda *s: charts.shares({f"is {one}": {1: 0.5, 5: 0.5} for one in s}, "Bars", "all"),
    "lines": lambda *s: charts.lines(
        [Point(x, x / 2, one) for one in s for x in (10, 900)], "asked", "kept", "Lines", "half"
    ),
    "lengths": lambda *s: charts.lengths(
        [Interval(40, 57, 5, one) for one in s], "Lengths", "five"
    ),
    "histogram": lambda *s: charts.histogram(
        [Interval(k / 20, (k + 1) / 20, k, one) for one in s for k in range(20)], "near", "H", "all"
    ),
    "reliability": lambda *s: charts.reliability(
        [Point(0.4, 0.5, one) for one in s] + [Point(0.9, 0.8, one) for one in s], "R", "fair"
    ),
}  # fmt: skip


def texts(svg):
    return [one.text for one in ElementTree.fromstring(svg).iter("text")]


def structure(svg):
    return [(one.tag, sorted(one.attrib)) for one in ElementTree.fromstring(svg).iter()]


@pytest.mark.parametrize("series", [("",), ("A", "B"), ("B",)], ids=str)
@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_fits_a_phone_and_has_the_pages_colours_alone(kind, series):
    svg = DRAWN[kind](*series)
    root = ElementTree.fromstring(svg)
    assert root.tag == "svg"
    assert float(root.attrib["width"]) <= charts.WIDTH
    assert root.attrib["role"] == "img"
    assert not re.search(r"#[0-9a-f]{3}|http|font-family", svg)
    used = set(re.findall(r"var\((--[a-z0-9]+)\)", svg))
    assert used <= set(charts.COLOURS.values())
    if kind not in ("shares",):
        assert ("--a" in used, "--b" in used) == ("A" in series or "" in series, "B" in series)


@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_is_told_in_words(kind):
    label = ElementTree.fromstring(DRAWN[kind]("")).attrib["aria-label"]
    assert re.fullmatch(r"[A-Z]\w*\. \w+.*", label)


@pytest.mark.parametrize("kind", DRAWN)
def test_no_text_of_a_chart_is_smaller_than_a_phone_needs(kind):
    sizes = re.findall(r'font-size="([\d.]+)px"', DRAWN[kind]("A", "B"))
    assert sizes
    assert min(map(float, sizes)) >= 12


def test_a_bar_has_its_name_and_its_figure():
    assert {"asked", "kept", "3 (30 %)"} <= set(texts(bars("asked", "kept")))


def test_the_same_figures_are_the_same_picture():
    assert bars("asked") == bars("asked")


def test_names_that_begin_alike_stay_apart():
    long = "a label that is much too long for a phone"
    shown = [text for text in texts(bars(f"{long} 1", f"{long} 2")) if text.startswith("a label")]
    assert len(set(shown)) == 2
    assert all(len(text) <= charts.LONGEST for text in shown)
    assert shown == sorted(shown)


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_a_hostile_name_adds_nothing(name):
    assert structure(bars(ODD_TEXTS[name], "kept")) == structure(bars("a harmless name", "kept"))


def test_lengths_that_are_all_the_same_are_a_column_and_no_block():
    (column,) = re.findall(
        r'd="M([\d.]+),0h([\d.]+)v', charts.lengths([Interval(40, 48, 9)], "L", "")
    )
    assert float(column[1]) < charts.WIDTH / 4
