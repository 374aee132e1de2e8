#!/usr/bin/python3
"""A disk that is full, in the spool and in the result: the run fails with the cause, keeps what it
has, and goes on once there is room. Needs root, to mount a small disk."""

from fault import *

if os.getuid() != 0:
    skip("no root to mount a small disk with")

DISK = os.path.join(folder, "disk")


def resize(n_kib):
    subprocess.run(["mount", "-o", f"remount,size={n_kib}k", DISK], check=True)


def one_disk(name, ranks, n_kib):
    """Work on a disk of this size, then on one that is large enough."""
    resize(n_kib)
    what = f"{name}: {n_kib} KiB, {ranks} ranks"
    output = os.path.join(DISK, f"{name}.h5")
    done = subprocess.run(
        command("run", write_job(name, **{**JOB, "buildings__table": "building"}), "-o", output,
                "--quiet", ranks=ranks),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", env=environment, timeout=60)
    if done.returncode == 0:
        count["enough"] += 1
    else:
        where = "result" if ".partial" in done.stderr else "spool"
        count[where] += 1
        check(done.returncode in (1, 2) and "No space left on device" in done.stderr, what,
              "ended with", done.returncode, done.stderr)
        check(not os.path.exists(output), what, "a result is there")
        check(not glob.glob(output + ".partial-*"), what, "a torso is left")
    resize(65536)
    if not os.path.exists(output):
        done = subprocess.run(
            command("run", write_job(name, **{**JOB, "buildings__table": "building"}), "-o",
                    output, "--quiet", "--resume", ranks=4 - ranks),
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
            env=environment, timeout=60)
        check(done.returncode == 0, what, "--resume ended with", done.returncode, done.stderr)
    if check(os.path.exists(output), what, "no result"):
        check(datasets(output) == wanted, what, "another result")
        os.unlink(output)
    check(os.listdir(DISK) == [], what, "left", os.listdir(DISK))


make_database("disk")
wanted = reference()
os.mkdir(DISK)
count = {"spool": 0, "result": 0, "enough": 0}
mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", DISK],
                         stderr=subprocess.DEVNULL)
if mounted.returncode:
    skip("a small disk cannot be mounted")
atexit.register(subprocess.run, ["umount", DISK])
sizes = range(16, 3000, 60) if is_long() else (16, 100, 300, 600, 900, 1200, 1500, 1800)
for i, n_kib in enumerate(sizes):
    one_disk(f"disk_{i}", 1 + i % 3, n_kib)
print(f"{len(sizes)} disks: {count}")
check(count["spool"] > 0 and count["result"] > 0, "both were met:", count)
finish()
