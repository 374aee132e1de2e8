#!/usr/bin/python3
"""SIGTERM, SIGINT and SIGUSR1 to one rank, to some, to all, to mpirun, once or several times, in
every phase, also where one rank hangs: the run ends within 10 s with status 75 and says how to go
on; then --resume. ROOFTALLY_LONG=1: 80 of the cases."""

import shutil
import signal

from fault import *

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
MOST_S = 10


def send(job, target, number, chance):
    """Send to ranks in the way that `target` says; "hung": one of them does not answer any more.
    All ranks, and that one, 0 for none."""
    ranks = ranks_of(job)
    pids = list(ranks.values())
    if target == "hung":
        hung = chance.choice(pids)
        kill(hung, signal.SIGSTOP)
        for pid in pids:
            if pid != hung:
                kill(pid, number)
        return pids, hung
    chosen = {"mpirun": [job.pid], "rank 0": pids[:1] if 0 not in ranks else [ranks[0]],
              "a worker": [ranks[max(ranks)]], "some": chance.sample(pids, (len(pids) + 1) // 2),
              "all": pids, "thrice": pids * 3}[target]
    for i, pid in enumerate(chosen):
        kill(pid, signal.SIGCONT)
        kill(pid, number)
        if target == "thrice" and i % len(pids) == len(pids) - 1:
            time.sleep(0.05)
    return pids, 0


def let_go(job, pids, hung, count, what):
    """A rank that was stopped when it had nothing left but to end: all others have ended, as if it
    had, and nobody but who stopped it can let it."""
    others = [pid for pid in pids if pid != hung]
    until = time.monotonic() + MOST_S
    while job.poll() is None and any(map(is_alive, others)) and time.monotonic() < until:
        time.sleep(0.02)
    check(job.poll() is not None or not any(map(is_alive, others)), what, "holds the others")
    until = time.monotonic() + 2  # mpirun ends the last where the others ended in a bad way
    while job.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    if job.poll() is None and not any(map(is_alive, others)):
        count["hung at its very end"] = count.get("hung at its very end", 0) + 1
        kill(hung, signal.SIGCONT)


def one_signal(count, name, ranks, target, number, phase, chance, wanted):
    what = f"{name}: {signal.Signals(number).name} to {target}, {ranks} ranks, {phase}"
    job = start(name, ranks, "--quiet")
    if phase == "start":
        wait_until(lambda: len(ranks_of(job)) == ranks and
                   all(catches(pid, number) for pid in ranks_of(job).values()), job)
        time.sleep(chance.uniform(0, 0.5))
    elif phase == "write":
        wait_until(lambda: glob.glob(path_of(name) + ".partial-*"), job)
    elif phase == "late":
        wait_until(lambda: os.path.exists(path_of(name)), job)
    else:
        wait_until(lambda: n_spooled(name) > 0, job)
        time.sleep(chance.uniform(0, 0.6))
    pids, hung = send(job, target, number, chance)
    is_whole = os.path.exists(path_of(name))
    is_late = is_whole or glob.glob(path_of(name) + ".partial-*")
    if hung and is_whole:
        let_go(job, pids, hung, count, what)
    status, stderr, seconds = wait_ended(job, pids, 30, what)
    if status == 0 or (target == "hung" and is_whole and status != 75):
        count["done before it"] += 1  # and for a rank that is hung then, mpirun has a status
        check(is_late, what, "was done all the same, and had not begun to write")
    elif target == "mpirun" and number != signal.SIGUSR1:
        # mpirun ends its ranks by force a moment later, and says what it likes
        count["mpirun's own end"] += 1
        check(status != 0, what, "ended with", status)
        statuses[status] = statuses.get(status, 0) + 1
    else:
        count["75"] += 1
        n_ended[signal.Signals(number).name] += 1
        check(status == 75, what, "ended with", status, stderr)
        ours = [line for line in stderr.splitlines() if line.startswith("rooftally: ")]
        # inside MPI itself a rank waits until it ends, and it is rank 0 that says so
        is_told = target != "hung" or phase == "work" or len(ours) > 0
        check(len(ours) == is_told, what, "says", ours)
        if n_spooled(name) > 0 and is_told and (target, phase) != ("hung", "start"):
            check("--resume" in "".join(ours), what, "does not say how to go on:", stderr)
    check(seconds < MOST_S, what, f"took {seconds:.1f} s")
    slowest[0] = max(slowest[0], seconds)
    if not os.path.exists(path_of(name)) or os.path.exists(spool_of(name)):
        resume(name, chance.choice((1, 2, 3, 5)), what, "--quiet")
    check_whole(name, wanted, what)
    remove(name)


make_database("signal")
wanted = reference()
chance = seeded(2)
count = {"75": 0, "done before it": 0, "mpirun's own end": 0}
statuses, slowest = {}, [0.0]
n_ended = {number.name: 0 for number in SIGNALS}
targets = ("rank 0", "a worker", "some", "all", "thrice", "mpirun", "hung")
cases = [(ranks, target, number, phase) for ranks in (1, 3, 4) for target in targets
         for number in SIGNALS for phase in ("start", "work", "work", "write")
         if ranks > 1 or target in ("rank 0", "thrice")]
chance.shuffle(cases)
n_cases = int(os.environ.get("N_CASES", 80 if is_long() else 9))
for i, (ranks, target, number, phase) in enumerate(cases[:n_cases]):
    one_signal(count, f"signal_{i}", ranks, target, number, phase, chance, wanted)
# the result is there, and one rank never comes to part from the others
for i in range(3):
    one_signal(count, f"late_{i}", 3, "hung", signal.SIGUSR1, "late", chance, wanted)
figure(f"{3 + min(n_cases, len(cases))} signals: {count}, with status 75 {n_ended}, mpirun's statuses "
       f"{statuses}; the slowest end took {slowest[0]:.1f} s")

# where an older result is to be replaced, how to go on has --force as well, whoever says it
for i, hung_rank in enumerate((2, 0)):
    name = f"again_{i}"
    what = f"{name}: rank {hung_rank} hangs"
    shutil.copy(path_of("wanted"), path_of(name))
    job = start(name, 3, "--quiet", "--force")
    wait_until(lambda: n_spooled(name) > 0 and len(ranks_of(job)) == 3, job)
    ranks = ranks_of(job)
    check(len(ranks) == 3, what, "is at work with", ranks)
    kill(ranks[hung_rank], signal.SIGSTOP)
    for rank in range(3):
        if rank != hung_rank:
            kill(ranks[rank], signal.SIGTERM)
    status, stderr, _ = wait_ended(job, list(ranks.values()), 30, what)
    ours = [line for line in stderr.splitlines() if line.startswith("rooftally: ")]
    check(status == 75, what, "ended with", status, stderr)
    check(len(ours) > 0 and all("rooftally run --resume --force goes on" in line for line in ours), what, "says", ours)
    resume(name, 2, what, "--quiet", "--force")
    check_whole(name, wanted, what)
    remove(name)

# the time limit ends a run by itself, resumable
name = "limit"
set_pace(0.2)
job = start(name, 2, "--quiet", limits__time="10 s")
wait_until(lambda: len(ranks_of(job)) == 2 and all(catches(pid, signal.SIGTERM)
                                                   for pid in ranks_of(job).values()), job)
since = time.monotonic()
status, stderr, _ = wait_ended(job, list(ranks_of(job).values()), 30, name)
seconds = time.monotonic() - since
# 8 s of work, which needs 50, and the time to come to an end, which a busy machine may draw out
check(status == 75 and 5 < seconds < 8 + MOST_S, name, "ended with", status, "after", seconds, stderr)
check("stopped by the time limit" in stderr and "--resume" in stderr, name, "says", stderr)

# and so does Slurm's, which squeue tells
with open(os.path.join(folder, "squeue"), "w", encoding="ascii") as file:
    file.write("#!/bin/sh\necho 0:05\n")
os.chmod(file.name, 0o755)
since = time.monotonic()
done = subprocess.run(command("run", write_job(name, **JOB), "-o", path_of(name), "--resume",
                              "--quiet", ranks=2), timeout=60, stdin=subprocess.DEVNULL,
                      env=dict(environment, SLURM_JOB_ID="4711",
                               PATH=folder + ":" + os.environ["PATH"]),
                      stderr=subprocess.PIPE, encoding="utf-8")
seconds = time.monotonic() - since
check(done.returncode == 75 and 3 < seconds < 4 + MOST_S, "Slurm's limit:", done.returncode, seconds,
      done.stderr)
resume(name, 3, name, "--quiet")
check_whole(name, wanted, name)
finish()
