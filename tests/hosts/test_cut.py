#!/usr/bin/python3
"""Three hosts in network namespaces, mpirun between them, and a cable that is cut: in the work, and
in the collective write. The run ends within 30 s, says which host it was, and goes on with --resume
to the bits of an undisturbed run; also where the launcher is blind to it. Ranks that are stopped for
as long are not taken for a host that is gone."""

import glob
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import verdict  # noqa: E402
from verdict import *  # noqa: E402,F403
import sandbox  # noqa: E402
from hosts import Hosts  # noqa: E402
from stored import JOB  # noqa: E402

IS_LONG = os.environ.get("ROOFTALLY_LONG") == "1"
MOST_S = 30
LONG_SILENT_S = 27
N_ZONES = 300
SPOOL, RESULT = ".spool/rank-", ".partial-"
KEEPALIVE = {"OMPI_MCA_oob_tcp_keepalive_time": 5, "OMPI_MCA_oob_tcp_keepalive_intvl": 2,
             "OMPI_MCA_oob_tcp_keepalive_probes": 3}


def path_of(name):
    return os.path.join(folder, name)


def write_job(name):
    with open(path_of(f"{name}.ini"), "w", encoding="utf-8") as file:
        file.write(JOB.format(name=name))


def start(name, ranks, slow, **variables):
    """Writes into files of this kind take their time."""
    write_job(name)
    with open(path_of(f"{name}.slow"), "w", encoding="ascii"):
        pass
    given = {"LD_PRELOAD": path_of("slow_writes.so"), "SLOW_WHILE": path_of(f"{name}.slow"),
             "SLOW_MS": 100, "SLOW_PATH": slow, "OMPI_MCA_mpi_yield_when_idle": 1}
    exports = [word for variable in given for word in ("-x", variable)]
    return hosts.mpirun([*exports, ROOFTALLY, "run", f"{name}.ini", "--resume", "--quiet"], ranks,
                        **given, **variables)


def n_bytes(pattern):
    return sum(os.path.getsize(path) for path in glob.glob(path_of(pattern)))


def await_(condition, job, what, most_s=40):
    deadline = time.monotonic() + most_s
    while not condition():
        if job.poll() is not None or time.monotonic() > deadline:
            _, stderr = job.communicate(timeout=1) if job.poll() is not None else ("", "")
            raise RuntimeError(f"no {what}: {job.poll()} {stderr}")
        time.sleep(0.02)


def end(job, what, most_s=MOST_S):
    """Wait for it, see that nothing is left on any host; (status, stderr, seconds)."""
    since = time.monotonic()
    try:
        _, stderr = job.communicate(timeout=most_s)
    except subprocess.TimeoutExpired:
        check(False, what, f"hangs after {most_s} s")
        subprocess.run(["ps", "axf", "-o", "pid,stat,wchan:20,args"])
        finish()
    seconds = time.monotonic() - since
    left = {}
    while time.monotonic() - since < most_s:
        left = {name: found for name in hosts.names
                for found in [hosts.processes(name, of="rooftally")
                              + hosts.processes(name, of="orted")] if found}
        if not left:
            break
        time.sleep(0.1)
    check(not left, what, "left behind", left)
    return job.returncode, stderr, seconds


def cut_one(name, victim, slow, phase, ranks=6):
    what = f"{name}: {victim} cut off in the {phase}"
    job = start(name, ranks, slow, **KEEPALIVE)
    await_phase(name, job, phase)
    check(len(hosts.processes(victim, of="rooftally")) == ranks // 3, what, "no ranks there")
    hosts.cut(victim)
    status, stderr, seconds = end(job, what)
    hosts.heal(victim)
    check(status not in (0, 2), what, "ended with", status, stderr)
    named = [line for line in stderr.splitlines() if victim in line]
    check(named, what, "does not name it:", stderr)
    check("no_keepalive" not in stderr, what, "warns:", stderr)
    check(not os.path.exists(path_of(f"{name}.h5")), what, "left a result")
    go_on(name, slow, what)
    print(f"{what}: status {status} after {seconds:.1f} s; says: {named[:1]}", flush=True)


def await_phase(name, job, phase):
    if phase == "work":
        await_(lambda: n_bytes(f"{name}.h5.spool/rank-*") > 20000, job, "zones in the spool")
    else:
        await_(lambda: n_bytes(f"{name}.h5.partial-*") > 0, job, "result begun")
        time.sleep(0.5)


def go_on(name, slow, what):
    if os.path.exists(path_of(f"{name}.slow")):
        os.unlink(path_of(f"{name}.slow"))
    again, stderr, _ = end(start(name, 4, slow, **KEEPALIVE), f"{what}: --resume", 120)
    check(again == 0, what, "--resume ended with", again, stderr)
    left = sorted(os.path.basename(path) for path in glob.glob(path_of(f"{name}.h5*")))
    check(left == [f"{name}.h5"], what, "left", left)


def lose_one(name, victim, slow, phase):
    """A launcher that notices nothing, as srun: the ranks end by themselves, on both sides of the
    cut, and say once who is gone. This one, mpirun without keepalive, does not end then; of that
    the run has warned."""
    what = f"{name}: {victim} cut off in the {phase}, and the launcher blind"
    job = start(name, 6, slow)
    await_phase(name, job, phase)
    hosts.cut(victim)
    since = time.monotonic()
    while any(hosts.processes(host, of="rooftally") for host in hosts.names) \
            and time.monotonic() - since < MOST_S + 5:
        time.sleep(0.1)
    seconds = time.monotonic() - since
    check(seconds < MOST_S, what, "ranks still run after", seconds)
    hosts.heal(victim)
    for program in ("orted", "mpirun"):
        for host in hosts.names:
            for pid in hosts.processes(host, of=program):
                os.kill(pid, 9)
    _, stderr, _ = end(job, what)
    named = [line for line in stderr.splitlines() if line.startswith("rooftally: ")]
    # where the launcher's own host is cut off, nobody hears of more than that
    gone = victim if victim != hosts.names[0] else r"host\d"
    check(len(named) == 1 and re.search(rf"rank \d on node {gone} has not answered", named[0])
          and "--resume" in named[0], what, "says", stderr)
    check(stderr.count("event=no_keepalive") == 1, what, "does not warn:", stderr)
    check(not os.path.exists(path_of(f"{name}.h5")), what, "left a result")
    go_on(name, slow, what)
    print(f"{what}: all ranks gone after {seconds:.1f} s; says: {named}", flush=True)


def stop_one(name, victim, slow, phase):
    """Ranks that do not run for longer than a host may be silent: theirs is not gone."""
    what = f"{name}: ranks of {victim} stopped in the {phase}"
    job = start(name, 6, slow, **KEEPALIVE)
    await_phase(name, job, phase)
    pids = hosts.processes(victim, of="rooftally")
    check(len(pids) == 2, what, "are not there")
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in pids:
            os.kill(pid, number)
        if number == signal.SIGSTOP:
            time.sleep(LONG_SILENT_S)
    os.unlink(path_of(f"{name}.slow"))
    status, stderr, _ = end(job, what)
    check(status == 0 and stderr == "", what, "ended with", status, stderr)
    print(f"{what} for {LONG_SILENT_S} s: goes on", flush=True)


def warn_without_keepalive(name):
    job = start(name, 3, SPOOL)
    await_(lambda: n_bytes(f"{name}.h5.spool/rank-*") > 0, job, "zones in the spool")
    os.unlink(path_of(f"{name}.slow"))
    status, stderr, _ = end(job, name)
    check(status == 0 and stderr.count("event=no_keepalive") == 1, name, "says", status, stderr)


def compare(names):
    done = subprocess.run(
        ["/usr/bin/python3", os.path.join(SOURCE_DIR, "tests/mpi/compare_results.py"),
         *(path_of(f"{name}.h5") for name in ("wanted", *names))], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8")
    check(done.returncode == 0, done.stdout)
    print(done.stdout, end="")


sandbox.enter(skip, folder)
subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O2",
                os.path.join(SOURCE_DIR, "tests/lib/slow_writes.c"), "-o",
                path_of("slow_writes.so")], check=True)
rooftally("generate", path_of("state.store.h5"), "--zones", str(N_ZONES), "--buildings", "100000",
          "--seed", "9", "--quiet")
write_job("wanted")
subprocess.run(command("run", "wanted.ini", "--quiet", ranks=3), cwd=folder, env=environment,
               check=True, stdin=subprocess.DEVNULL)
hosts = Hosts(folder, environment)
names = ["in_work", "in_write", "lost_work", "lost_write", "stopped_work"]
cut_one("in_work", "host3", SPOOL, "work")
cut_one("in_write", "host2", RESULT, "write")
lose_one("lost_work", "host3", SPOOL, "work")
lose_one("lost_write", "host2", RESULT, "write")
stop_one("stopped_work", "host3", SPOOL, "work")
if IS_LONG:
    for i in range(10):
        names += [f"work_{i}", f"write_{i}"]
        cut_one(f"work_{i}", f"host{2 + i % 2}", SPOOL, "work")
        cut_one(f"write_{i}", f"host{2 + i % 2}", RESULT, "write")
    names += ["stopped_write", "first_work", "first_write"]
    stop_one("stopped_write", "host2", RESULT, "write")
    lose_one("first_work", "host1", SPOOL, "work")
    lose_one("first_write", "host1", RESULT, "write")
warn_without_keepalive("warned")
compare([*names, "warned"])
finish()
