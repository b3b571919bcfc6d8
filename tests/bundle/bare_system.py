"""A bare Debian in a folder, in which a package is installed and used by an ordinary user. Needs root.

It has neither Python nor a desktop; a screen of this computer is lent to it (its X11 sockets are mounted).
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.waiting import wait_until

USER: Final = "asha"
SUITE: Final = "bookworm"
PROGRAMS: Final = ("debootstrap", "chroot", "mount", "umount")
_SOCKETS: Final = Path("/tmp/.X11-unix")
_ENVIRONMENT: Final = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
}
_MIRROR: Final = "http://deb.debian.org/debian"


def missing() -> list[str]:
    """Return what these tests need and this computer lacks."""
    programs = [each for each in PROGRAMS if shutil.which(each) is None]
    return programs if os.geteuid() == 0 else [*programs, "the rights of root"]


@dataclass(frozen=True, slots=True)
class BareSystem:
    """The system in the folder `root`."""

    root: Path

    @property
    def home(self) -> Path:
        """Return the home of the user, as this computer sees it."""
        return self.root / "home" / USER

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command as the system's root; return its output."""
        inside = ["chroot", str(self.root), *command]
        done = subprocess.run(inside, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
        return done

    def run_as_user(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a line of the shell as the user, in the user's home."""
        return self.run("su", USER, "-c", f"cd; {command}", check=check)

    def start_as_user(self, command: str, display: str) -> None:
        """Start a program as the user on the screen `display`, and do not wait for it."""
        self.run_as_user(f"DISPLAY={display} {command} >>~/output 2>&1 &")

    def install(self, package: Path) -> str:
        """Install a package file, and from the network what it needs; return what was said."""
        shutil.copy(package, self.root / "tmp")
        return self.run("apt-get", "install", "-y", "--no-install-recommends", f"/tmp/{package.name}").stdout

    def give(self, file: Path) -> str:
        """Copy a file into the home of the user; return its path there."""
        given = self.home / file.name
        shutil.copy(file, given)
        owner = self.home.stat()
        os.chown(given, owner.st_uid, owner.st_gid)
        return f"/home/{USER}/{file.name}"

    def processes(self, named: str = "") -> dict[int, str]:
        """Return the processes that run in it: number and command. `named` is a part of the command."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and (entry / "root").readlink() == self.root:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return {number: command for number, command in found.items() if named in command}

    def environment_of(self, named: str) -> str:
        """Return the environment in which the processes with `named` in their command were started."""
        return "\n".join(
            Path(f"/proc/{number}/environ").read_bytes().replace(b"\0", b"\n").decode()
            for number in self.processes(named)
        )

    def end(self, number: int, sent: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to one of its processes, and wait until that is gone."""
        os.kill(number, sent)
        wait_until(lambda: number not in self.processes(), pause=0.05)


@contextmanager
def bare_system(folder: Path, base: Path | None = None) -> Iterator[BareSystem]:
    """Make a bare system in `folder`, or copy it from `base`. What runs in it is ended at the end."""
    if base is None:
        command = ["debootstrap", "--variant=minbase", SUITE, str(folder), _MIRROR]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    else:
        subprocess.run(["cp", "-a", str(base), str(folder)], check=True)
    system = BareSystem(folder)
    try:
        _furnish(system)
        yield system
    finally:
        _put_away(system)


def _put_away(system: BareSystem) -> None:
    """End what runs in the system, and remove it, but never through a mount that is still there."""
    for number in system.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    wait_until(lambda: not system.processes(), pause=0.1)
    for place in ("proc", "tmp/.X11-unix"):
        subprocess.run(["umount", str(system.root / place)], check=False, stderr=subprocess.DEVNULL)
    if f" {system.root}/" not in Path("/proc/self/mounts").read_text(encoding="utf-8"):
        shutil.rmtree(system.root)


def _furnish(system: BareSystem) -> None:
    """Give it what an installed system has: processes, shared memory, the network, a user and a screen."""
    sockets = system.root / "tmp/.X11-unix"
    sockets.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "proc", "proc", str(system.root / "proc")], check=True)
    subprocess.run(["mount", "--bind", str(_SOCKETS), str(sockets)], check=True)
    (system.root / "dev/shm").chmod(0o1777)
    shutil.copy("/etc/resolv.conf", system.root / "etc/resolv.conf")
    system.run("apt-get", "update")
    system.run("useradd", "--create-home", USER)
