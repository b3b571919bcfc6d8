"""The allocator gives freed pictures back to the system."""

import subprocess
import sys
from pathlib import Path

import pytest

# Blocks of pictures are freed and made again in several threads. Small blocks between them stay, as in a
# program that goes on working.
USE = """
import sys, threading
from pathlib import Path
from app.bootstrap import make_desk
from app.paths import Paths

def pss():
    line = next(line for line in open("/proc/self/smaps_rollup") if line.startswith("Pss:"))
    return int(line.split()[1]) // 1024

desk = make_desk(Paths(Path(sys.argv[2]))) if sys.argv[1] == "program" else None
before, kept = pss(), []
def work():
    for size in map(float, sys.argv[3:]):
        picture = bytearray(int(size * 1_000_000))
        kept.append(bytearray(100_000))
        del picture
for _ in range(6):
    threads = [threading.Thread(target=work) for _ in range(4)]
    [each.start() for each in threads]
    [each.join() for each in threads]
print(pss() - before - sum(map(len, kept)) // 2**20)
if desk is not None:
    desk.close()
"""


@pytest.mark.parametrize("sizes", ["19 12 25 16 20", "0.4 1.9 0.7 1.2 0.3"], ids=["pages", "thumbnails"])
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and sets the allocator of glibc")
def test_pictures_that_the_program_has_freed_take_no_memory(sizes: str, tmp_path: Path) -> None:
    def mib(process: str) -> int:
        run = [sys.executable, "-c", USE, process, str(tmp_path / "Bahi"), *sizes.split()]
        return int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)

    usual, program = mib("usual"), mib("program")
    print(f"{usual} MiB in a usual process, {program} MiB in the program")
    assert program < 12
