#!/usr/bin/python3
"""The database fails in the middle of a run: connections ended, statements cancelled, too few
connections, the server restarted. With a snapshot that lives on, or without one, the run goes on;
with one that is gone it stops, resumable. Runs itself under jobs/cluster, as it needs a server of
its own to take down. ROOFTALLY_LONG=1: 20 of each."""

from fault import *

if sys.argv[1:] != ["inside"]:
    os.execv(os.path.join(SOURCE_DIR, "jobs/cluster"),
             ["jobs/cluster", os.path.abspath(__file__), "inside"])

N_TIMES = int(os.environ.get("N_TIMES", 20 if is_long() else 2))
OURS = "application_name like 'rooftally rank %'"
WORKERS = OURS + " and application_name <> 'rooftally rank 0'"
QUICK = dict(limits__retries="8")


def restart_server(mode, most_s=30):
    """pg_ctl restart; as the server's own user, since it refuses to run as root."""
    words = ["pg_ctl", "-D", environment["PGDATA"], "-m", mode, "-w", "-l", "/dev/null", "restart"]
    if os.getuid() == 0:
        words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *words]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=environment, cwd="/",
                   stdin=subprocess.DEVNULL, timeout=most_s)


def working(name, ranks, **changes):
    job = start(name, ranks, "--quiet", **{**QUICK, **changes})
    check(wait_until(lambda: n_spooled(name) > 0, job), name, "works")
    time.sleep(chance.uniform(0, 0.5))
    return job, list(ranks_of(job).values())


def goes_on(name, ranks, disturb, **changes):
    job, pids = working(name, ranks, **changes)
    disturb()
    status, stderr, seconds = wait_ended(job, pids, 60, name)
    check(status == 0, name, "ended with", status, stderr)
    check_whole(name, wanted, name)
    result = Result(path_of(name))
    n_retries = int(result["/telemetry/zone/retries"].sum())
    snapshots = set(result["/telemetry/zone/snapshot"])
    check(len(snapshots) == 1, name, "was read under", snapshots)
    remove(name)
    print(f"{name}: goes on, {n_retries} retries, {seconds:.1f} s")
    return n_retries


def stops(name, ranks, disturb, words, **changes):
    job, pids = working(name, ranks, **changes)
    disturb()
    status, stderr, seconds = wait_ended(job, pids, 60, name)
    ours = [line for line in stderr.splitlines() if line.startswith("rooftally: ")]
    check(status == 1, name, "ended with", status, stderr)
    check(len(ours) == 1 and all(word in ours[0] for word in words), name, "says", stderr)
    check("--resume" in "".join(ours), name, "does not say how to go on", stderr)
    print(f"{name}: stops after {seconds:.1f} s: {ours}")
    resume(name, chance.choice((1, 2, 4)), name, "--quiet")
    check_whole(name, wanted, name)
    remove(name)


def end(condition):
    return lambda: query(f"select pg_terminate_backend(pid) from pg_stat_activity where {condition}")


def cancel_often():
    for _ in range(5):
        query(f"select pg_cancel_backend(pid) from pg_stat_activity where {WORKERS}")
        time.sleep(0.1)


make_database("database")
wanted = reference()
chance = seeded(3)
total = 0
for i in range(N_TIMES):
    total += goes_on(f"workers_{i}", 3, end(WORKERS))
    total += goes_on(f"cancelled_{i}", 3, cancel_often)
    total += goes_on(f"free_{i}", 3, end(OURS), source__snapshot="none")
    total += goes_on(f"alone_free_{i}", 1, end(OURS), source__snapshot="none")
    total += goes_on(f"restart_free_{i}", 3, lambda: restart_server("fast"),
                     source__snapshot="none")
    stops(f"exporter_{i}", 3, end(OURS + " and application_name = 'rooftally rank 0'"),
          ["snapshot", "is gone"])
    stops(f"alone_{i}", 1, end(OURS), ["snapshot", "is gone"])
    stops(f"restart_{i}", 3, lambda: restart_server(chance.choice(("fast", "immediate"))),
          ["snapshot", "is gone"])
check(total > 0, "there were retries")

# retries end, and nothing is lost
stops("given_up", 2, end(WORKERS), ["zone "], limits__retries="0")

# a statement that takes too long is cancelled by the server, time and again
query(f"alter database \"{environment['PGDATABASE']}\" set statement_timeout = '1ms'")
done = rooftally("run", write_job("slow", **{**JOB, "limits__retries": "1"}), "-o", path_of("slow"),
                 "--quiet", status=None)
check(done.returncode in (1, 2) and "timeout" in done.stderr, "a timeout", done.returncode,
      done.stderr)
query(f"alter database \"{environment['PGDATABASE']}\" reset statement_timeout")

# more ranks than connections
query("create role few login connection limit 2; grant pg_read_all_data to few")
environment["PGUSER"] = "few"
done = rooftally("run", write_job("few", **JOB), "-o", path_of("few"), "--quiet", ranks=4,
                 status=None)
check(done.returncode == 2 and "4 ranks need as many connections, and the server has 2" in
      done.stderr, "too few connections:", done.returncode, done.stderr)
check(leftovers("few") == [], "too few connections: left", leftovers("few"))
environment["SLURM_NTASKS"] = "4"
done = rooftally("plan", write_job("few", **JOB), status=None)
check(done.returncode == 2 and "4 ranks need" in done.stderr, "plan:", done.returncode, done.stderr)
environment["SLURM_NTASKS"] = "2"
rooftally("plan", write_job("few", **JOB))
rooftally("run", write_job("few", **JOB), "-o", path_of("few"), "--quiet", ranks=2)
check_whole("few", wanted, "as many ranks as connections")
del environment["PGUSER"]
if "PGUSER" in os.environ:
    environment["PGUSER"] = os.environ["PGUSER"]
print(f"{5 * N_TIMES} faults that a run survives, {total} retries; {3 * N_TIMES + 1} that stop it")
finish()
