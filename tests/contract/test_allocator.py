"""The allocator gives freed pictures back to the system."""

import subprocess
import sys

import pytest

# Blocks of pictures are freed and made again in several threads. Small blocks between them stay, as in a
# program that goes on working.
USE = """
import sys, threading
from server.contract.allocator import give_back_freed_memory
if sys.argv[1] == "yes":
    give_back_freed_memory()
kept = []
def work():
    for size in map(float, sys.argv[2:]):
        picture = bytearray(int(size * 1_000_000))
        kept.append(bytearray(100_000))
        del picture
for _ in range(6):
    threads = [threading.Thread(target=work) for _ in range(4)]
    [each.start() for each in threads]
    [each.join() for each in threads]
kib = next(line for line in open("/proc/self/smaps_rollup") if line.startswith("Pss:")).split()[1]
print(int(kib) // 1024 - sum(map(len, kept)) // 2**20)
"""


@pytest.mark.parametrize("sizes", ["19 12 25 16 20", "0.4 1.9 0.7 1.2 0.3"], ids=["pages", "thumbnails"])
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and sets the allocator of glibc")
def test_pictures_that_were_freed_take_no_memory(sizes: str) -> None:
    def mib(given_back: str) -> int:
        run = [sys.executable, "-c", USE, given_back, *sizes.split()]
        return int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)

    usual, given_back = mib("no"), mib("yes")
    print(f"{usual} MiB as it comes, {given_back} MiB if freed memory is given back")
    assert given_back < 20
