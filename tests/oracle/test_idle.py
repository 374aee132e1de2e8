#!/usr/bin/python3
"""Ranks that wait do not burn their cores; memory of every rank is on record."""

import glob
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

WATCH_S = 10
MOST = 0.02


def cpu_s(pid):
    """Of all threads, to the nanosecond: what a loaded machine adds is time to wait, not to run."""
    spent_ns = 0
    for path in glob.glob(f"/proc/{pid}/task/[0-9]*/schedstat"):
        with open(path, encoding="ascii") as file:
            spent_ns += int(file.read().split()[0])
    return spent_ns / 1e9


def ranks_of(mpirun):
    """Process of each rank, by Open MPI's own variable."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                variables = dict(v.split(b"=", 1) for v in file.read().split(b"\0") if b"=" in v)
            with open(path.replace("environ", "stat"), "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
        if parent == mpirun and b"OMPI_COMM_WORLD_RANK" in variables:
            found[int(variables[b"OMPI_COMM_WORLD_RANK"])] = int(path.split("/")[2])
    return found


use_database("idle")
generate(2, 2000, 1)
make_held_view("held_building", "building")
N_RANKS = 5  # a coordinator, two workers with a zone each that waits, two without any
hold = Hold()
output = os.path.join(folder, "idle.h5")
job = subprocess.Popen(
    command("run", write_job("idle", buildings__table="held_building",
                             statistics={"total": "sum(height)"}), "-o", output, "--quiet",
            ranks=N_RANKS), stdin=subprocess.DEVNULL, env=environment)
deadline = time.monotonic() + 60
while n_held() < 1 and time.monotonic() < deadline and job.poll() is None:
    time.sleep(0.05)
time.sleep(1)  # the others have said that they are ready
ranks = ranks_of(job.pid)
if check(sorted(ranks) == list(range(N_RANKS)), "the ranks are running:", ranks):
    before, start = {rank: cpu_s(pid) for rank, pid in ranks.items()}, time.monotonic()
    time.sleep(WATCH_S)
    wall_s = time.monotonic() - start
    for rank, pid in sorted(ranks.items()):
        share = (cpu_s(pid) - before[rank]) / wall_s
        print(f"rank {rank}: {100 * share:.1f} % of a core while it waits")
        check(share <= MOST, f"rank {rank} burns {100 * share:.0f} % of a core")
hold.release()
check(job.wait(timeout=120) == 0, "the job is done")

result = Result(output)
peak_rss, peak_live = result["/telemetry/rank/peak_rss"], result["/telemetry/rank/peak_live"]
print("peak RSS in MiB:", [round(n / 2**20, 1) for n in peak_rss],
      "peak live:", [round(n / 2**20, 1) for n in peak_live])
check(len(peak_rss) == N_RANKS and (peak_rss > 2**20).all(), "peak RSS of every rank")
check((peak_live > 0).all() and (peak_live <= 64 * 2**20).all(), "live bytes within the limit")
samples = result["/telemetry/memory/rank"]
check(set(samples) == set(range(N_RANKS)), "samples of every rank")
check((result["/telemetry/memory/rss"] > 2**20).all(), "RSS in every sample")
check((result["/telemetry/memory/rss"] <= peak_rss[samples] + 2**20).all(), "peak is the most")
check((result["/telemetry/rank/waiting"][1:] > 0).any(), "waiting is on record")
finish()
