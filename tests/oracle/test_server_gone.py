#!/usr/bin/python3
"""The server, or a connection to it, goes away in the middle of a job. Needs a server of its own to
take down, so it runs itself under jobs/cluster."""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

if sys.argv[1:] != ["inside"]:
    os.execv(os.path.join(SOURCE_DIR, "jobs/cluster"),
             ["jobs/cluster", os.path.abspath(__file__), "inside"])

JOB = dict(buildings__table="held_building", buildings__keep="id, height",
           statistics={"buildings": "count", "total": "sum(height)"})
# How long the end may take: five retries, which wait longer and longer, and mpirun.
MOST_S = 60


def start(name, ranks):
    """A job whose workers all wait in the middle of their first zone."""
    output = os.path.join(folder, f"{name}.h5")
    job = subprocess.Popen(
        command("run", write_job(name, **JOB), "-o", output, "--force", "--quiet", ranks=ranks),
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", env=environment)
    deadline = time.monotonic() + 60
    while n_held() < max(ranks - 1, 1) and time.monotonic() < deadline and job.poll() is None:
        time.sleep(0.05)
    check(n_held() == max(ranks - 1, 1), name, "waits in its first zones")
    return job, output


def check_failed(name, job, since, words):
    try:
        _, stderr = job.communicate(timeout=MOST_S)
    except subprocess.TimeoutExpired:
        job.terminate()
        check(False, name, "hangs:", job.communicate()[1])
        return
    print(f"{name}: ended after {time.monotonic() - since:.1f} s with {job.returncode}")
    ours = [line for line in stderr.splitlines() if line.startswith("rooftally: ")]
    check(job.returncode == 1, name, "ends with", job.returncode, stderr)
    check(len(ours) == 1 and all(word in ours[0] for word in words), name, "tells", stderr)
    check(leftovers(name) == [], name, "left", leftovers(name))


def backends(condition):
    return [int(row[0]) for row in query(
        f"select pid from pg_stat_activity where application_name like 'rooftally%' and {condition}"
        " order by backend_start")]


def one_connection(ranks):
    """One worker loses its connection: either it connects again, and the bits are the same, or the
    job fails as it should."""
    name = f"one_of_{ranks}"
    hold = Hold()
    job, output = start(name, ranks)
    since = time.monotonic()
    waiting = backends("wait_event_type = 'Lock'")
    query(f"select pg_terminate_backend({waiting[-1]})")
    time.sleep(0.5)
    hold.release()
    if job.wait(timeout=MOST_S) != 0:
        check_failed(name, job, since, ["zone 0"])
        return
    result = Result(output)
    check(result.selection() == wanted.selection() and
          (result["/total"] == wanted["/total"]).all(), "one connection lost: other results")
    check(result["/telemetry/zone/retries"].sum() >= 1, "the retry is on record")


def all_connections(ranks):
    """Every connection goes, the snapshot with them: the job cannot go on as it was."""
    hold = Hold()
    job, _ = start(f"all_of_{ranks}", ranks)
    since = time.monotonic()
    query("select pg_terminate_backend(pid) from pg_stat_activity"
          " where application_name like 'rooftally%'")
    check_failed(f"all_of_{ranks}", job, since, [])
    hold.release()


def server(ranks):
    hold = Hold()
    job, _ = start(f"server_of_{ranks}", ranks)
    with open(os.path.join(environment["PGDATA"], "postmaster.pid"), encoding="utf-8") as file:
        postmaster = int(file.readline())
    since = time.monotonic()
    os.kill(postmaster, signal.SIGQUIT)  # pg_ctl stop -m immediate
    check_failed(f"server_of_{ranks}", job, since, [])
    hold.release()


generate(12, 3000, 4)
make_held_view("held_building", "building")
wanted = run("wanted", **JOB)
one_connection(3)
all_connections(1)
all_connections(3)
server(3)
finish()
