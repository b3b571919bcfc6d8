"""The `bahi` command: the program, its `--server` role, and the tour."""

import sys
from pathlib import Path


def main() -> int:
    """Run the role that the arguments name; return the exit status."""
    arguments = sys.argv[1:]
    # Each role imports only what it needs: a server runs without Qt, and starts faster.
    if arguments[:1] == ["--server"]:
        from server.__main__ import main as serve

        return serve(arguments[1:])
    if arguments[:1] == ["--tour"]:
        return _tour(arguments[1:])
    from app.bootstrap import run

    return run(sys.argv)


def _tour(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: bahi --tour DIR\n")
        return 2
    from app.bootstrap import run_tour

    return run_tour(Path(arguments[0]))


if __name__ == "__main__":
    sys.exit(main())
