"""The review page's server: nobody but its own page is answered, and decisions arrive once."""

import json
import re
import signal
import socket
import stat
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from hostile import ODD_TEXTS
from reviews import Served, decisions, record, run, served

from distillgen.errors import DONE, TERMINATED, UserError
from distillgen.records import Answer
from distillgen.review import server as serving
from distillgen.review.desk import Desk
from distillgen.review.guard import LARGEST
from distillgen.review.server import Server

CANARY = "Hold a tenth"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = run(tmp_path_factory.mktemp("review") / "gold", [record(n) for n in range(12)])
    with served(folder) as found:
        yield found


@pytest.fixture
def fresh(tmp_path):
    with served(run(tmp_path / "gold", [record(n) for n in range(12)])) as found:
        yield found


def raw(port: int, method: str, path: str, headers: dict[str, str | list[str]], body=b"") -> str:
    """Send a request exactly as it is written; the reply, to its end."""
    lines = [f"{method} {path} HTTP/1.1"]
    for name, value in headers.items():
        lines += [f"{name}: {one}" for one in (value if isinstance(value, list) else [value])]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body)
        found = b""
        while part := link.recv(1 << 16):
            found += part
    return found.decode("utf-8", "replace")


def good(page: Served, **changed: str | list[str] | None) -> dict[str, str | list[str]]:
    """The headers that the page sends, but for these; None leaves one out."""
    host = f"127.0.0.1:{page.port}"
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin",
               "Authorization": f"Bearer {page.token}"}  # fmt: skip
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in {**headers, **named}.items() if value is not None}


OLD = "x" * 43
HOSTS = {
    "another name": "evil.example:{port}",
    "a name that was bound to loopback": "127.0.0.1.evil.example:{port}",
    "our name as a user": "127.0.0.1:{port}@evil.example",
    "another port": "127.0.0.1:1",
    "no port": "127.0.0.1",
    "port zero": "127.0.0.1:0",
    "the other loopback address": "127.0.0.2:{port}",
    "everywhere": "0.0.0.0:{port}",
    "a short form": "127.1:{port}",
    "a number": "2130706433:{port}",
    "a trailing dot": "localhost.:{port}",
    "a subdomain": "evil.localhost:{port}",
    "empty": "",
    "two": ["127.0.0.1:{port}", "evil.example"],
}
ORIGINS = {
    "another site": "http://evil.example",
    "another port": "http://127.0.0.1:1",
    "no port": "http://127.0.0.1",
    "https": "https://127.0.0.1:{port}",
    "null": "null",
    "a file": "file://",
    "a longer name": "http://127.0.0.1:{port}.evil.example",
    "ours as a user": "http://127.0.0.1:{port}@evil.example",
    "with a path": "http://127.0.0.1:{port}/",
    "two": ["http://127.0.0.1:{port}", "http://evil.example"],
    "empty": "",
}
KEYS = {
    "none": None,
    "empty": "",
    "no token": "Bearer ",
    "an old one": f"Bearer {OLD}",
    "half": "Bearer {half}",
    "more": "Bearer {token}x",
    "in capitals": "Bearer {upper}",
    "as basic": "Basic {token}",
    "bare": "{token}",
    "beyond ASCII": "Bearer \xe4\xf6\xfc",
}
TYPES = {
    "none": None,
    "a form": "application/x-www-form-urlencoded",
    "plain text": "text/plain",
    "a form in parts": "multipart/form-data; boundary=x",
    "JSON of another kind": "application/json-patch+json",
    "text that ends in JSON": "text/plain; application/json",
    "empty": "",
}
PATHS = [
    "/../../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd", "/etc/passwd", "/..\\..\\etc\\passwd", "/answers.jsonl", "/reviews.jsonl",
    "/api/../answers.jsonl", "/api/..%2fanswers.jsonl", "/page.js/../../store.py", "/page.css%00",
    "/page.html", "/store.py", "/static/page.js", "/.git/config", "/api/", "/api", "/api/next/",
    "/api/record/../../x", "/API/next?reviewer=Anna", "/api/%6eext%2f..", "/?t=&t={token}",
    "/?t={token}&t=x", "/?t=" + OLD, "/?t=%00", "/?T={token}",
]  # fmt: skip
METHODS = ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT", "PROPFIND", "get"]


def filled(page: Served, value):
    if isinstance(value, list):
        return [filled(page, one) for one in value]
    token = page.token
    return value and value.format(port=page.port, token=token, half=token[:20], upper=token.upper())


def attacks():
    """Each with its name: method, path, and what its headers have in place of the page's."""
    for name, value in HOSTS.items():
        yield f"host: {name}", "GET", "/api/next?reviewer=Anna", {"Host": value}
        yield f"host, to write: {name}", "POST", "/api/decisions", {"Host": value}
    for name, value in ORIGINS.items():
        yield f"origin: {name}", "POST", "/api/decisions", {"Origin": value}
        yield f"origin, to read: {name}", "GET", "/api/next?reviewer=Anna", {"Origin": value}
    yield "no origin", "POST", "/api/decisions", {"Origin": None}
    for name, value in KEYS.items():
        yield f"key: {name}", "GET", "/api/next?reviewer=Anna", {"Authorization": value}
        yield f"key, to write: {name}", "POST", "/api/decisions", {"Authorization": value}
    for name, value in TYPES.items():
        yield f"type: {name}", "POST", "/api/decisions", {"Content_Type": value}
    for path in PATHS:
        yield f"path: {path}", "GET", path, {"Authorization": None}
        if "t=" not in path.lower():
            yield f"path, with the key: {path}", "GET", path, {}
    for method in METHODS:
        yield f"method: {method}", method, "/api/decisions", {}
    for site in ("cross-site", "same-site"):
        yield f"{site}, to read", "GET", "/api/next?reviewer=Anna", {"Sec_Fetch_Site": site}
        yield f"{site}, to write", "POST", "/api/decisions", {"Sec_Fetch_Site": site}
        yield f"{site}, the script", "GET", "/page.js", {"Sec_Fetch_Site": site}
    yield "in a frame", "GET", "/?t={token}", {"Sec_Fetch_Dest": "iframe"}
    yield "as a script", "GET", "/?t={token}", {"Sec_Fetch_Dest": "script"}
    yield (
        "the key in the address",
        "GET",
        "/api/next?reviewer=Anna&t={token}",
        {"Authorization": None},
    )
    yield "the key as a cookie", "GET", "/api/next?reviewer=Anna", {
        "Authorization": None, "Cookie": "distillgen-{port}={token}"
    }  # fmt: skip
    yield "the page without a cookie", "GET", "/", {"Authorization": None}
    yield "the page with an old cookie", "GET", "/", {"Cookie": f"distillgen-{{port}}={OLD}"}
    yield "the style without a cookie", "GET", "/page.css", {}
    yield "a web socket", "GET", "/api/next", {"Authorization": None, "Upgrade": "websocket"}
    yield "too large", "POST", "/api/decisions", {"Content_Length": str(LARGEST + 1)}
    yield "no length", "POST", "/api/decisions", {"Content_Length": None}
    yield "a length that is none", "POST", "/api/decisions", {"Content_Length": "-1"}
    yield "to write by reading", "GET", "/api/decisions", {}
    yield "to write elsewhere", "POST", "/api/next", {}
    yield "to write the page", "POST", "/", {}


ATTACKS = list(attacks())


def test_there_are_attacks_enough():
    assert len({name for name, *_ in ATTACKS}) == len(ATTACKS) >= 60


@pytest.mark.parametrize(("method", "path", "changed"), [one[1:] for one in ATTACKS],
                         ids=[one[0] for one in ATTACKS])  # fmt: skip
def test_an_attack_is_refused(page, method, path, changed):
    found = page.next()["record"]
    body = json.dumps({"id": found["id"], "version": found["version"], "reviewer": "Eve",
                       "verdict": "reject"}).encode()  # fmt: skip
    write = method == "POST"
    sent = {"Content_Type": "application/json", "Content_Length": str(len(body))} if write else {}
    sent |= {name: filled(page, value) for name, value in changed.items()}
    reply = raw(page.port, method, filled(page, path), good(page, **sent), body if write else b"")
    assert re.match(r"HTTP/1\.1 4\d\d ", reply), reply[:200]
    assert CANARY not in reply
    assert page.token not in reply
    assert "root:" not in reply
    assert decisions(page.run) == []


def test_the_same_requests_are_answered_when_nothing_is_wrong_with_them(fresh):
    assert CANARY in raw(fresh.port, "GET", "/api/next?reviewer=Anna", good(fresh))
    found = fresh.next()["record"]
    body = json.dumps({"id": found["id"], "version": found["version"], "reviewer": "Anna",
                       "verdict": "accept"}).encode()  # fmt: skip
    sent = good(fresh, Content_Type="application/json", Content_Length=str(len(body)))
    assert raw(fresh.port, "POST", "/api/decisions", sent, body).startswith("HTTP/1.1 200")
    assert len(decisions(fresh.run)) == 1


def test_an_old_token_opens_nothing(fresh):
    old = fresh.token
    fresh.process.kill()
    fresh.process.wait()
    with served(fresh.run, fresh.port) as anew:
        reply = raw(anew.port, "GET", "/api/start", good(anew, Authorization=f"Bearer {old}"))
        assert reply.startswith("HTTP/1.1 403")
        assert raw(anew.port, "GET", f"/?t={old}", good(anew)).startswith("HTTP/1.1 403")


def test_the_page_sets_a_cookie_that_opens_the_page_and_no_data(page):
    reply = raw(page.port, "GET", f"/?t={page.token}", good(page, Authorization=None))
    assert page.token not in reply
    cookie = re.search(r"set-cookie: ([^;\r]+); HttpOnly; SameSite=Strict; Path=/\r", reply)
    assert cookie
    alone = good(page, Authorization=None, Cookie=cookie[1])
    for path in ("/", "/page.css", "/page.js", "/ask.js", "/draw.js", "/far.js", "/words.js"):
        assert raw(page.port, "GET", path, alone).startswith("HTTP/1.1 200"), path
    assert raw(page.port, "GET", "/api/start", alone).startswith("HTTP/1.1 403")


@pytest.mark.parametrize("path", ["/", "/?t={token}", "/api/start", "/nothing"])
def test_every_reply_is_sealed(page, path):
    reply = raw(page.port, "GET", filled(page, path), good(page)).lower()
    for seal in (
        "content-security-policy: default-src 'none'; script-src 'self'",
        "x-content-type-options: nosniff", "referrer-policy: no-referrer",
        "cache-control: no-store", "x-frame-options: deny",
    ):  # fmt: skip
        assert seal in reply
    assert "unsafe" not in reply
    assert "access-control" not in reply


@pytest.mark.parametrize("name", ["page.html", "page.css", "page.js", "ask.js", "draw.js", "far.js",
                                  "words.js"])  # fmt: skip
def test_the_page_asks_for_nothing_from_elsewhere_and_makes_no_markup(name):
    text = (files("distillgen.review") / name).read_text()
    assert not re.search(r"https?:|//[a-z]+\.", text)
    for way in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "srcdoc",
                "DOMParser", "new Function", " onclick", "javascript:"):  # fmt: skip
        assert way not in text


# -- decisions ---------------------------------------------------------------------------------


def test_a_decision_is_on_disk_when_it_is_answered(fresh):
    found = fresh.next()["record"]
    status, reply = fresh.decide(found, "reject", reason="wrong", note="see page 3")
    fresh.process.kill()
    (line,) = decisions(fresh.run)
    assert (status, line) == (200, reply["saved"])
    assert (line["id"], line["reason"], line["note"]) == (found["id"], "wrong", "see page 3")


def test_a_decision_that_is_sent_twice_is_written_once(fresh):
    found = fresh.next()["record"]
    assert fresh.decide(found, "accept") == fresh.decide(found, "accept")
    assert len(decisions(fresh.run)) == 1


def test_a_decision_on_what_is_no_longer_so_comes_back_with_the_record_as_it_is(fresh):
    found = fresh.next()["record"]
    fresh.decide(found, "accept")
    status, reply = fresh.decide(found, "reject", reviewer="Ben", reason="no")
    assert status == 409
    assert "Anna" in reply["message"]
    assert reply["record"]["others"][0]["decision"] == "accept"
    assert fresh.decide(reply["record"], "reject", reviewer="Ben", reason="no")[0] == 200


def test_an_edit_and_a_candidate_come_with_what_was_before(fresh):
    first = fresh.next(show="all")["record"]
    with_others = first if first["candidates"] else fresh.next(after=first["place"])["record"]
    while not with_others["candidates"]:
        with_others = fresh.next(show="all", after=with_others["place"])["record"]
    _, reply = fresh.decide(with_others, "edit", candidate=1, fields={"answer": "A half."})
    assert reply["saved"]["fields"] == {"rationale": "It keeps its worth.", "answer": "A half."}
    assert reply["saved"]["was"]["answer"] == with_others["texts"]["answer"]


@pytest.mark.parametrize("changed", [
    {"verdict": "burn"}, {"verdict": None}, {"fields": {"id": "x"}}, {"fields": {"answer": 3}},
    {"fields": []}, {"candidate": 99}, {"candidate": "1"}, {"candidate": -1}, {"reviewer": ""},
    {"reviewer": "a" * 100}, {"reviewer": "a\nb\x1b"}, {"version": ""}, {"version": None},
    {"note": 3}, {"note": "a" * 10_001}, {"more": 1}, {"id": None}, {"settles": "yes"},
    {"fields": {"question": " "}},
], ids=str)  # fmt: skip
def test_a_decision_that_makes_no_sense_is_refused(page, changed):
    found = page.next(show="all", after=page.next(show="all")["record"]["place"])["record"]
    body = {"id": found["id"], "version": found["version"], "reviewer": "Anna", "verdict": "edit"}
    assert page.ask("/api/decisions", body | changed)[0] == 400
    assert decisions(page.run) == []


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"id": NaN}', b"\xff", b"[" * 9000])
def test_a_body_that_is_no_decision_is_refused(page, body):
    sent = good(page, Content_Type="application/json", Content_Length=str(len(body)))
    assert raw(page.port, "POST", "/api/decisions", sent, body).startswith("HTTP/1.1 400")


@pytest.mark.parametrize("query", ["", "?reviewer=", "?reviewer=A&show=x", "?reviewer=A&below=x",
                                   "?reviewer=A&after=x", "?reviewer=A&after=-1"])  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(page, query):
    assert page.ask(f"/api/next{query}")[0] == 400
    assert page.ask("/api/record?reviewer=A&place=12")[0] == 400


def test_what_a_reviewer_skipped_can_be_looked_at_again(fresh):
    first = fresh.next()["record"]
    fresh.decide(first, "skip")
    second = fresh.next()["record"]
    fresh.decide(second, "skip")
    assert fresh.next(show="skipped", reviewer="Ben")["record"] is None
    found = fresh.next(show="skipped")["record"]
    assert found["id"] in (first["id"], second["id"])
    other = fresh.next(show="skipped", after=found["place"])["record"]
    assert {found["id"], other["id"]} == {first["id"], second["id"]}
    fresh.decide(found, "accept")
    assert fresh.next(show="skipped")["record"]["id"] == other["id"]
    assert fresh.next(show="decided")["record"]["id"] == found["id"]


def test_what_the_judge_said_of_two_candidates_stands_with_both(tmp_path):
    folder = run(tmp_path / "gold", [record(0)])
    line = {"id": "r000000", "line": 1, "first": 0, "second": 1, "better": 1}
    (folder / "comparisons.jsonl").write_text(json.dumps(line) + "\n")
    with served(folder) as page:
        one, other = page.next()["record"]["candidates"]
    assert one["scores"] == "the judge prefers it to 0 of 1 others"
    assert other["scores"] == "the judge prefers it to 1 of 1 others"


def test_answers_that_are_written_anew_are_opened_anew(fresh):
    before = fresh.next()["record"]
    path = fresh.run / "answers.jsonl"
    other = [record(n, answer="Sell it all.") for n in range(3)]
    path.with_suffix(".new").write_text("".join(json.dumps(row) + "\n" for row in other))
    path.with_suffix(".new").rename(path)
    assert fresh.decide(before, "accept")[0] == 409
    assert fresh.next()["record"]["texts"]["answer"] == "Sell it all."
    assert decisions(fresh.run) == []


def test_of_two_who_decide_alone_neither_is_told_what_the_other_says(tmp_path):
    with served(run(tmp_path / "gold", [record(0)]), double=1.0) as page:
        page.decide(page.next()["record"], "reject", reason="SECRET")
        seen = page.next(reviewer="Ben")["record"]
        assert "SECRET" not in json.dumps(seen)
        page.decide(seen, "accept", reviewer="Ben")
        assert page.ask("/api/conflicts")[1]["all"] == 1
        seen = page.ask(f"/api/record?place={seen['place']}&reviewer=Ben")[1]["record"]
        assert seen["verdict"] == "conflict"
        assert "SECRET" in json.dumps(seen)
        page.decide(seen, "accept", settles=True)
        assert page.ask("/api/conflicts")[1]["all"] == 0
        assert page.ask("/api/progress")[1]["counts"]["accept"] == 1


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_a_hostile_text_goes_to_the_page_and_into_a_decision_as_it_is(tmp_path, text):
    with served(run(tmp_path / "gold", [record(0, answer=text, rationale=text)])) as page:
        found = page.next()["record"]
        assert (
            found["texts"]["answer"]
            == Answer.model_validate(record(0, answer=text)).answer[: len(found["texts"]["answer"])]
        )
        assert page.decide(found, "edit", fields={"question": text}, note=text[:10_000])[0] == 200
        assert decisions(page.run)[0]["fields"] == {"question": text}


# -- the server --------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, DONE), (signal.SIGTERM, TERMINATED)])
def test_it_stops_cleanly(fresh, number, code):
    fresh.decide(fresh.next()["record"], "accept")
    fresh.process.send_signal(number)
    _, err = fresh.process.communicate(timeout=10)
    assert (fresh.process.returncode, err) == (code, "")
    assert not list(fresh.run.glob("review-*.html"))


def test_it_stops_cleanly_while_a_request_is_half_sent(fresh):
    with socket.create_connection(("127.0.0.1", fresh.port)) as half:
        ours = f"127.0.0.1:{fresh.port}"
        half.sendall(
            f"POST /api/decisions HTTP/1.1\r\nHost: {ours}\r\nOrigin: http://{ours}\r\n"
            f"Authorization: Bearer {fresh.token}\r\nContent-Type: application/json\r\n"
            "Content-Length: 99\r\n\r\n{".encode()
        )
        assert fresh.next()["record"]  # so that it has come
        fresh.process.send_signal(signal.SIGINT)
        _, err = fresh.process.communicate(timeout=10)
        assert (fresh.process.returncode, err) == (DONE, "")
        assert b" 408 " in half.recv(100)


def test_it_is_reached_by_this_machine_alone_unless_that_is_allowed(tmp_path):
    desk = Desk(run(tmp_path / "gold", [record(0)]))
    with pytest.raises(UserError, match="--remote"):
        Server(desk, "192.0.2.1")
    with pytest.raises(UserError, match="name the one address"):
        Server(desk, "0.0.0.0", remote=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"--port {port}"):
            Server(desk, port=port)


def test_the_browser_is_told_the_address_by_a_file_that_nobody_else_can_read(tmp_path, monkeypatch):
    told = []

    def look(url):
        path = Path(unquote(urlparse(url).path))
        told.append((url, stat.S_IMODE(path.stat().st_mode), path.read_text(), path))
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(serving.webbrowser, "open", look)
    server = Server(Desk(run(tmp_path / "gold", [record(0)])))
    assert server.open()
    server.close()
    ((url, mode, text, path),) = told
    assert server.address in text
    assert (mode, server.address in url, path.exists()) == (0o600, False, False)


def test_no_browser_is_opened_where_none_can_be_seen(tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(serving.sys, "platform", "linux")
    server = Server(Desk(run(tmp_path / "gold", [record(0)])))
    assert not server.open()
    server.close()


def test_of_a_large_run_the_first_records_are_shown_while_the_others_are_read(tmp_path):
    folder = run(tmp_path / "gold", [record(n) for n in range(30_000)])
    with served(folder, most=1000) as page:
        first = page.next()["record"]
        status, told = page.decide(first, "accept")
        assert (status, told["saved"]["id"]) == (200, first["id"])
        assert page.ask("/api/record?place=29999&reviewer=Anna")[1]["record"]["id"] == "r029999"
        assert page.next(text="(29998)")["record"]["id"] == "r029998"
        far = page.ask("/api/record?place=29998&reviewer=Anna")[1]["record"]
        assert page.decide(far, "accept")[0] == 200
        assert page.ask("/api/progress")[1]["counts"]["given"] == 30_000
        assert page.next()["matching"] == 30_000
        topics = page.ask("/api/choices")[1]["choices"]["topic"]
        assert sorted(n for _, _, n in topics) == [10_000] * 3
    assert [row["id"] for row in decisions(folder)] == [first["id"], "r029998"]


def test_when_all_first_records_are_decided_the_next_comes_from_the_others(tmp_path):
    folder = run(tmp_path / "gold", [record(n) for n in range(50)])
    with served(folder, most=1) as page:
        seen = set()
        while found := page.next()["record"]:
            seen.add(found["id"])
            assert page.decide(found, "accept")[0] == 200
    assert len(seen) == len(decisions(folder)) == 50


def test_a_line_that_cannot_be_read_ends_it_wherever_it_stands(tmp_path, cli):
    folder = run(tmp_path / "gold", [record(n) for n in range(4000)])
    with (folder / "answers.jsonl").open("a") as out:
        out.write("{no}\n")
    assert "answers.jsonl:4001: " in cli("review", folder, "--no-browser", code=2).err
