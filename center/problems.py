"""Every refusal over HTTP looks the same: `{"error": code, "reason": text, …}`."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web


class Problem(Exception):
    """An answer that is not what was asked for.

    `code` is a short stable name for machines, `reason` plain words for people, `path` the place
    inside the input that is wrong (a query parameter's name or a JSON path such as `$.lon`).
    """

    def __init__(
        self,
        status: int,
        code: str,
        reason: str,
        *,
        path: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason
        self.path = path
        self.headers = headers or {}
        self.more = more

    def response(self, *, open311: bool = False) -> web.Response:
        """The JSON answer; GeoReport v2 wants a list of `code` and `description`."""
        if open311:
            return json_response(
                [{"code": self.status, "description": self.reason}],
                status=self.status,
                headers=self.headers,
            )
        body: dict[str, Any] = {"error": self.code, "reason": self.reason}
        if self.path is not None:
            body["path"] = self.path
        body.update(self.more)
        return json_response(body, status=self.status, headers=self.headers)


def json_response(
    body: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """A JSON answer that no cache keeps."""
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
