"""The `bahi` command: the program, its roles `--server` and `--previews`, `--version` and `--selftest`."""

import sys

from app.roles import restore_search_paths


def main() -> int:
    """Run the role that the arguments name; return the exit status."""
    restore_search_paths()
    arguments = sys.argv[1:]
    # Each role imports only what it needs: the others run without Qt, and start faster.
    if arguments[:1] == ["--server"]:
        from server.__main__ import main as serve

        return serve(arguments[1:])
    if arguments[:1] == ["--previews"]:
        from app.rendering.worker import main as render

        return render()
    if arguments == ["--version"]:
        from importlib import metadata

        sys.stdout.write(f"bahi {metadata.version('bahi')}\n")
        return 0
    if arguments == ["--selftest"]:
        from app.selftest import main as selftest

        return selftest()
    from app.bootstrap import run

    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
