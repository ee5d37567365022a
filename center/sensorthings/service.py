"""`/sta/v1.1/…`: paths are walked, entities made, and dressed as `$select` and `$expand` ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem, json_response
from center.sensorthings import observations as obs
from center.sensorthings.asking import Options, Step, options_of, steps_of
from center.sensorthings.model import RELATIONS, Catalog, Lately, Stream, page_of

ROOT: Final = "/sta/v1.1"
CONFORMANCE: Final = tuple(
    f"http://www.opengis.net/spec/iot_sensing/1.1/req/{name}"
    for name in (
        "datamodel", "resource-path/resource-path-to-entities",
        "request-data/order", "request-data/status-code", "request-data/query-status-code",
        "request-data/expand", "request-data/select", "request-data/top", "request-data/skip",
        "request-data/count", "request-data/pagination",
    )
)  # fmt: skip
MOST_EXPANDED: Final = 5_000
"""Entities that one answer may hold besides those on the page."""


async def service(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`/sta/v1.1`: the entity sets, and what is conformed to."""
    root = _root(context, request)
    sets = [{"name": name, "url": f"{root}/{name}"} for name in RELATIONS]
    return json_response({"value": sets, "serverSettings": {"conformance": list(CONFORMANCE)}})


class SensorThings:
    """`GET /sta/v1.1/{path}`; keeps which metrics were measured lately for all requests."""

    def __init__(self) -> None:
        self._lately = Lately()

    async def __call__(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """An entity, a collection, a property or its value."""
        steps = steps_of(request.match_info["path"])
        options = options_of(request.query)
        catalog = Catalog(context, await self._lately.metrics(context))
        return await _Answer(context, catalog, request).answer(steps, options)


class _Many(msgspec.Struct):
    """A collection: of ids, or of the Observations of these streams."""

    name: str
    keys: list[str]
    streams: list[Stream]


class _One(msgspec.Struct):
    """An entity; an Observation comes with what was read."""

    name: str
    key: str
    item: dict[str, Any] | None = None
    period: str | None = None
    """Of a Datastream that is asked for alone: `phenomenonTime`."""


class _Answer:
    """Makes the answer to one request."""

    def __init__(self, context: Context, catalog: Catalog, request: web.Request) -> None:
        self._catalog = catalog
        self._reader = obs.Reader(context)
        self._root = _root(context, request)
        self._request = request
        self._expanded = 0

    async def answer(self, steps: list[Step], options: Options) -> web.StreamResponse:
        """Walks the path and answers what stands at its end."""
        there = await self._start(steps[0])
        for number, step in enumerate(steps[1:], 1):
            rest = [one.name for one in steps[number:]]
            if rest == ["$ref"]:
                return await self._references(there, options)
            if isinstance(there, _One) and step.name not in RELATIONS[there.name]:
                return self._property(await self._whole(await self._timed(there)), rest)
            there = await self._onward(there, step)
        if isinstance(there, _One):
            if extra := options.given - {"$select", "$expand"}:
                raise _wrong(min(extra), "is for collections; this is one entity")
            return json_response(await self._dressed(await self._timed(there), options))
        link = f"{self._root}/{quote(self._request.match_info['path'], safe=SAFE)}"
        return json_response(await self._listed(there, options, link, ""))

    # --- walking ---------------------------------------------------------------------------------

    async def _start(self, step: Step) -> _One | _Many:
        if step.name not in RELATIONS:
            raise Problem(
                404, "not_found", f"there is no entity set {step.name[:64]!r}; there are "
                + ", ".join(RELATIONS),
            )  # fmt: skip
        if step.key is not None:
            return await self._entity(step.name, step.key)
        if step.name == "Observations":
            return _Many(step.name, [], list(self._catalog.streams.values()))
        return _Many(step.name, self._catalog.keys(step.name), [])

    async def _entity(self, name: str, key: str) -> _One:
        if name == "Observations":
            of, _, mark = key.rpartition("@")
            stream = await self._catalog.stream(of)
            item = None if stream is None else await self._reader.one(stream, mark)
            if item is not None:
                return _One(name, key, item)
        elif await self._catalog.has(name, key):
            return _One(name, key)
        raise Problem(404, "not_found", f"there is no {name}({key[:128]!r})")

    async def _onward(self, there: _One | _Many, step: Step) -> _One | _Many:
        if isinstance(there, _Many):
            raise Problem(404, "not_found", f"{there.name} is a collection: name one of it first")
        found = self._navigate(there, step.name)
        if step.key is None:
            return found
        if isinstance(found, _One):
            raise Problem(404, "not_found", f"{step.name} is one entity, not a collection")
        one = await self._entity(found.name, step.key)
        inside = (
            self._catalog.observed("Datastreams", step.key.rpartition("@")[0])[0] in found.streams
            if one.item is not None
            else step.key in found.keys
        )
        if not inside:
            raise Problem(404, "not_found", f"there is no {step.name}({step.key[:128]!r}) here")
        return one

    def _navigate(self, there: _One, navigation: str) -> _One | _Many:
        target, many = RELATIONS[there.name][navigation]
        if target == "Observations":
            return _Many(target, [], self._catalog.observed(there.name, there.key))
        keys = self._catalog.follow(there.name, there.key, navigation)
        return _Many(target, keys, []) if many else _One(target, keys[0])

    # --- making ----------------------------------------------------------------------------------

    async def _listed(
        self, many: _Many, options: Options, link: str, prefix: str
    ) -> dict[str, Any]:
        """A collection with `value`; or, with the `prefix` of an expanded one, its parts."""
        found = await self._observed(many, options) if many.name == "Observations" else None
        if found is not None:
            ones, count, next_ = found
        else:
            ones, count, next_ = self._chosen(many, options)
        told: dict[str, Any] = {} if count is None else {f"{prefix}@iot.count": count}
        told[prefix or "value"] = [await self._dressed(one, options) for one in ones]
        if next_ is not None and options.top:
            again = self._again(options, next_, nested=bool(prefix))
            told[f"{prefix}@iot.nextLink"] = (
                f"{link}?{urlencode(again, safe='$(),;/:@', quote_via=quote)}"
            )
        return told

    def _again(self, options: Options, next_: dict[str, str], *, nested: bool) -> dict[str, str]:
        """The query of the next page. An expanded collection is gone on with by its own address."""
        given: Mapping[str, str] = options.raw if nested else self._request.query
        kept = {name: v for name, v in given.items() if name not in ("$skip", "$skiptoken")}
        return kept | next_

    def _chosen(
        self, many: _Many, options: Options
    ) -> tuple[list[_One], int | None, dict[str, str] | None]:
        if options.token is not None:
            raise _wrong("$skiptoken", "only Observations have one")
        keys = many.keys
        if options.filter is not None:
            test = options.filter.test
            keys = [key for key in keys if test(self._getter(many.name, key, "$filter"))]
        for path, down in reversed(options.orderby):
            keys = sorted(keys, key=self._ordered(many.name, path), reverse=down)
        some, more = page_of(keys, options.skip, options.top)
        next_ = {"$skip": str(options.skip + options.top)} if more else None
        return [_One(many.name, key) for key in some], len(keys) if options.count else None, next_

    def _ordered(self, name: str, path: str) -> Callable[[str], tuple[bool, bool, str, float]]:
        def order(key: str) -> tuple[bool, bool, str, float]:
            value = self._getter(name, key, "$orderby")(path)
            number = isinstance(value, int | float)
            text = "" if number or value is None else str(value)
            return value is not None, number, text, float(value) if number else 0.0

        return order

    async def _observed(
        self, many: _Many, options: Options
    ) -> tuple[list[_One], int | None, dict[str, str] | None]:
        down = False
        if options.orderby:
            (path, down), *more = options.orderby
            if path != "phenomenonTime" or more:
                raise Problem(
                    501, "not_implemented", "Observations are ordered by phenomenonTime only",
                    path="$orderby",
                )  # fmt: skip
        span, named, whole = obs.narrowed(options.filter)
        streams = many.streams
        if named is not None:
            stream = await self._catalog.stream(named)
            inside = stream is not None and (stream in streams or self._whole_set(many))
            streams = [stream] if stream is not None and inside else []
        if options.filter is not None:
            streams = [s for s in streams if obs.possible(options.filter, s)]
        if options.orderby and len(streams) > 1:
            raise Problem(
                501, "not_implemented", "Observations of several Datastreams come Datastream by"
                " Datastream, each by time; order those of one: Datastreams('…')/Observations, or"
                " $filter=Datastream/id eq '…'", path="$orderby",
            )  # fmt: skip
        count = None
        if options.count:
            if not whole:
                raise Problem(
                    501, "not_implemented", "$count is offered together with a $filter by"
                    " phenomenonTime and Datastream/id only", path="$count",
                )  # fmt: skip
            count = await self._reader.count(streams, span)
        if not streams and options.token is None:
            return [], count, None
        found = await self._reader.page(
            streams, span, newest_first=down, top=options.top, skip=options.skip,
            token=options.token, filter_=options.filter,
        )  # fmt: skip
        next_ = None
        if found.token is not None:
            next_ = {"$skiptoken": found.token} | ({"$skip": str(found.skip)} if found.skip else {})
        ones = [_One("Observations", obs.observation_id(item), item) for item in found.items]
        return ones, count, next_

    def _whole_set(self, many: _Many) -> bool:
        """Whether these are all Observations, those of silent streams too."""
        return len(many.streams) == len(self._catalog.streams)

    async def _timed(self, one: _One) -> _One:
        """A Datastream with its period, which costs some queries: not told in listings."""
        if one.name != "Datastreams":
            return one
        (stream,) = self._catalog.observed(one.name, one.key)
        return msgspec.structs.replace(one, period=await self._reader.period(stream))

    async def _whole(self, one: _One) -> dict[str, Any]:
        """All properties and links of an entity."""
        link = f"{self._root}/{one.name}('{_quoted(one.key)}')"
        item = one.item
        made = self._catalog.entity(one.name, one.key) if item is None else obs.observation(item)
        if one.period is not None:
            made["phenomenonTime"] = one.period
        links = {f"{name}@iot.navigationLink": f"{link}/{name}" for name in RELATIONS[one.name]}
        return {"@iot.id": one.key, "@iot.selfLink": link, **made, **links}

    async def _dressed(self, one: _One, options: Options) -> dict[str, Any]:
        """As `$select` and `$expand` ask."""
        told = await self._whole(one)
        link = told["@iot.selfLink"]
        if options.select:
            told = _selected(one.name, told, options.select)
        for name, inner in options.expand:
            if name not in RELATIONS[one.name]:
                raise _wrong(
                    "$expand",
                    f"{name[:64]!r}; {one.name} have {', '.join(RELATIONS[one.name])}",
                )
            self._expanded += 1
            if self._expanded > MOST_EXPANDED:
                raise Problem(
                    400, "too_much", "too much is expanded at once; ask for a smaller $top",
                    path="$expand",
                )  # fmt: skip
            told.pop(f"{name}@iot.navigationLink", None)
            there = self._navigate(one, name)
            if isinstance(there, _One):
                told[name] = await self._dressed(there, inner)
            else:
                told |= await self._listed(there, inner, f"{link}/{name}", name)
                self._expanded += len(told[name])
        return told

    def _getter(self, name: str, key: str, option: str) -> Callable[[str], Any]:
        """What a filter or an order can ask of an entity: `properties/type`, `Thing/name`."""

        def get(path: str) -> Any:
            first, _, rest = path.partition("/")
            if first in RELATIONS[name]:
                target, many = RELATIONS[name][first]
                if many:
                    raise Problem(
                        501, "not_implemented",
                        f"{option} through {first} is not offered: there can be several",
                        path=option,
                    )  # fmt: skip
                there = self._catalog.follow(name, key, first)[0]
                return self._getter(target, there, option)(rest or "id")
            told: Any = self._catalog.entity(name, key)
            if first in ("id", "@iot.id") and not rest:
                return key
            if first not in told:
                raise _wrong(
                    option, f"{path[:64]!r} is no property; there are id, {', '.join(told)}"
                )
            for part in path.split("/"):
                told = told.get(part) if isinstance(told, dict) else None
            return told

        return get

    # --- other answers ---------------------------------------------------------------------------

    async def _references(self, there: _One | _Many, options: Options) -> web.StreamResponse:
        if isinstance(there, _One):
            return json_response({"@iot.selfLink": (await self._whole(there))["@iot.selfLink"]})
        bare = msgspec.structs.replace(options, expand=(), select=("@iot.selfLink",))
        path = quote(self._request.match_info["path"], safe=SAFE)
        return json_response(await self._listed(there, bare, f"{self._root}/{path}", ""))

    @staticmethod
    def _property(told: dict[str, Any], rest: list[str]) -> web.StreamResponse:
        """`…/name` and `…/name/$value`, `…/properties/type`."""
        bare = rest[-1] == "$value"
        names = rest[:-1] if bare else rest
        value: Any = {name: v for name, v in told.items() if "Link" not in name}
        value["id"] = told["@iot.id"]
        for name in names:
            if not isinstance(value, dict) or name not in value:
                raise Problem(404, "not_found", f"there is no property {name[:64]!r} here")
            value = value[name]
        if value is None:
            return web.Response(status=204)
        if not bare:
            return json_response({names[-1]: value})
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        return web.Response(text=text, headers={"Cache-Control": "no-store"})


SAFE: Final = "/()',:@"
"""What stands in the path of a link as it is."""


def _selected(name: str, told: dict[str, Any], select: tuple[str, ...]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for wanted in select:
        if wanted in RELATIONS[name]:
            key = f"{wanted}@iot.navigationLink"
        else:
            key = {"id": "@iot.id", "selfLink": "@iot.selfLink"}.get(wanted, wanted)
        if (name, key) == ("Datastreams", "phenomenonTime") and key not in told:
            continue  # of a listing
        if key not in told:
            raise _wrong("$select", f"{wanted[:64]!r} is no property of {name}")
        kept[key] = told[key]
    return kept


def _quoted(key: str) -> str:
    """An id inside the quotes of a link."""
    return quote(key.replace("'", "''"), safe=":@'~")


def _root(context: Context, request: web.Request) -> str:
    base = context.settings.public_url.rstrip("/")
    return f"{base or f'{request.scheme}://{request.host}'}{ROOT}"


def _wrong(name: str, reason: str) -> Problem:
    return Problem(400, "bad_value", f"{name}: {reason}", path=name)
