"""`gridsentry`: the command line. Each command lives in a file of its own."""

from __future__ import annotations

import argparse
import faulthandler
import sys

from contracts.errors import GridsentryError, Wrong

EPILOG = """\
examples:
  gridsentry demo                                a whole town on this machine, nothing else needed
  gridsentry init mycity && gridsentry check mycity
  gridsentry replay --city mycity rec.jsonl      what would have been detected, when
  gridsentry serve --config gridsentry.toml      the service

exit codes: 0 done, 1 failed, 2 wrong usage or configuration
"""


def parser() -> argparse.ArgumentParser:
    """The parser with every command."""
    from gridsentry import commands
    from gridsentry.record import add_parser as add_record

    top = argparse.ArgumentParser(
        prog="gridsentry",
        description="From what a neighbourhood's sensors feel to somebody at the door, with proof.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"gridsentry {commands.version()}")
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in commands.modules():
        module.add_parser(subparsers)
    add_record(subparsers)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code. Our own errors are told in one line, without a traceback."""
    if sys.stderr is not None and not faulthandler.is_enabled():
        faulthandler.enable()  # a crash in a native library says where
    args = parser().parse_args(argv)
    try:
        code: int = args.run(args)
    except Wrong as error:
        problems = getattr(error, "problems", None) or [error]
        for problem in problems:
            print(f"gridsentry: {problem}", file=sys.stderr)
        return 2
    except GridsentryError as error:
        print(f"gridsentry: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
