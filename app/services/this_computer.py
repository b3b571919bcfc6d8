"""What this computer is called, and its operating system."""

import contextlib
import platform
import sys

from app.domain.device_name import device_name


def this_device() -> str:
    """Return the name of this installation in the list of sessions, such as `counter-pc · Windows 11`."""
    return device_name(platform.node(), _system())


def _system() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}".strip()
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            found = platform.freedesktop_os_release()
            return found.get("PRETTY_NAME", found.get("NAME", "Linux")).partition(" (")[0]
    return f"{platform.system()} {platform.release() if sys.platform == 'win32' else ''}".strip()
