#!/usr/bin/python3
"""The database fails in the middle of a run: connections ended, statements cancelled, too few
connections, the server restarted. With a snapshot that lives on, or without one, the run goes on;
with one that is gone it stops, resumable. Runs itself under jobs/cluster, as it needs a server of
its own to take down. ROOFTALLY_LONG=1: 7 of each, 21 of them the whole server's end."""

from fault import *

if sys.argv[1:] != ["inside"]:
    os.execv(os.path.join(SOURCE_DIR, "jobs/cluster"),
             ["jobs/cluster", os.path.abspath(__file__), "inside"])

N_TIMES = int(os.environ.get("N_TIMES", 7 if is_long() else 1))
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
    set_pace(0.02)  # it has a second or two left when it is disturbed
    job = start(name, ranks, "--quiet", **{**QUICK, **changes})
    wait_working(name, job)
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


def crash():
    """A backend is killed: the server ends all others, and recovers."""
    pids = query(f"select pid from pg_stat_activity where {WORKERS} limit 1")
    kill(int(pids[0][0]), 9)


def server_gone():
    chance.choice((crash, lambda: restart_server("fast"), lambda: restart_server("immediate")))()


make_database("database")
wanted = reference()
chance = seeded(3)
total = 0
EXPORTER = OURS + " and application_name = 'rooftally rank 0'"
NONE = dict(source__snapshot="none")
for i in range(N_TIMES):
    total += goes_on(f"workers_{i}", 3, end(WORKERS))
    total += goes_on(f"cancelled_{i}", 3, cancel_often)
    total += goes_on(f"free_{i}", 3, end(OURS), **NONE)
    total += goes_on(f"alone_free_{i}", 1, end(OURS), **NONE)
    total += goes_on(f"restart_free_{i}", 3, lambda: restart_server("fast"), **NONE)
    total += goes_on(f"crash_free_{i}", 3, crash, **NONE)
    stops(f"exporter_{i}", 3, end(EXPORTER), ["snapshot", "is gone"])
    stops(f"alone_{i}", 1, end(OURS), ["snapshot", "is gone"])
    stops(f"restart_{i}", 3, server_gone, ["snapshot", "is gone"])
figure(f"{3 * N_TIMES} times the whole server, {6 * N_TIMES} times some of its sessions: {6 * N_TIMES} "
       f"runs went on with {total} retries, {3 * N_TIMES} stopped and were resumed")
check(total > 0, "there were retries")

# retries end, and nothing is lost
stops("given_up", 2, end(WORKERS), ["zone "], limits__retries="0")

# whatever a server may say to one that is to try again: a row in 768 fails in one backend of four,
# and every try has a backend of its own
STATES = ("40001", "40P01", "53200", "53300", "55P03", "57014", "57P01", "57P05", "08006", "58030")
set_pace(0.01)
query(f"""
    create or replace function slowly(x float8, i bigint) returns float8 language plpgsql volatile as
    $$declare chance int := abs(hashint8(i * 7919 + pg_backend_pid()) % 3000);
    begin if i % {N_BUILDINGS // SLEEPS} = 0 then
              if i % 768 = 0 and chance < 750 then
                if chance < 20 then perform pg_cancel_backend(pg_backend_pid()), pg_sleep(4); end if;
                execute format('do %L', format('begin raise sqlstate %L; end',
                  ('{{{",".join(STATES)}}}'::text[])[1 + chance % {len(STATES)}]));
              end if;
              perform pg_sleep(0.01);
            end if; return x; end$$""")
total, reasons, seconds = 0, set(), 0
for i in range(10):  # which backend fails at which row is chance: a run in 70 has none
    job = start(f"trouble_{i}", 3, "--quiet", limits__retries="20")
    status, stderr, took = wait_ended(job, [], 60, "trouble")
    check(status == 0, "trouble ended with", status, stderr)
    check_whole(f"trouble_{i}", wanted, "trouble")
    total += int(Result(path_of(f"trouble_{i}"))["/telemetry/zone/retries"].sum())
    reasons |= {line.rpartition(": ")[2].rstrip('"') for line in stderr.splitlines()
                if "event=retry" in line}
    seconds += took
    remove(f"trouble_{i}")
    if total:
        break
check(total > 0 and reasons, "there was trouble:", total, reasons)
set_pace(0)
figure(f"serialisation failures and the like: {total} retries, {seconds:.1f} s: {sorted(reasons)}")

# timeouts of the role or the database are meant for others: nothing of ours is cancelled
TIMEOUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
for timeout in TIMEOUTS:
    query(f"alter database \"{environment['PGDATABASE']}\" set {timeout} = '1s'")
set_pace(0.01)
done = rooftally("run", write_job("slow", **{**JOB, "source__fetch": "scan", "limits__retries": "0"}), "-o",
                 path_of("slow"), "--quiet", status=None)
check(done.returncode == 0, "beside timeouts ended with", done.returncode, done.stderr)
check_whole("slow", wanted, "beside timeouts")
set_pace(0)
for timeout in TIMEOUTS:
    query(f"alter database \"{environment['PGDATABASE']}\" reset {timeout}")

# more ranks than connections
query("create role few login connection limit 2; grant pg_read_all_data to few")
environment["PGUSER"] = "few"
done = rooftally("run", write_job("few", **JOB), "-o", path_of("few"), "--quiet", ranks=4,
                 status=None)
check(done.returncode == 2 and "4 ranks need as many connections, and the server has 2" in
      done.stderr and "CONNECTION LIMIT" in done.stderr, "too few connections:", done.returncode, done.stderr)
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
finish()
