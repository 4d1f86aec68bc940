"""Answer what the page asks: the next record, the progress, the conflicts; and take decisions.

`/` is the page; `/api/start`, `/api/choices`, `/api/progress`, `/api/next`, `/api/record`,
`/api/last` and `/api/conflicts` say; what the first records of a large run do not tell is answered
as soon as all are read. `POST /api/decisions` writes a decision, and 409 says that it was made on
what is no longer so, with the record as it is now.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files as packaged

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from distillgen import files, images
from distillgen.errors import UserError
from distillgen.records import JSON, Decision, Reviewable
from distillgen.review import texts, views
from distillgen.review.desk import ALL, NOTHING, Desk
from distillgen.review.opening import Opening
from distillgen.review.pile import Filter
from distillgen.review.store import Stale

STATIC = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    **{
        f"/{name}.js": (f"{name}.js", "text/javascript")
        for name in ("page", "ask", "draw", "far", "words")
    },
}
NAME_LENGTH = 60
LONGEST = 10_000
"""Characters of a reason or note."""
LISTED = 500
"""Conflicts that are listed at once."""
SHOWS = ("open", "decided", "skipped", "all")
Handler = Callable[[Desk, Mapping[str, str]], JSON]


class BadRequest(ValueError):
    """What the page would not send."""


class NotYet(Exception):
    """The first records do not tell it."""


class Given(BaseModel):
    """What `POST /api/decisions` takes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    verdict: Decision
    reviewer: str
    version: str = Field(min_length=1)
    """The version that came with the record."""
    fields: dict[Reviewable, str] = Field(default_factory=dict)
    candidate: int | None = None
    reason: str = Field(default="", max_length=LONGEST)
    note: str = Field(default="", max_length=LONGEST)
    settles: bool = False


class Api:
    """What is asked of a desk, and its answers; one at a time."""

    def __init__(self, opening: Opening, reviewer: str = "") -> None:
        """`reviewer` is who reviews, if that is known.

        Raises:
            UserError: it is no name.
        """
        self._opening = opening
        try:
            self._known = _reviewer(reviewer) if reviewer else ""
        except BadRequest as error:
            raise UserError(f"--{error}") from error

    def app(self) -> Starlette:
        """The routes; who may ask is not looked at here."""
        told: dict[str, Handler] = {
            "start": lambda desk, _: views.start(desk) | {"reviewer": self._known},
            "choices": lambda desk, _: views.choices(_whole(desk)),
            "progress": lambda desk, _: views.progress(_whole(desk)),
            "next": self._next,
            "record": self._record,
            "last": self._last,
            "conflicts": self._conflicts,
            "image": self._image,
        }
        routes = [Route(path, _static(*one), methods=["GET"]) for path, one in STATIC.items()]
        for name, tell in told.items():
            routes.append(Route(f"/api/{name}", self._telling(tell), methods=["GET"]))
        routes.append(Route("/api/decisions", self._decisions, methods=["POST"]))
        app = Starlette(routes=routes)
        app.router.redirect_slashes = False
        return app

    def _telling(self, tell: Handler) -> Callable[[Request], Response]:
        """An answer to a question."""
        return lambda request: self._at_the_desk(
            lambda desk: _json(tell(desk, request.query_params))
        )

    def _at_the_desk(self, work: Callable[[Desk], Response]) -> Response:
        """With the first records, where these tell; else with all."""
        try:
            try:
                with self._opening.first() as desk:
                    return work(desk)
            except NotYet:
                with self._opening.whole() as desk:
                    return work(desk)
        except BadRequest as error:
            return _json({"message": str(error)}, 400)
        except UserError as error:
            return _json({"message": str(error)}, 503)

    def _next(self, desk: Desk, given: Mapping[str, str]) -> JSON:
        """The next record of what is wanted, and how many there are and wait."""
        reviewer, wanted = _reviewer(given.get("reviewer")), _wanted(given)
        after, show = _place(given.get("after")), given.get("show", "open")
        if show not in SHOWS:
            raise BadRequest(f"show: {' or '.join(SHOWS)}")
        if show != "open" or wanted != ALL:
            _whole(desk)
        if show == "open":
            found = desk.next(reviewer, wanted, after)
            place = found.place if found else None
        else:
            desk.decisions.refresh()
            step = -1 if given.get("back") else 1
            place = self._walked(desk, reviewer, wanted, after, show, step)
        if place is None:
            _whole(desk)
        return {
            "record": None if place is None else views.record(desk, place, reviewer),
            "matching": None if desk.pile.partial else len(desk.stack(wanted).places),
            "waiting": 0 if desk.pile.partial else desk.waiting(reviewer, wanted),
        }

    def _walked(
        self, desk: Desk, reviewer: str, wanted: Filter, after: int | None, show: str, step: int
    ) -> int | None:
        """The neighbour of a record among what is wanted: decided about, skipped, or all."""
        places = desk.stack(wanted).places
        fates = {} if show == "all" else desk.fates()
        at = places.index(after) if after is not None and after in places else -1
        n = at + step
        while 0 <= n < len(places):
            fate = fates.get(places[n], NOTHING)
            if (
                show == "all"
                or (show == "decided" and fate.verdict)
                or (show == "skipped" and reviewer in fate.skipped)
            ):
                return places[n]
            n += step
        return None

    def _record(self, desk: Desk, given: Mapping[str, str]) -> JSON:
        place = _there(desk, given)
        desk.decisions.refresh()
        return {"record": views.record(desk, place, _reviewer(given.get("reviewer")))}

    def _last(self, desk: Desk, given: Mapping[str, str]) -> JSON:
        """The record that a reviewer decided about last; none if nothing is left to take back."""
        reviewer = _reviewer(given.get("reviewer"))
        _whole(desk).decisions.refresh()
        place = self._decided_last(desk, reviewer)
        return {"record": None if place is None else views.record(desk, place, reviewer)}

    def _decided_last(self, desk: Desk, reviewer: str) -> int | None:
        latest, found = -1, None
        for place in desk.decided():
            standing = desk.decisions.standing(desk.pile.ids[place], desk.of(place))
            for mark in filter(None, (standing.said.get(reviewer), standing.settled)):
                if mark.reviewer == reviewer and mark.start > latest:
                    latest, found = mark.start, place
        return found

    def _conflicts(self, desk: Desk, _: Mapping[str, str]) -> JSON:
        _whole(desk).decisions.refresh()
        found = desk.conflicts()
        shown = [views.line(desk, place) for place in found[:LISTED]]
        return {"conflicts": shown, "all": len(found)}

    def _image(self, desk: Desk, given: Mapping[str, str]) -> JSON:
        """An image that belongs to a question, as an address that holds it."""
        paths = desk.pile.record(_there(desk, given)).images
        n = _place(given.get("n"))
        if n is None or n >= len(paths):
            raise BadRequest("there is no such image")
        return {"url": images.data_url(images.look(paths[n]))}

    async def _decisions(self, request: Request) -> Response:
        """Write a decision; on the disk when it is answered."""
        try:
            body = files.row(await request.body())
        except ValueError as error:
            return _json({"message": f"no JSON object: {error}"}, 400)
        try:
            given = Given.model_validate(body)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            return _json({"message": f"{where}: {fault['msg'].lower()}"}, 400)
        work = partial(self._decide, given)
        return await run_in_threadpool(self._at_the_desk, work)

    def _decide(self, given: Given, desk: Desk) -> Response:
        reviewer = _reviewer(given.reviewer)
        place = desk.find(given.id, given.version.partition(".")[0])
        if place is None:
            _whole(desk)
        try:
            if place is None:
                raise Stale("the record is no longer there", [])
            made = texts.decision(
                desk.pile.record(place), given.verdict, given.fields, given.candidate,
                reviewer=reviewer, reason=given.reason, note=given.note,
                settles=given.settles, version=given.version,
            )  # fmt: skip
            return _json({"saved": desk.decide(made, place).row()})
        except Stale as error:  # with the record as it is now
            now = None if place is None else views.record(desk, place, reviewer)
            return _json({"message": str(error), "record": now}, 409)
        except ValueError as error:
            raise BadRequest(str(error)) from error


def _whole(desk: Desk) -> Desk:
    if desk.pile.partial:
        raise NotYet
    return desk


def _there(desk: Desk, given: Mapping[str, str]) -> int:
    """The place that is given, if there is a record."""
    place = _place(given.get("place"))
    if place is None or (place >= len(desk.pile) and _whole(desk)):
        raise BadRequest("there is no such record")
    return place


def _json(value: JSON, status: int = 200) -> Response:
    return Response(files.dumps(value), status, media_type="application/json")


def _static(name: str, kind: str) -> Callable[[Request], Response]:
    body = (packaged("distillgen.review") / name).read_bytes()
    return lambda _: Response(body, media_type=kind)


def _reviewer(given: str | None) -> str:
    name = " ".join((given or "").split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadRequest(f"reviewer: a name of at most {NAME_LENGTH} characters")
    return name


def _place(given: str | None) -> int | None:
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 12):
        raise BadRequest("a place is a number from 0")
    return int(given)


def _wanted(given: Mapping[str, str]) -> Filter:
    try:
        return views.wanted(given)
    except ValueError as error:
        raise BadRequest(str(error)) from error
