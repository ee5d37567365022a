"""Accounts: who logs in, as what, for which part of the city; what was changed, who looked."""

from center.accounts.book import Changes, NewAccount
from center.pages.page import Page
from center.pages.users import logs, manage
from center.route import Route
from contracts.city import City


def _routes(_city: City) -> tuple[Route, ...]:
    return (
        Route(
            method="GET", path="/api/v1/accounts", name="list-accounts",
            summary="Accounts by name; `q` finds by name, people's name, worker, utility, role.",
            handler=manage.listing, access="administer", query=("after", "limit", "q"),
            answers={200: dict},
        ),
        Route(
            method="POST", path="/api/v1/accounts", name="add-account",
            summary="A new account; without a password one is made up and told once.",
            handler=manage.add, access="administer", body=NewAccount, answers={201: dict},
        ),
        Route(
            method="GET", path="/api/v1/accounts/{id}", name="get-account",
            summary="One account with its sessions.",
            handler=manage.single, access="administer", answers={200: dict},
        ),
        Route(
            method="PATCH", path="/api/v1/accounts/{id}", name="change-account",
            summary="Change role, part of the city, names, or disable; new rights end sessions.",
            handler=manage.change, access="administer", body=Changes, answers={200: dict},
        ),
        Route(
            method="POST", path="/api/v1/accounts/{id}/reset", name="reset-password",
            summary="A made-up password, told once, to be changed at the first login.",
            handler=manage.reset, access="administer", answers={200: dict},
        ),
        Route(
            method="DELETE", path="/api/v1/accounts/{id}/sessions", name="end-sessions",
            summary="Log an account out everywhere, or end the session `only`.",
            handler=manage.end_sessions, access="administer", query=("only",), answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/grid-names", name="grid-names",
            summary="Grids whose id or name holds `q`, to choose a part of the city.",
            handler=manage.grid_names, access="administer", query=("q",), answers={200: list},
        ),
        Route(
            method="GET", path="/api/v1/audit", name="audit",
            summary="What was changed about accounts and done by them, newest first.",
            handler=logs.audit, access="administer", query=("before", "limit", "account", "action"),
            answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/accesses", name="accesses",
            summary="Who saw evidence and personal data, newest first; `q` stands in who or what.",
            handler=logs.accesses, access="administer",
            query=("before", "limit", "account", "q", "since", "until"), answers={200: dict},
        ),
    )  # fmt: skip


PAGE = Page(
    path="/users", routes=_routes, title=("账号与权限", "Accounts"), order=90, needs="administer"
)
