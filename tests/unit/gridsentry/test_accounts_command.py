"""`gridsentry accounts` on the database of a service that never ran."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from gridsentry.cli import main
from tests.servers import pg_dsn, pg_server

pytestmark = pytest.mark.slow
__all__ = ["pg_dsn", "pg_server"]


def test_the_first_administrator_is_made_listed_reset_and_disabled(
    tmp_path: Path, pg_dsn: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["init", str(tmp_path / "city")]) == 0
    config = tmp_path / "gridsentry.toml"
    config.write_text(
        f'[service]\ncity = "{tmp_path / "city"}"\nstate_dir = "{tmp_path / "state"}"\n'
        f'[store]\ndsn = "{pg_dsn}"\n'
    )

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["accounts", *words, "--config", str(config)])
        said = capsys.readouterr()
        return code, said.out, said.err

    capsys.readouterr()
    code, out, err = run("add", "Li.Wei", "--role", "admin", "--generate")
    assert (code, out.splitlines()[0]) == (0, "account li.wei (admin) added")
    assert "shown this once" in err
    code, _, err = run("add", "li.wei", "--role", "admin", "--generate")
    assert (code, "taken" in err) == (2, True)
    code, _, err = run("add", "w1", "--role", "worker", "--worker", "nobody", "--generate")
    assert (code, "网格员编号" in err) == (2, True)
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert run("reset", "li.wei", "--stdin")[0] == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("four grey geese\n"))
    assert run("reset", "LI.WEI", "--stdin")[0] == 0
    assert run("disable", "li.wei")[0] == 0
    assert run("disable", "nobody")[0] == 1
    code, out, _ = run("list", "--json")
    (shown,) = [json.loads(line) for line in out.splitlines()]
    assert (shown["name"], shown["disabled"], shown["has_password"], shown["must_change"]) == (
        *("li.wei", True, True, False),
    )
    assert "argon2" not in out
