"""The review page in real browsers: by key alone, by mouse alone, through reloads and kills."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import ODD_TEXTS
from playwright.sync_api import Page, expect
from reviews import Served, decisions, record, run, served

from distillgen.records import digest

from .acts import named, press, reviewed
from .firefox import Firefox

AXE = "axe-core@4.14.1"
MARKUP = {
    "a script": "<script>window.hit = 1</script>",
    "a script that breaks out": "</div></textarea></script><script>window.hit = 1</script>",
    "an image": "<img src=x onerror='window.hit = 1'>",
    "an SVG": "<svg onload='window.hit = 1'><script>window.hit = 1</script></svg>",
    "MathML": "<math><mtext><style><img src=x onerror=window.hit=1></style></mtext></math>",
    "a template": "<template><img src=x onerror='window.hit=1'></template>",
    "a link": "<a href='javascript:window.hit = 1' id=record>x</a> javascript:window.hit=1",
    "a frame": "<iframe srcdoc='<script>parent.hit = 1</script>'></iframe>",
    "an object": "<object data='javascript:window.hit=1'></object><embed src=javascript:hit=1>",
    "a form": "<form id=filters action=//evil.invalid><input autofocus onfocus=hit=1></form>",
    "a style": "<style>*{display:none}</style><link rel=stylesheet href=//evil.invalid>",
    "a base": "<base href=//evil.invalid><meta http-equiv=refresh content='0;url=//evil.invalid'>",
    "an attribute": '" onmouseover="window.hit=1" autofocus onfocus=\'window.hit=1\' x="',
    "Markdown": "[x](javascript:window.hit=1) ![x](http://evil.invalid/x.png)",
    "a comment": "<!--><img src=x onerror=window.hit=1>-->",
    "an entity": "&lt;b&gt; &#60;script&#62; &amp;",
    "a template of a script": "${window.hit = 1} {{constructor.constructor('hit=1')()}}",
    "a name of our own": "__proto__",
}
HOSTILE = MARKUP | ODD_TEXTS
TAGS = set(
    "article aside section h2 h3 p div span button kbd label textarea dl dt dd ul li strong b"  # noqa: SIM905
    " details summary del ins".split()
)
"""All that the page itself is made of, while a record is read."""
HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffc\ufffe\uffff\U000e0000-\U000e007f]"
)


def counted(gold: Path) -> dict[str, int]:
    said = [one["decision"] for one in decisions(gold)]
    return {name: said.count(name) for name in sorted(set(said))}


def test_a_whole_review_by_keyboard_alone_through_a_reload(gold, visit):
    with served(gold) as page_of:
        page = named(visit(page_of.address))
        assert page_of.token not in page.url
        for _ in range(8):
            press(page, "a")
        press(page, "r", "2")
        page.keyboard.press("r")
        page.keyboard.press("6")
        page.keyboard.type("2 facts, too bold")
        press(page, "Enter")
        page.keyboard.press("e")
        page.keyboard.press("Control+End")
        page.keyboard.type(" Or nothing.")
        expect(page.locator("#record .answer ins")).to_contain_text("Or nothing.")
        page.reload()
        expect(page.locator("#record .answer textarea")).to_have_value(re.compile("Or nothing"))
        page.keyboard.press("Control+Enter")
        reviewed(page, 11)
        press(page, "s")
        page.reload()
        expect(page.locator("#record .question")).to_be_visible()
        reviewed(page, 11)
        page.keyboard.press("n")
        page.keyboard.type("a good one")
        page.keyboard.press("Escape")
        press(page, "a")
        press(page, "u")
        reviewed(page, 11)
        for _ in range(17):
            press(page, "a")
        page.keyboard.press("a")
        expect(page.get_by_text("Nothing is left for you")).to_be_visible()
        reviewed(page, 29)
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Look at what you skipped")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Filter: on")).to_be_visible()
        expect(page.locator("#record .question")).to_be_visible()
        page.keyboard.press("a")
        reviewed(page, 30)
        expect(page.get_by_text("You accepted it")).to_be_visible()
    assert counted(gold) == {"accept": 28, "edit": 1, "reject": 2, "skip": 1, "undo": 1}
    reasons = [one["reason"] for one in decisions(gold) if one["decision"] == "reject"]
    assert reasons == ["The rationale does not support the answer", "2 facts, too bold"]
    assert [one["note"] for one in decisions(gold) if one.get("note")] == [
        "a good one"
    ] * 2  # undo keeps it
    assert {one["id"] for one in decisions(gold)} == {f"r{n:06}" for n in range(30)}
    taken = [one["id"] for one in decisions(gold) if one["decision"] not in ("undo", "skip")]
    assert len(taken) == 31  # one of them twice, taken back in between


def test_a_whole_review_by_mouse_alone(gold, visit):
    with served(gold) as page_of:
        page = visit(page_of.address)
        page.get_by_label("Your name").fill("Anna")  # the one thing that is typed, and an edit
        page.get_by_role("button", name="Start").click()
        for n in range(1, 31):
            expect(page.locator("#record .question")).to_be_visible()
            if n == 5:
                page.get_by_role("button", name="Edit").click()
                page.locator("#record .answer textarea").fill("Half of it.")
                page.get_by_role("button", name="Save edit").click()
            elif n == 9:
                page.get_by_role("button", name="Reject").click()
                page.get_by_role("button", name="Badly written").click()
            elif page.get_by_role("button", name="Choose this instead").count() and n > 20:
                page.get_by_role("button", name="Choose this instead").click()
                page.get_by_role("button", name="Save edit").click()
            else:
                page.get_by_role("button", name="Accept").click()
            reviewed(page, n)
            if n == 7:
                page.get_by_role("button", name="Undo").click()
                reviewed(page, 6)
                page.get_by_role("button", name="Accept").click()
                reviewed(page, 7)
        expect(page.get_by_text("Everything is reviewed")).to_be_visible()
        page.get_by_role("button", name="Look at what was decided").click()
        expect(page.get_by_text("You accepted it")).to_be_visible()
    found = decisions(gold)
    assert sorted({one["id"] for one in found}) == [f"r{n:06}" for n in range(30)]
    assert any(one.get("candidate") == 1 for one in found)
    assert counted(gold)["reject"] == counted(gold)["undo"] == 1


def test_a_server_killed_between_two_decisions_and_started_again_has_every_decision_once(
    gold, visit
):
    with served(gold) as first:
        page = named(visit(first.address))
        press(page, "a")
        press(page, "a")
        page.keyboard.press("e")
        page.keyboard.type("MINE ")
        first.process.kill()
        first.process.wait()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("alert")).to_contain_text("may not be saved yet")
    with served(gold, first.port) as second:
        expect(page.get_by_role("alert")).to_contain_text("what you were writing is there, too")
        page.goto(second.address)
        expect(page.locator("#record .answer textarea")).to_have_value(re.compile("MINE"))
        reviewed(page, 2)
        page.keyboard.press("Control+Enter")
        reviewed(page, 3)
    assert len(decisions(gold)) == len({one["id"] for one in decisions(gold)}) == 3


def test_a_conflict_of_two_reviewers_is_listed_and_settled(gold, visit):
    with served(gold, double=1.0) as page_of:
        press(named(visit(page_of.address)), "a")
        page = named(visit(page_of.address), "Ben")
        expect(page.get_by_text("each decides alone")).to_be_visible()
        press(page, "r", "1")
        page.get_by_role("button", name="Conflicts: 1").click()
        expect(page.get_by_text("Anna accepts it · Ben rejects it")).to_be_visible()
        page.locator(".list button").click()
        expect(page.get_by_text("The reviewers differ.")).to_be_visible()
        page.get_by_role("button", name="Take Anna’s decision").click()
        expect(page.get_by_role("button", name="Conflicts: 1")).to_be_hidden()
        page.locator("#estimate summary").click()
        expect(page.get_by_text("the same decision on 0% of 1 record.")).to_be_visible()
    last = decisions(gold)[-1]
    assert (last["decision"], last["settles"], last["reviewer"]) == ("accept", True, "Ben")


def test_a_decision_that_somebody_overtook_is_not_written_and_the_record_shown_anew(gold, visit):
    with served(gold) as page_of:
        page = named(visit(page_of.address))
        found = page_of.next()["record"]
        page.keyboard.press("e")
        page.keyboard.type("MINE ")
        page_of.decide(found, "reject", reviewer="Ben", reason="no")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("status")).to_contain_text("Ben decided about it")
        expect(page.locator("#record .answer textarea")).to_have_value(re.compile("MINE"))
        expect(page.locator(".banner")).to_contain_text("your words are still below")
        expect(page.locator(".banner")).to_contain_text("Ben rejected it: no")
    assert len(decisions(gold)) == 1


def test_the_estimate_is_shown_with_what_it_means_and_how_long_it_takes(gold, visit):
    with served(gold) as page_of:
        page = named(visit(page_of.address))
        expect(page.locator("#estimate summary")).to_contain_text("not enough is reviewed")
        for _ in range(9):
            press(page, "a")
        reviewed(page, 9)
        expect(page.locator("#progress")).to_have_text("9 of 30 reviewed · under a minute left")
        expect(page.locator("#estimate summary")).to_have_text(re.compile(
            r"^estimated error of the kept set 0% \[0%, \d+%\], \d+ more reviews for ± 5"
            r" \(under a minute\)$"
        ))  # fmt: skip
        expect(page.get_by_text("About 0 of the 30 records that are kept")).to_be_hidden()
        page.locator("#estimate summary").click()
        expect(page.get_by_text("About 0 of the 30 records that are kept")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_text("About 0 of the 30 records that are kept")).to_be_hidden()


def test_what_is_left_to_settle_is_said_at_the_end(tmp_path, visit):
    with served(run(tmp_path / "gold", [record(0)]), double=1.0) as page_of:
        page_of.decide(page_of.next()["record"], "accept")
        page = named(visit(page_of.address), "Ben")
        page.keyboard.press("r")
        page.keyboard.press("1")
        expect(page.get_by_text("Everything is reviewed")).to_be_visible()
        page.get_by_role("button", name="Settle where the reviewers differ").click()
        page.locator(".list button").click()
        expect(page.get_by_text("The reviewers differ.")).to_be_visible()
        page.keyboard.press("2")
        expect(page.get_by_text("Settled")).to_be_visible()
    assert decisions(tmp_path / "gold")[-1]["settles"]


def test_filters_show_what_they_name(gold, visit):
    with served(gold) as page_of:
        page = named(visit(page_of.address))
        page.keyboard.press("/")
        page.keyboard.type("nowhere in it")
        page.keyboard.press("Enter")
        expect(page.get_by_text("No record matches")).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        page.get_by_label("Failed a check").select_option("grounded")
        expect(page.locator("#progress")).to_contain_text("8 of 8 in this filter")
        expect(page.get_by_text("grounded: failed")).to_be_visible()
        page.get_by_label("Topic").select_option("metals")
        expect(page.locator("#progress")).to_contain_text("3 of 3 in this filter")


FIELDS = ("user_context", "question", "rationale", "answer", "label")


def hostile(n: int, text: str) -> dict[str, Any]:
    """A record that holds the text wherever it can."""
    other = {"teacher": text, "rationale": text, "answer": text, "label": f"{text}!",
             "request": "k", "style": text[:200]}  # fmt: skip
    verdict = {"passed": False, "value": text}
    return record(n, **dict.fromkeys(FIELDS, text), topic=[text], attributes={text[:200]: text},
                  persona=text, teacher=text, meta={text[:200]: text}, gold=text, flags=[text],
                  checks={"grounded": verdict, text[:200]: verdict}, images=[text[:200]],
                  soft_label={text[:200]: 1.0}, strategy=text[:200], style=text[:200],
                  candidates=[other, {**other, "problem": text}])  # fmt: skip


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory) -> Iterator[Served]:
    """A page whose every record is hostile; two reviewers differ on each, in hostile words."""
    folder = run(tmp_path_factory.mktemp("hostile") / "gold",
                 [hostile(n, text) for n, text in enumerate(HOSTILE.values())])  # fmt: skip
    scores, reviews = [], []
    for n, text in enumerate(HOSTILE.values()):
        id, fields, who = f"r{n:06}", dict.fromkeys(FIELDS, f"{text} {text[:99]}"), text[:200]
        scores.append({"id": id, "line": n + 1, "scores": {text[:200]: 3}, "judge": text,
                       "of": digest([text] * 4)[:16], "analysis": text})  # fmt: skip
        reviews.append({"id": id, "reviewer": who, "decision": "edit", "fields": fields,
                        "note": text})  # fmt: skip
        reviews.append({"id": id, "reviewer": f"{who}.", "decision": "reject", "reason": text})
    for name, rows in (("scores", scores), ("reviews", reviews)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)
    with served(folder) as found:
        yield found


@pytest.mark.parametrize("n", range(len(HOSTILE)), ids=HOSTILE)
def test_a_hostile_text_is_shown_as_text_in_every_field_and_does_nothing(hostile_page, visit, n):
    text = list(HOSTILE.values())[n]
    page, dialogs, asked = visit(hostile_page.address), [], []
    page.on("dialog", lambda one: dialogs.append(one.dismiss()))
    page.on("request", lambda one: asked.append(one.url))
    page.get_by_label("Your name").fill("Anna")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Everything is reviewed")).to_be_visible()
    page.evaluate(f"sessionStorage.setItem('place', {n})")
    page.reload()
    expect(page.locator(".facts dd").last).to_have_text(f"r{n:06}")
    expect(page.get_by_text("The reviewers differ.")).to_be_visible()
    spelled = HIDDEN.sub(lambda one: f"\\u{ord(one[0]):04x}", text.replace("\r\n", "\n"))
    told = page.locator("main").text_content()
    assert told.count(spelled[:99]) >= 20  # of every field, its change, judge, checks, others
    for name in FIELDS:
        shown = page.locator(f"#record .{name} .text").text_content()
        assert shown == spelled or spelled.startswith(shown.removesuffix(" …")), name
    tags = page.evaluate("() => [...document.querySelectorAll('main *')].map(one => one.localName)")
    assert set(tags) <= TAGS
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Save edit")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Filter /").click()
    page.get_by_role("button", name="Conflicts: ").click()
    expect(page.locator(".list li")).to_have_count(len(HOSTILE))
    assert page.evaluate("() => window.hit === undefined")
    assert not dialogs
    ours = f"http://127.0.0.1:{hostile_page.port}/"
    assert [url for url in asked if not url.startswith((ours, "data:"))] == []
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.fixture(scope="session")
def axe(tmp_path_factory) -> str:
    """The script of axe-core, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    assert npm, "this test needs npm"
    subprocess.run([npm, "pack", "--silent", AXE], cwd=folder, check=True, capture_output=True)
    (packed,) = folder.glob("*.tgz")
    shutil.unpack_archive(packed, folder)
    return (folder / "package" / "axe.min.js").read_text()


def findings(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['impact']} {one['id']}: {node['html'][:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_state_has_a_finding_of_accessibility(gold, visit, axe, width, scheme):
    with served(gold, double=1.0) as page_of:
        page = visit(page_of.address, width, scheme)
        found = {"name": findings(page, axe)}
        named(page)
        while page.locator("#candidates").is_hidden():
            press(page, "a")
        found["record"] = findings(page, axe)
        page.get_by_role("button", name="See the other answer").click()
        expect(page.locator("#candidates")).to_be_focused()
        page.locator("#estimate summary").click()
        found["estimate"] = findings(page, axe)
        press(page, "a")
        page.keyboard.press("e")
        page.keyboard.type("Never. ")
        expect(page.locator("ins")).to_be_visible()
        found["edit"] = findings(page, axe)
        page.keyboard.press("Escape")
        page.keyboard.press("r")
        found["reject"] = findings(page, axe)
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        found["help"] = findings(page, axe)
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        found["filters"] = findings(page, axe)
        page.keyboard.type("nowhere in it")
        page.keyboard.press("Enter")
        expect(page.get_by_text("No record matches")).to_be_visible()
        found["empty"] = findings(page, axe)
        page = named(visit(page_of.address, width, scheme), "Ben")
        press(page, "r", "1")
        page.get_by_role("button", name="Conflicts: 1").click()
        found["conflicts"] = findings(page, axe)
        page.locator(".list button").click()
        expect(page.get_by_text("The reviewers differ.")).to_be_visible()
        found["conflict"] = findings(page, axe)
        page_of.process.kill()
        page.keyboard.press("a")
        expect(page.get_by_role("alert")).to_be_visible()
        found["gone"] = findings(page, axe)
    assert {name: one for name, one in found.items() if one} == {}


@pytest.fixture
def firefox() -> Iterator[Firefox]:
    started = Firefox()
    yield started
    started.close()


def test_firefox_reviews_edits_undoes_and_reloads(gold, firefox):
    shown = "document.querySelector('#record .question .text')?.innerText ?? ''"

    def goes_on(*keys: str) -> None:
        before = firefox.evaluate(shown)
        firefox.press(*keys)
        firefox.until(f"({shown}) && ({shown}) !== {before!r}")

    with served(gold) as page_of:
        firefox.goto(page_of.address)
        firefox.until("document.querySelector('#who').open")
        firefox.press(*"Anna", "Enter")
        firefox.until(shown)
        assert page_of.token not in firefox.evaluate("location.href")
        goes_on("a")
        firefox.press("e")
        firefox.until("document.activeElement.localName === 'textarea'")
        firefox.press("Control+End", *" Or nothing.")
        firefox.until("document.querySelector('ins')?.textContent.includes('Or nothing.')")
        firefox.reload()
        firefox.until("document.querySelector('.answer textarea')?.value.endsWith('Or nothing.')")
        firefox.press("Control+Enter")
        firefox.until("document.querySelector('#progress').innerText.includes('2 of 30')")
        goes_on("r", "1")
        goes_on("u")
        before = firefox.evaluate(shown)
        firefox.click("#accept")
        firefox.until(f"({shown}) !== {before!r}")
        width = "document.documentElement.scrollWidth - innerWidth"
        firefox.resize(360, 700)
        assert firefox.evaluate(width) <= 0
    assert [one["decision"] for one in decisions(gold)] == [
        "accept", "edit", "reject", "undo", "accept"
    ]  # fmt: skip
    assert firefox.said == []
