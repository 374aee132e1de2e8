#!/usr/bin/python3
"""Staging that is ended: by signals, by the death of any rank, by a full disk. Nothing remains but
the store that was there, and the next try succeeds. The full disk needs root, to mount a small one."""

import filecmp
import signal

from fault import *

N = 40 if is_long() else 8
FOLDER = os.path.join(folder, "stage")
STORE = os.path.join(FOLDER, "state.h5")
TABLE = dict(buildings__fields="height, size, use, notes", statistics={"buildings": "count"})


def stage(table, output, *options, ranks=1, memory="8 MiB"):
    job = write_job("stage", **TABLE, buildings__table=table, limits__memory=memory)
    return subprocess.Popen(command("stage", job, "-o", output, "--quiet", *options, ranks=ranks),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                            env=environment, start_new_session=True)


def check_unharmed(what):
    check(os.listdir(FOLDER) == ["state.h5"], what, "left", os.listdir(FOLDER))
    check(filecmp.cmp(STORE, wanted, shallow=False), what, "harmed the store that was there")


def end(ranks, random):
    """End one rank, or all, at some instant; it may be that staging was done before."""
    number = random.choice((signal.SIGTERM, signal.SIGKILL))
    job = stage("slow_building", STORE, "--force", ranks=ranks)
    pids = ranks_of(job)
    wait_until(lambda: len(ranks_of(job)) == ranks
               and all(catches(pid, signal.SIGTERM) for pid in ranks_of(job).values()), job, 10)
    time.sleep(random.uniform(0, 2))
    pids = ranks_of(job)
    victim = random.choice([*pids, "all"])
    what = f"signal {number} to rank {victim} of {ranks}"
    hit = [kill(pid, number) for rank, pid in pids.items() if victim in (rank, "all")]
    status, stderr, seconds = wait_ended(job, pids.values(), 30, what)
    check_unharmed(what)
    if any(hit) and status != 0:
        ended.append(seconds)
        check("rooftally" not in stderr or number == signal.SIGKILL
              or stderr.count("rooftally:") == 1, what, "said", stderr)
        check(ranks > 1 or status == (75 if number == signal.SIGTERM else -9), what, "ended with",
              status)


def end_one(word, ranks, victim, delay, folder):
    """SIGTERM to one rank alone: all leave together, with one line and nothing else left."""
    since = time.monotonic()
    what = f"{word} on {ranks} ranks, SIGTERM to rank {victim} after {delay} s"
    output = os.path.join(folder, "told.h5")
    job = (stage("slow_building", output, ranks=ranks) if word == "stage" else
           start("told", ranks, "--quiet", source__fetch="scan", output=output)
           if word == "run" else
           subprocess.Popen(command("generate", output, "--zones", "400", "--buildings",
                                           "20000000", "--quiet", ranks=ranks),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                            env=environment, start_new_session=True))
    wait_until(lambda: len(ranks_of(job)) == ranks
               and all(catches(pid, signal.SIGTERM) for pid in ranks_of(job).values()), job, 10)
    time.sleep(delay)
    pids = ranks_of(job)
    is_early = job.poll() is None and kill(pids[victim], signal.SIGTERM)
    check(is_early, what, "was done before:", time.monotonic() - since)
    status, stderr, _ = wait_ended(job, pids.values(), 30, what)
    ours = [line for line in stderr.splitlines() if line.startswith("rooftally:")]
    check(status == 75 and len(ours) == 1, what, "ended with", status, stderr)
    check("does not answer" not in stderr and "MPI_ABORT" not in stderr, what, "said", stderr)
    check(os.listdir(folder) == [], what, "left", os.listdir(folder))


def fill_disk(n_kib, ranks):
    """A disk of that size: the store, or one line that says that it is full."""
    subprocess.run(["mount", "-o", f"remount,size={n_kib}k", DISK], check=True)
    output = os.path.join(DISK, "state.h5")
    job = stage("building", output, ranks=ranks)
    _, stderr = job.communicate(timeout=60)
    what = f"{n_kib} KiB on {ranks} ranks"
    if job.returncode == 0:
        count["enough"] += 1
        check(filecmp.cmp(output, wanted, shallow=False), what, "gives another store")
        os.unlink(output)
    else:
        count["full"] += 1
        errors = [line for line in stderr.splitlines() if line.startswith("rooftally:")]
        check(job.returncode == 1 and len(errors) == 1 and "No space left on device" in errors[0],
              what, "ended with", job.returncode, stderr)
    check(os.listdir(DISK) == [], what, "left", os.listdir(DISK))


make_database("stage")
os.mkdir(FOLDER)
wanted = os.path.join(folder, "wanted.h5")
for output in (wanted, STORE):
    job = stage("building", output)
    job.communicate()
    check(job.returncode == 0, "an undisturbed stage")
ended, random = [], seeded(17)
for i in range(N):
    end(1 + i % 3, random)
print(f"{len(ended)} of {N} ended early, within {max(ended, default=0):.1f} s")
check(len(ended) >= N // 2, "most are ended in the middle")

set_pace(0.02)
told = os.path.join(folder, "told")
os.mkdir(told)
for word in ("stage", "generate", "run"):
    for victim in range(3):
        end_one(word, 3, victim, random.uniform(0.8, 1.5), told)

DISK = os.path.join(folder, "disk")
os.mkdir(DISK)
if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", DISK],
                                      stderr=subprocess.DEVNULL).returncode:
    print("no small disk can be mounted: not tried")
    finish()
atexit.register(subprocess.run, ["umount", DISK])
count = {"full": 0, "enough": 0}
for i, n_kib in enumerate((64, 1000, 2500, 4000, 5500, 16000) if not is_long()
                          else range(64, 12000, 250)):
    fill_disk(n_kib, 1 + i % 3)
print(f"disks: {count}")
check(count["full"] > 0 and count["enough"] > 0, "both were met:", count)
finish()
