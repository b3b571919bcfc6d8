"""The `bahi` command: the program, and its `--server` role."""

import sys


def main() -> int:
    """Run the role that the arguments name; return the exit status."""
    arguments = sys.argv[1:]
    # Each role imports only what it needs: a server runs without Qt, and starts faster.
    if arguments[:1] == ["--server"]:
        from server.__main__ import main as serve

        return serve(arguments[1:])
    from app.bootstrap import run

    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
