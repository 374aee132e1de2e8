#!/usr/bin/python3
"""The server, or a connection to it, goes away in the middle of a job, or of staging. Needs a server of
its own to take down, so it runs itself under jobs/cluster."""

import filecmp
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


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return list(map(int, file.read().split()))


def tell(processes, number):
    for pid in processes:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass  # one that has just ended


def frozen():
    """The server stands still, and so does whoever asks it to cancel: a stop comes to its end all the
    same, in the order that it has, and not by the alarm."""
    name, hold = "frozen", Hold()
    job, _ = start(name, 1)
    with open(os.path.join(environment["PGDATA"], "postmaster.pid"), encoding="utf-8") as file:
        postmaster = int(file.readline())
    processes = [postmaster, *children(postmaster)]
    tell(processes, signal.SIGSTOP)
    try:
        job.terminate()
        _, stderr = job.communicate(timeout=MOST_S)
    finally:
        tell(processes, signal.SIGCONT)
        hold.release()
        job.kill()
    check(job.returncode == 75 and stderr.startswith("rooftally: stopped by SIGTERM"), name, "ended with",
          job.returncode, stderr)


def silent_host():
    """One of several hosts takes connections and says nothing: the next has its turn, as in psql."""
    import socket
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [listener.getsockname()[1] for listener in listeners]
    real, port = environment["PGHOST"], environment.get("PGPORT", "5432")
    dbname = environment["PGDATABASE"]
    hosts = real.replace("/", "%2F")
    # a service of the environment's has no say where the connection names another
    services = os.path.join(folder, "services")
    with open(services, "w", encoding="utf-8") as file:
        file.write(f"[two]\nhost=127.0.0.1,{real}\nport={ports[0]},{port}\ndbname={dbname}\nconnect_timeout=2\n"
                   "[other]\nhost=127.0.0.1\nhostaddr=127.0.0.1\nport=1\n")
    environment["PGSERVICEFILE"], environment["PGSERVICE"] = services, "other"
    for i, connection in enumerate((
            "service=two",
            f"host=127.0.0.1,{real} port={ports[0]},{port}",
            f"host=localhost,{real} hostaddr=127.1, port={ports[0]},{port}",
            f"host=127.0.0.1,{real},127.0.0.1 port={ports[0]},{port},{ports[1]}",
            f"host=localhost,localhost,{real} hostaddr=127.0.0.1,127.0.0.1, port={ports[0]},{ports[1]},{port}",
            f"postgresql://127.0.0.1:{ports[0]},127.0.0.1:{ports[1]},{hosts}:{port}/{dbname}?connect_timeout=2")):
        name = f"silent_{i}"
        if i > 0:
            environment.pop("PGSERVICE", None)
        if not connection.startswith(("service", "postgresql:")):
            connection += f" dbname={dbname} connect_timeout=2"
        since = time.monotonic()
        done = rooftally("run", write_job(name, source__connection=connection), "-o",
                         os.path.join(folder, f"{name}.h5"), "--quiet", ranks=1, status=None)
        print(f"{name}: {time.monotonic() - since:.1f} s")
        check(done.returncode == 0 and os.path.exists(os.path.join(folder, f"{name}.h5")), name, connection,
              "ended with", done.returncode, done.stderr)
    since = time.monotonic()
    done = rooftally("run", write_job("all_silent", source__connection=f"host=127.0.0.1,127.0.0.1 port={ports[0]},"
                                      f"{ports[1]} dbname={dbname} connect_timeout=2", limits__retries="0"),
                     "-o", os.path.join(folder, "all_silent.h5"), "--quiet", ranks=1, status=None)
    seconds = time.monotonic() - since
    check(done.returncode in (1, 2) and "timeout expired" in done.stderr and seconds > 3.5,
          "all_silent ended with", done.returncode, "after", seconds, done.stderr)
    for listener in listeners:
        listener.close()


ALL = "rooftally rank %"


def store_of(name):
    return os.path.join(folder, f"{name}.h5")


def start_stage(name, ranks, *options, **changes):
    return subprocess.Popen(
        command("stage", write_job(name, **changes), "-o", store_of(name), "--quiet", *options, ranks=ranks),
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", env=environment)


def wait_held(name, job, n_waiting):
    """So many ranks wait among the buildings."""
    deadline = time.monotonic() + 60
    while n_held() != n_waiting and time.monotonic() < deadline and job.poll() is None:
        time.sleep(0.05)
    check(n_held() == n_waiting, name, "waits among the buildings:", n_held(), job.poll())


def end_stage(name, job):
    """Status, lines of ours, and events of retries."""
    try:
        _, stderr = job.communicate(timeout=MOST_S)
    except subprocess.TimeoutExpired:
        job.terminate()
        check(False, name, "hangs:", job.communicate()[1])
        return None, [], []
    lines = stderr.splitlines()
    return (job.returncode, [line for line in lines if line.startswith("rooftally: ")],
            [line for line in lines if line.startswith("level=warn rank=0 event=retry ")])


def staged_anew(name, ranks, n_waiting, n_times, how, victim, **changes):
    """Sessions end, now and then: staging begins anew each time, and gives the same store."""
    hold = Hold()
    job = start_stage(name, ranks, **changes)
    wait_held(name, job, n_waiting)
    for _ in range(n_times):
        before = backends("true")
        query(f"select {how}(pid) from pg_stat_activity where application_name like '{victim}'")
        if victim != ALL:  # the others come to the end of their parts first
            wait_held(name, job, n_waiting - 1)
            break
        deadline = time.monotonic() + 20
        while set(backends("true")) & set(before) and time.monotonic() < deadline:
            time.sleep(0.05)
        wait_held(name, job, n_waiting)
    hold.release()
    status, ours, retries = end_stage(name, job)
    check(status == 0 and ours == [], name, "ended with", status, ours)
    check(len(retries) == n_times and all(f" n={n + 1} why=" in line for n, line in enumerate(retries)),
          name, "retries:", retries)
    check(status != 0 or filecmp.cmp(store_of(name), store_of("staged"), shallow=False), name, "gives another store")
    check(leftovers(name) == [f"{name}.h5"], name, "left", leftovers(name))


def stage_given_up(name, n_retries, options, end, wanted, words):
    """Whoever ends it, and after how many retries: nothing is left."""
    hold = Hold()
    job = start_stage(name, 3, *options, buildings__table="held_building")
    end(name, job)
    status, ours, retries = end_stage(name, job)
    hold.release()
    check(status == wanted and len(ours) == 1 and words in ours[0], name, "ended with", status, ours)
    check(n_retries is None or len(retries) == n_retries, name, "retries:", retries)
    check(leftovers(name) == [], name, "left", leftovers(name))


def cancel(name, job):
    wait_held(name, job, 1)
    query("select pg_cancel_backend(pid) from pg_stat_activity where application_name like 'rooftally%'")


def cancel_times(name, job, n):
    for _ in range(n):
        wait_held(name, job, 1)
        before = set(backends("true"))
        query("select pg_cancel_backend(pid) from pg_stat_activity where application_name like 'rooftally%'")
        deadline = time.monotonic() + 20  # who waits has closed his connections
        while set(backends("true")) & before and time.monotonic() < deadline:
            time.sleep(0.01)


def cancel_twice(name, job):
    cancel_times(name, job, 2)


def cancel_and_stop(name, job):
    """In the wait that follows the fourth failure, of 4 s."""
    cancel_times(name, job, 4)
    job.send_signal(signal.SIGUSR1)  # which mpirun passes on


def others_leave(name, *verb, **changes):
    """Two ranks wait for the server, for ever; the third fails: all end, with its reason."""
    job = write_job(name, source__connection="user=few", **changes)
    hold = Hold()
    process = subprocess.Popen(command(*verb, job, "-o", store_of(name), "--quiet", ranks=3), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment)
    try:
        ours = [line for line in process.communicate(timeout=60)[1].splitlines() if line.startswith("rooftally: ")]
        check(process.returncode == 1 and len(ours) == 1 and "out of range" in ours[0], name,
              "ended with", process.returncode, ours)
    except subprocess.TimeoutExpired:
        check(False, name, "waits for ranks that will not come")
    hold.release()
    process.communicate()
    check(leftovers(name) == [], name, "left", leftovers(name))


def stage_refused(name, fault):
    """What cannot go better is not tried again."""
    query(f"create view {name} as select id, {fault} as height, boundary from building")
    done = rooftally("stage", write_job(name, buildings__table=name, buildings__fields="height"), "-o",
                     store_of(name), "--quiet", ranks=3, status=None)
    check(done.returncode in (1, 2) and "event=retry" not in done.stderr, name, "ended with", done.returncode,
          done.stderr)
    check(leftovers(name) == [], name, "left", leftovers(name))


generate(12, 3000, 4)
make_held_view("held_building", "building")
rooftally("stage", write_job("staged"), "-o", store_of("staged"), "--quiet")
# under a policy every rank waits in its part of the table; and not one connection is to spare
query("""create role few login connection limit 3; grant pg_read_all_data to few;
         alter table building enable row level security;
         create policy held on building using (held(1) = 1)""")
for how in ("pg_cancel_backend", "pg_terminate_backend"):
    staged_anew(f"{how}_1", 1, 1, 2, how, ALL, buildings__table="held_building")
    staged_anew(f"{how}_3", 3, 3, 2, how, ALL, source__connection="user=few")
    staged_anew(f"{how}_1_of_3", 3, 3, 1, how, "rooftally rank 2", source__connection="user=few")
query("alter policy held on building using (id > 1500 or held(1) = 1)")
others_leave("one_fails", "stage", buildings__fields="far = 9223372036854775807 + id")
others_leave("one_is_refused", "run", buildings__where="9223372036854775807 + id > 0", source__fetch="scan")
query("alter table building disable row level security")
stage_given_up("not_again", 0, ["--set", "limits.retries=0"], cancel, 1, "canceling statement")
stage_given_up("signalled", 4, [], cancel_and_stop, 75, "stopped by SIGUSR1")
# a timeout that is meant for others ends nothing: those who wait are cancelled, or stopped
query(f"alter database \"{environment['PGDATABASE']}\" set statement_timeout = '1s'")
stage_given_up("retried_out", 1, ["--set", "limits.retries=1"], cancel_twice, 1,
               "after 1 retry: held_building: canceling statement due to user request")
stage_given_up("limited", 2, ["--set", "limits.time=9s"], cancel_twice, 75, "stopped by the time limit")
query(f"alter database \"{environment['PGDATABASE']}\" reset statement_timeout")
stage_refused("wrong_data", "1 / (id - 17)")
stage_refused("wrong_size", "repeat('x', 1000000000 + id::int)")
wanted = run("wanted", **JOB)
silent_host()
frozen()
one_connection(3)
all_connections(1)
all_connections(3)
server(3)
finish()
