"""Bytes a second at which files are read one after another past the page cache: `python test/bench/direct_read.py FILE...`
prints `{"bytes", "seconds"}`."""

import json
import mmap
import os
import sys
import time

BLOCK = 4 << 20


def main() -> None:
    block = mmap.mmap(-1, BLOCK)  # O_DIRECT wants memory that begins with a page
    total = 0
    started = time.perf_counter()
    for name in sys.argv[1:]:
        file = os.open(name, os.O_RDONLY | os.O_DIRECT)
        offset = 0
        while read := os.preadv(file, [block], offset):
            offset += read
            if read < BLOCK:
                break
        os.close(file)
        total += offset
    print(json.dumps({"bytes": total, "seconds": time.perf_counter() - started}))


main()
