#!/usr/bin/python3
"""Ranks on three hosts whose statements wait for a lock for longer than a host may be silent, and whose
result is written for as long: none is taken for gone, and the result is that of one host."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403
import sandbox  # noqa: E402
from hosts import Hosts  # noqa: E402

SILENT_S = 27  # COMM_SILENT_S is 20
JOB = dict(buildings__table="held_building", buildings__keep="id, height",
           statistics={"buildings": "count", "p90": "quantile(height, 0.9)"})


def path_of(name):
    return os.path.join(folder, name)


def start(name):
    """A run whose every write into the result takes its time."""
    with open(path_of("slow"), "w", encoding="ascii"):
        pass
    given = {"LD_PRELOAD": path_of("slow_writes.so"), "SLOW_WHILE": path_of("slow"),
             "SLOW_MS": 1000 * SILENT_S, "SLOW_PATH": ".partial-", "OMPI_MCA_mpi_yield_when_idle": 1,
             **{key: value for key, value in environment.items() if key.startswith("PG")}}
    exports = [word for variable in given for word in ("-x", variable)]
    return hosts.mpirun([*exports, ROOFTALLY, "run", write_job(name, **JOB), "-o",
                         path_of(f"{name}.h5"), "--quiet"], 6, OMPI_MCA_oob_tcp_keepalive_time=5,
                        **given)


def await_(condition, job, what, most_s=60):
    deadline = time.monotonic() + most_s
    while not condition() and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if not condition():
        check(False, "no", what, job.poll(), job.communicate() if job.poll() is not None else "")
        finish()


sandbox.enter(skip, folder)
subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O2",
                os.path.join(SOURCE_DIR, "tests/lib/slow_writes.c"), "-o",
                path_of("slow_writes.so")], check=True)
use_database("wait")
generate(40, 4000, 5)
make_held_view("held_building", "building")
rooftally("run", write_job("wanted", **JOB), "-o", path_of("wanted.h5"), "--quiet")
hosts = Hosts(folder, environment)

hold = Hold()
job = start("waited")
await_(lambda: n_held() >= 5, job, "ranks that wait for the lock")
time.sleep(SILENT_S)
check(job.poll() is None and n_held() >= 5, "they wait no longer:", job.poll(), n_held())
hold.release()
await_(lambda: glob.glob(path_of("waited.h5.partial-*")), job, "result begun")
time.sleep(SILENT_S)
check(job.poll() is None, "the writing does not last")
os.unlink(path_of("slow"))
_, stderr = job.communicate(timeout=60)
check(job.returncode == 0 and stderr == "", "ended with", job.returncode, stderr)
done = subprocess.run(
    ["/usr/bin/python3", os.path.join(SOURCE_DIR, "tests/mpi/compare_results.py"),
     path_of("wanted.h5"), path_of("waited.h5")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    encoding="utf-8")
check(done.returncode == 0, done.stdout)
print(done.stdout, end="")
finish()
