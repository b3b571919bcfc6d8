"""The `bahi-server` executable of the bundle: every command of the server, and the role `--previews`."""

import sys

from app.roles import restore_search_paths


def main() -> int:
    """Run the role that the arguments name; return the exit status."""
    restore_search_paths()
    if sys.argv[1:2] == ["--previews"]:
        from app.rendering.worker import main as render

        return render()
    from server.__main__ import main as serve

    return serve()


if __name__ == "__main__":
    sys.exit(main())
