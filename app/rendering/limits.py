"""Limits of the operating system on the preview worker: memory, CPU time, files.

They exist on POSIX only (macOS does not enforce the one on memory). The program limits the time of each job
on every system.
"""

import contextlib
import ctypes
import signal
import sys
from typing import Final

_MEMORY: Final = 512 * 1024 * 1024  # of address space; a photo of 108 megapixels needs 384 MiB
_OPEN_FILES: Final = 64
_SIGNAL_AT_PARENTS_END: Final = 1  # PR_SET_PDEATHSIG of prctl(2)
_NO_NEW_PRIVILEGES: Final = 38  # PR_SET_NO_NEW_PRIVS

if sys.platform == "win32":

    def confine() -> None:
        """Do nothing: Windows has no such limits."""

    def allow_cpu(seconds: int) -> None:
        """Do nothing: Windows has no such limits."""

else:
    import resource

    def confine() -> None:
        """Limit this process for the rest of its life: memory, open files, no file written, no core dump.

        On Linux, it also ends with the thread that started it. The number of processes is not limited: it
        counts threads too, and the decoder of HEIC starts some.
        """
        for limit, most in (
            (resource.RLIMIT_AS, _MEMORY),
            (resource.RLIMIT_NOFILE, _OPEN_FILES),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            with contextlib.suppress(ValueError, OSError):  # a limit that is lower already stays
                resource.setrlimit(limit, (most, most))
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_SIGNAL_AT_PARENTS_END, signal.SIGKILL, 0, 0, 0)
            ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)

    def allow_cpu(seconds: int) -> None:
        """Let this process use `seconds` more of CPU time, then be ended by SIGXCPU.

        The system counts from the start of the process, so this is called for each job.
        """
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
