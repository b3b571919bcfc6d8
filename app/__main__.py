"""The `bahi` command: the program, and its roles `--server` and `--previews`."""

import sys


def main() -> int:
    """Run the role that the arguments name; return the exit status."""
    arguments = sys.argv[1:]
    # Each role imports only what it needs: the others run without Qt, and start faster.
    if arguments[:1] == ["--server"]:
        from server.__main__ import main as serve

        return serve(arguments[1:])
    if arguments[:1] == ["--previews"]:
        from app.rendering.worker import main as render

        return render()
    from app.bootstrap import run

    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
