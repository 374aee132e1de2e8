#!/usr/bin/python3
"""A disk that is full, in the spool, in the result and while staging: the program fails with the
cause and leaves no torso, a run keeps its zones and goes on once there is room. Needs root, to mount
a small disk. ROOFTALLY_LONG=1: 60 sizes of each."""

import filecmp

from fault import *

if os.getuid() != 0:
    skip("no root to mount a small disk with")

DISK = os.path.join(folder, "disk")


def resize(n_kib):
    subprocess.run(["mount", "-o", f"remount,size={n_kib}k", DISK], check=True)


def on_disk(*arguments, ranks):
    return subprocess.run(command(*arguments, ranks=ranks), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          env=environment, timeout=60)


def check_full(done, what, output):
    """It failed for the right reason, in one line of its own, and left nothing that looks whole."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("rooftally: ")]
    check(done.returncode in (1, 2) and len(lines) == 1 and "No space left on device" in lines[0],
          what, "ended with", done.returncode, done.stderr)
    check(not os.path.exists(output), what, "a result is there")
    check(not glob.glob(output + ".partial-*"), what, "a torso is left")


def run_on(name, ranks, n_kib):
    """Work on a disk of this size, then on one that is large enough."""
    resize(n_kib)
    what = f"{name}: {n_kib} KiB, {ranks} ranks"
    output = os.path.join(DISK, f"{name}.h5")
    job = write_job(name, **{**JOB, **stored})
    done = on_disk("run", job, "-o", output, "--quiet", ranks=ranks)
    count["enough" if done.returncode == 0 else
          "result" if ".partial" in done.stderr else "spool"] += 1
    if done.returncode != 0:
        check_full(done, what, output)
        resize(65536)
        done = on_disk("run", job, "-o", output, "--quiet", "--resume", ranks=4 - ranks)
        check(done.returncode == 0, what, "--resume ended with", done.returncode, done.stderr)
    if check(os.path.exists(output), what, "no result"):
        check(datasets(output) == wanted, what, "another result")
        os.unlink(output)
    check(os.listdir(DISK) == [], what, "left", os.listdir(DISK))


def stage_on(ranks, n_kib):
    """Stage on a disk of this size: the whole store, or nothing."""
    resize(n_kib)
    what = f"stage: {n_kib} KiB, {ranks} ranks"
    output = os.path.join(DISK, "staged.h5")
    done = on_disk("stage", staged_job, "-o", output, ranks=ranks)
    count["staged" if done.returncode == 0 else "stage"] += 1
    if done.returncode != 0:
        check_full(done, what, output)
    elif check(filecmp.cmp(output, staged, shallow=False), what, "another store"):
        os.unlink(output)
    check(os.listdir(DISK) == [], what, "left", os.listdir(DISK))


make_database("disk")
stored = make_store("disk")
wanted = reference(**stored)
staged = os.path.join(folder, "staged.h5")
staged_job = write_job("staged", **{**JOB, "buildings__table": "building"})
rooftally("stage", staged_job, "-o", staged)
os.mkdir(DISK)
mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", DISK],
                         stderr=subprocess.DEVNULL)
if mounted.returncode:
    skip("a small disk cannot be mounted")
atexit.register(subprocess.run, ["umount", DISK])
count = dict.fromkeys(("spool", "result", "enough", "stage", "staged"), 0)
for i, n_kib in enumerate(range(16, 20000, 333) if is_long() else (16, 3000, 10000, 12000, 20000)):
    run_on(f"disk_{i}", 1 + i % 3, n_kib)
for i, n_kib in enumerate(range(16, 8000, 133) if is_long() else (16, 1000, 2500, 8000)):
    stage_on(1 + i % 3, n_kib)
figure(f"{sum(count.values())} disks: full in the spool {count['spool']}, in the result "
       f"{count['result']}, while staging {count['stage']} times, large enough "
       f"{count['enough'] + count['staged']} times")
check(all(count.values()), "all were met:", count)
finish()
