"""The report in a real browser: it asks for nothing, and no text overlaps or is cut, anywhere."""

import pytest
from hostile import ODD_TEXTS
from reports import full

from distillgen import charts, facts, report
from distillgen.charts import Interval, Point, Value

SIGHTS = [(360, "light"), (360, "dark"), (768, "light"), (1280, "light"), (1280, "dark")]
HOSTILE = (
    "<script>document.body.innerHTML = ''; fetch('http://evil.invalid/')</script>"
    "<img src=http://evil.invalid/x.png onerror=alert(1)><svg onload=alert(1)><style>"
    "*{display:none}</style></table></section></main><a href='javascript:alert(1)'>x</a>"
    "{{ 7 * 7 }}{% raw %}%s"
    "\u202eevas\u202c\x1b[31m\x00" + "w" * 3000 + "Ж" * 300 + "Z" + "\u0301" * 60
)
CLIPPED = """() => {
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    if (one.closest('svg') || !one.textContent.trim()) continue;
    if (!one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})) continue;
    const style = getComputedStyle(one);
    const hides = style.overflowX !== 'visible' || style.overflowY !== 'visible';
    if (hides && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1))
      found.push(one.outerHTML.slice(0, 200));
    const box = one.getBoundingClientRect();
    if (box.width && (box.right > innerWidth + 1 || box.left < -1))
      found.push('beyond: ' + one.outerHTML.slice(0, 200));
  }
  return found;
}"""
OVERLAPS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg')) {
    const texts = [...svg.querySelectorAll('text')].map(one => [one, one.getBoundingClientRect()])
      .filter(([one, box]) => box.width && +(one.getAttribute('opacity') ?? 1));
    const size = document.documentElement.clientWidth;
    texts.forEach(([one, a], i) => {
      if (a.left < 0 || a.right > size) found.push('outside: ' + one.textContent);
      for (const [other, b] of texts.slice(i + 1)) {
        const over = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const under = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (over > 1 && under > 3) found.push(one.textContent + ' / ' + other.textContent);
      }
    });
  }
  return found;
}"""
CROSSING = """() => {
  const cells = [...document.querySelectorAll('th, td, dt, dd, figcaption, li, h2, h3')]
    .filter(one => one.checkVisibility({contentVisibilityAuto: true}) && one.textContent.trim());
  const found = [];
  for (const one of cells) {
    const range = document.createRange();
    range.selectNodeContents(one);
    const text = range.getBoundingClientRect(), box = one.getBoundingClientRect();
    if (text.right > box.right + 1 || text.left < box.left - 1)
      found.push(one.outerHTML.slice(0, 200));
  }
  return found;
}"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll('body, body *')]
  .filter(one => [...one.childNodes].some(part => part.nodeType === 3 && part.data.trim()))
  .filter(one => one.checkVisibility({contentVisibilityAuto: true}))
  .map(one => {
    const size = parseFloat(getComputedStyle(one).fontSize);
    const svg = one.closest('svg');
    return svg ? size * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : size;
  }))"""
CONTRAST = """() => {
  const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const bright = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = one => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)|transparent/.test(colour)) return rgb(colour);
    }
    return [255, 255, 255];
  };
  return Math.min(...[...document.querySelectorAll('body *')]
    .filter(one => [...one.childNodes].some(part => part.nodeType === 3 && part.data.trim()))
    .filter(one => one.checkVisibility({contentVisibilityAuto: true}))
    .map(one => {
      const style = getComputedStyle(one);
      const front = one.closest('svg') ? style.fill : style.color;
      const [a, b] = [bright(rgb(front)), bright(behind(one))].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05);
    }));
}"""
ELEMENTS = "() => [...document.querySelectorAll('*')].map(one => one.tagName)"


def page_of(folder, *runs):
    path = folder / "report.html"
    report.write(path, [facts.of(run) for run in runs])
    return path


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A report of an open task, of a closed one, of both, and of a hostile run."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {
        "open": full(folder / "gold"), "closed": full(folder / "labels", closed=True),
        "hostile": full(folder / "bad", 12, text=HOSTILE),
        "bad_labels": full(folder / "worse", 12, text=HOSTILE, closed=True),
    }  # fmt: skip
    made = {name: page_of(folder / f"of-{name}", run) for name, run in runs.items()}
    return made | {
        "both": page_of(folder / "of-both", runs["open"], runs["closed"]),
        "bad": page_of(folder / "of-bad", runs["hostile"], runs["bad_labels"]),
    }


KINDS = ("open", "closed", "both", "hostile", "bad_labels", "bad")


@pytest.mark.parametrize("sight", SIGHTS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_it_asks_for_nothing_and_says_nothing(pages, opened, kind, sight):
    found = opened(pages[kind], *sight)
    assert found.asked == []
    assert found.said == []


@pytest.mark.parametrize("unfolded", [False, True], ids=["folded", "unfolded"])
@pytest.mark.parametrize("sight", SIGHTS[::2], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_cut_or_overlaps(pages, opened, kind, sight, unfolded):
    page = opened(pages[kind], *sight).page
    if unfolded:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(CROSSING) == []
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("most", [90, 1_200, 30_000, 2_000_000])
def test_the_labels_of_an_axis_keep_apart_however_far_it_goes(tmp_path, opened, most):
    steps = [Point(most * i / 9, most * i / 11) for i in range(1, 10)]
    columns = [Interval(most / 2**i, most / 2 ** (i - 1), most / i) for i in range(12, 0, -1)]
    drawn = (
        charts.lines(steps, "proposals", "new inputs", "Yield", "more"),
        charts.lengths(columns, "Lengths", "some"),
        charts.bars([Value(str(i), most * i, f"{most * i:,} (100 %)") for i in (1, 2)], "B", "two"),
    )
    path = tmp_path / "charts.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{''.join(drawn)}")
    page = opened(path, 360).page
    assert page.evaluate("document.querySelectorAll('svg text').length") > 12
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("kind", KINDS)
def test_on_paper_nothing_is_cut_and_what_is_folded_stands_open(pages, opened, kind):
    page = opened(pages[kind], 720, media="print").page
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(OVERLAPS) == []
    folded = page.evaluate(
        "[...document.querySelectorAll('.card details > .text')]"
        ".filter(one => !one.getBoundingClientRect().height).length"
    )
    assert folded == 0
    assert len(page.pdf(format="A4")) > 10_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_shows_no_text_below_11_pixels(pages, opened, kind):
    assert opened(pages[kind], 360).page.evaluate(SMALLEST) >= 11


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["closed", "both"])
def test_every_text_can_be_told_from_what_is_behind_it(pages, opened, kind, scheme):
    assert opened(pages[kind], 1280, scheme).page.evaluate(CONTRAST) >= 4.5


def test_light_and_dark_differ_in_charts_too(pages, opened):
    fills = "getComputedStyle(document.querySelector('svg text')).fill"
    light, dark = (
        opened(pages["open"], 1280, one).page.evaluate(fills) for one in ("light", "dark")
    )
    assert light != dark


def test_a_hostile_run_adds_no_element(pages, opened):
    page = opened(pages["hostile"], 1280).page
    found = page.evaluate(ELEMENTS)
    assert not {"SCRIPT", "IMG", "IFRAME", "OBJECT", "FORM"} & set(found)
    assert found.count("STYLE") == 1
    assert page.evaluate("document.body.lastElementChild.tagName") == "FOOTER"
    links = page.evaluate("[...document.links].map(one => one.getAttribute('href')[0])")
    assert set(links) == {"#"}


@pytest.mark.parametrize("name", ["a word without end", "lines without end", "a heap of accents"])
def test_a_text_of_a_hundred_thousand_characters_does_not_widen_the_page(tmp_path, opened, name):
    path = page_of(tmp_path, full(tmp_path / "run", 3, text=ODD_TEXTS[name]))
    page = opened(path, 360).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(CLIPPED) == []
