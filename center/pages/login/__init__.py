"""Logging in, by password or at the organisation's provider, and one's own account."""

from center.pages.login import me, provider
from center.pages.page import Page
from center.route import Route
from contracts.city import City


def _routes(_city: City) -> tuple[Route, ...]:
    return (
        Route(
            method="GET", path="/api/v1/me", name="me",
            summary="Who is asking: account, role, what they may, their part of the city, and the"
            " token that their writes carry.",
            handler=me.me, answers={200: me.Me},
        ),
        Route(
            method="POST", path="/api/v1/login", name="login",
            summary="Log in by name and password; answers with cookies.",
            handler=me.login, body=me.LoginBody, answers={200: me.LoggedIn},
        ),
        Route(
            method="POST", path="/api/v1/logout", name="logout",
            summary="End this session; `end` is where the provider's session ends, too.",
            handler=me.logout, answers={200: dict},
        ),
        Route(
            method="POST", path="/api/v1/me/password", name="change-password",
            summary="A new password of one's own; all other sessions are over.",
            handler=me.change_password, access="self", body=me.PasswordBody, answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/me/sessions", name="my-sessions",
            summary="Where one is logged in.",
            handler=me.sessions, access="self", answers={200: dict},
        ),
        Route(
            method="DELETE", path="/api/v1/me/sessions/{id}", name="end-my-session",
            summary="Log out another browser of one's own; `others` all of them.",
            handler=me.end_session, access="self", answers={200: dict},
        ),
        Route(
            method="GET", path="/login/oidc", name="login-at-provider",
            summary="Send the browser to the OpenID provider.",
            handler=provider.begin, query=("next",), answers={303: dict},
        ),
        Route(
            method="GET", path="/login/oidc/callback", name="login-answered",
            summary="Where the OpenID provider sends the browser back to.",
            handler=provider.back, query=provider.ANSWERS, answers={303: dict},
        ),
    )  # fmt: skip


PAGE = Page(path="/login", routes=_routes, files={"/account": "account.html"})
