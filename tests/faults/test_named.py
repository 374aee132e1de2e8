#!/usr/bin/python3
"""Where a file system has no files without a name, as most that several hosts share: two that write one store do not
touch each other's file, what a killed one leaves is its own and goes with the next, and nobody else reads it."""

import filecmp
import shutil
import signal
import stat

from fault import *

N = 12 if is_long() else 4
FOLDER = os.path.join(folder, "named")
STORE = os.path.join(FOLDER, "state.h5")
SEEDS = 1, 2


def make(output, seed, ranks=1, buildings=600000):
    return subprocess.Popen(command("generate", output, "--zones", "50", "--buildings", str(buildings), "--seed",
                                    str(seed), "--force", "--quiet", ranks=ranks),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            encoding="utf-8", errors="replace", env=environment, start_new_session=True)


def partials():
    """Of stores and copies; scratch space has a name for a moment."""
    return [name for name in os.listdir(FOLDER) if ".partial" in name and ".scratch." not in name]


def write_both(delay, ranks):
    """Either store is right, whichever is done last."""
    jobs = [make(STORE, SEEDS[0], ranks)]
    time.sleep(delay)
    jobs.append(make(STORE, SEEDS[1], ranks))
    for seed, job in zip(SEEDS, jobs):
        status, stderr, _ = wait_ended(job, ranks_of(job).values(), 60, "one of two writers")
        check(status == 0 and stderr == "", f"of two writers {delay:.2f} s apart, {ranks} ranks, that of {seed}:", status, stderr)
    check(os.listdir(FOLDER) == ["state.h5"], delay, "left", os.listdir(FOLDER))
    check(any(filecmp.cmp(STORE, path, shallow=False) for path in wanted), delay, ranks, "gives a third store")


def kill_one(start, ranks):
    """Started and killed; what is left, which is only there where the name could not go yet."""
    job = start()
    wait_until(lambda: len(partials()) == 1 and len(ranks_of(job)) == ranks, job, 20)
    pids = ranks_of(job)
    left = partials()
    check(job.poll() is None and len(left) == 1, "it is being written:", job.poll(), left)
    mode = os.stat(os.path.join(FOLDER, left[0])).st_mode
    for pid in pids.values():
        kill(pid, signal.SIGKILL)
    wait_ended(job, pids.values(), 30, "killed")
    check(partials() == left, "what a killed one leaves", left, partials())
    return stat.S_IMODE(mode)


make_database("named")
os.mkdir(FOLDER)
wanted = [os.path.join(folder, f"{seed}.h5") for seed in SEEDS]
for seed, path in zip(SEEDS, wanted):
    job = make(path, seed)
    check(job.communicate() and job.returncode == 0, "an undisturbed store")
environment["LD_PRELOAD"] = preloaded("named_files")
random = seeded(23)
since = time.monotonic()
make(STORE, SEEDS[0]).communicate()
whole_s = time.monotonic() - since
check(filecmp.cmp(STORE, wanted[0], shallow=False), "the store is the same")
for i in range(N):
    write_both(random.uniform(0, whole_s), 1 + i % 2)

for ranks in (1, 3):
    kill_one(lambda: make(STORE, SEEDS[0], ranks, 5000000), ranks)
    job = make(STORE, SEEDS[1], ranks)
    status, stderr, _ = wait_ended(job, ranks_of(job).values(), 60, "the next")
    check(status == 0 and os.listdir(FOLDER) == ["state.h5"], "the next leaves", status, stderr, os.listdir(FOLDER))
    check(filecmp.cmp(STORE, wanted[1], shallow=False), "gives another store")

# A copy of a table is its reader's alone, and goes with the next run of that output, however it reads.
set_pace(0.02)
output = os.path.join(FOLDER, "run.h5")
mode = kill_one(lambda: start("named", 1, "--quiet", source__fetch="scan", output=output), 1)
check(mode == 0o600, "others may read the copy of a table:", oct(mode))
set_pace(0)
rooftally("run", write_job("named", **JOB, source__fetch="index"), "-o", output, "--quiet", "--resume")
check(sorted(os.listdir(FOLDER)) == ["run.h5", "state.h5"], "left", os.listdir(FOLDER))
shutil.rmtree(FOLDER)
finish()
