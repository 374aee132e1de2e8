#!/usr/bin/python3
"""No rank holds more than [limits] memory, whatever it reads from, down to the least there is; and what
is resident does not grow with the number of zones and buildings."""

import hashlib
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

MIB = 1 << 20
LEAST = 8  # MiB
environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
JOB = dict(zones__fields="state", buildings__fields="height, size, volume = height * size, use, notes",
           buildings__keep="id, height, notes",
           statistics={"buildings": "count", "bulk": "sum(volume)", "p90": "quantile(size, 0.9)",
                       "common": "mode(use)", "uses": "frequency(use)", "tallest": "top(height, 5)"})
# Four times the buildings in four times the zones, each as large as before.
SMALL, LARGE = (60, 30000), (240, 120000)
# What libraries keep of the number of zones, and of how the pages of the heap happen to lie.
MOST_GROWTH = 3 * MIB


def source_of(way, store):
    if way == "store":
        return dict(source={"kind": "store", "path": store})
    return dict(source__fetch=way)


def check_run(what, result, memory):
    live, peak = result["/telemetry/memory/live"], result["/telemetry/rank/peak_live"]
    rank = result["/telemetry/memory/rank"]
    check((peak > 0).all() and (peak <= memory * MIB).all(), what, "peak live bytes", peak)
    check((live <= peak[rank]).all() and set(rank) == set(range(len(peak))), what, "samples", live)


def stage(name, memory, ranks, **changes):
    """The store's path. What no rank's buffers went beyond is told in the end."""
    store = os.path.join(folder, f"{name}.store.h5")
    told = rooftally("stage", write_job(name, **changes, limits__memory=f"{memory} MiB"), "-o",
                     store, "--force", ranks=ranks).stdout
    peak = re.search(r"in ([\d.]+) (KiB|MiB) of .limits. memory", told)
    if check(peak, "stage says what it took:", told):
        bytes_ = float(peak[1]) * {"KiB": 1024, "MiB": MIB}[peak[2]]
        check(0 < bytes_ <= memory * MIB, f"stage in {memory} MiB on {ranks} ranks took", peak[0])
    return store


use_database("memory")
rss = {}
for zones, buildings in (SMALL, LARGE):
    query("drop table if exists zipcode, building cascade")
    generate(zones, buildings, 3)
    query("update building set notes = 'note ' || id where id % 3 = 0; vacuum analyze building")
    contents_of = []
    for memory in (LEAST, 64):
        for ranks in (1, 3):
            store = stage("state", memory, ranks, **JOB)
        for way in ("index", "scan", "store"):
            for ranks in (1, 3):
                what = f"{buildings} buildings by {way} in {memory} MiB on {ranks} ranks"
                changes = dict(JOB, **source_of(way, store), limits__memory=f"{memory} MiB")
                result = run("job", ranks, **changes)
                check_run(what, result, memory)
                contents_of.append(contents(result))
                rss.setdefault((way, memory, ranks), []).append(
                    int(result["/telemetry/rank/peak_rss"].max()))
    check(all(one == contents_of[0] for one in contents_of), buildings, "the memory shows")
for (way, memory, ranks), (small, large) in sorted(rss.items()):
    print(f"{way:5} {memory:2} MiB {ranks} ranks: peak RSS {small / MIB:5.1f} MiB of"
          f" {SMALL[1]} buildings, {large / MIB:5.1f} MiB of {LARGE[1]}")
    check(large - small <= MOST_GROWTH or is_sanitized(), way, memory, ranks, "RSS grows by", large - small)

def peak_rss_of(*arguments):
    """Of the program, looked at while it runs: what wait4 tells is this process's, before exec."""
    made, peak = subprocess.Popen(command(*arguments), env=environment), 0
    while made.poll() is None:
        with open(f"/proc/{made.pid}/status", encoding="utf-8") as file:
            found = re.search(r"^Name:\trooftally\n.*VmHWM:\s*(\d+) kB", file.read(), re.S)
        peak = max(peak, 1024 * int(found[1])) if found else peak
        time.sleep(0.002)
    check(made.returncode == 0, arguments, "ended with", made.returncode)
    return peak


# A store that is made: what is kept in memory, and what is dealt to buckets, of any number.
# As many threads as processors, four at most; the same bytes with one.
sizes = (20000, 200000, 1500000)
store = os.path.join(folder, "made.store.h5")
processors = sorted(os.sched_getaffinity(0))
made_of = {}
for n in sorted({1, min(2, len(processors)), min(4, len(processors))}):
    os.sched_setaffinity(0, processors[:n])
    peaks = []
    for buildings in sizes:
        peaks.append(peak_rss_of("generate", store, "--zones", "50", "--buildings", str(buildings), "--force",
                                 "--quiet"))
        with open(store, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        check(made_of.setdefault(buildings, digest) == digest, buildings, "buildings made by", n, "threads")
    print(f"generate on {n}: peak RSS", [round(peak / MIB, 1) for peak in peaks], "MiB of", sizes, "buildings")
    check(min(peaks) > 10 * MIB, "peaks", peaks)
    check(max(peaks) - min(peaks) <= MOST_GROWTH or is_sanitized(), "RSS grows:", peaks)
os.sched_setaffinity(0, processors)

# One below the least there is.
done = rooftally("plan", write_job("less", **JOB, limits__memory=f"{LEAST * MIB - 1} B"), status=2)
check("8 MiB is the least" in done.stderr, done.stderr)
rooftally("plan", write_job("least", **JOB, limits__memory=f"{LEAST * MIB} B"))
finish()
