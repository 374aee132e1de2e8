#!/usr/bin/python3
"""A disk that fails when finished zones are synced to it stops the run soon: no work is done whose
outcome is lost. Another attempt goes on."""

import re

from fault import *

make_database("sync")
wanted = reference()
failing = os.path.join(folder, "failing.so")
subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", failing], check=True, encoding="utf-8",
               input="#include <errno.h>\nint fdatasync(int f) { (void)f; errno = EIO; return -1; }")
for ranks in (1, 2):
    name = f"sync_{ranks}"
    environment["LD_PRELOAD"] = failing
    try:
        process = start(name, ranks, "--quiet", limits__checkpoint="0.2 s")
    finally:
        del environment["LD_PRELOAD"]
    stderr = process.communicate(timeout=60)[1]
    check(process.returncode == 1 and "Input/output error" in stderr, name, "ended with",
          process.returncode, stderr)
    kept = re.search(rf"(\d+) of {N_ZONES} zones are finished", stderr)
    check(kept and int(kept[1]) < N_ZONES // 2, name, "did it all:", stderr)
    resume(name, ranks, name)
    check(datasets(path_of(name)) == wanted, name, "another result")
finish()
