#!/usr/bin/python3
"""Staging that is ended: by signals, by its time limit, by the death of any rank, by a full disk. Nothing remains but
the store that was there, and the next try succeeds; from PostgreSQL, and from a vector file where GDAL
is there. The full disk needs root, to mount a small one."""

import filecmp
import shutil
import signal

from fault import *

N = 40 if is_long() else 8
MADE = 1500000  # buildings: more than stay in memory
FOLDER = os.path.join(folder, "stage")
STORE = os.path.join(FOLDER, "state.h5")
TABLE = dict(buildings__fields="height, size, use, notes", statistics={"buildings": "count"})


def stage(table, output, *options, ranks=1, memory="8 MiB"):
    """Of a table, or of what else the job reads."""
    of = {"buildings__table": table} if isinstance(table, str) else table
    job = write_job("stage", **TABLE, **of, limits__memory=memory)
    return subprocess.Popen(command("stage", job, "-o", output, "--quiet", *options, ranks=ranks),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                            env=environment, start_new_session=True)


def make(output, buildings, *options):
    """One process alone, with more than it keeps in memory: columns are written by threads."""
    return subprocess.Popen(command("generate", output, "--zones", "50", "--buildings", str(buildings),
                                    "--quiet", *options),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                            env=environment, start_new_session=True)


def check_unharmed(what):
    check(os.listdir(FOLDER) == ["state.h5"], what, "left", os.listdir(FOLDER))
    check(filecmp.cmp(STORE, wanted, shallow=False), what, "harmed the store that was there")


def make_files():
    """The tables as GeoPackages, which several ranks read: what a job of them says; {} without GDAL."""
    if not shutil.which("ogr2ogr") or "no GDAL" in rooftally("--version").stdout:
        return {}
    paths = {table: os.path.join(folder, f"{table}.gpkg") for table in ("zipcode", "building")}
    for table, path in paths.items():
        subprocess.run(["ogr2ogr", "-f", "GPKG", path, "PG:", "-sql", f"select * from {table}", "-nln", table, "-lco",
                        "FID=number"], check=True, stdout=subprocess.DEVNULL, env=environment)
    return dict(source={"kind": "vector"}, zones__path=paths["zipcode"], buildings__path=paths["building"])


def end_of_file(of, ranks, number, victim, delay):
    """A file is read too fast to be hit: every write beside the store takes its time."""
    slow = make_slow("file", FOLDER, 100)
    environment.update(slow)
    job = stage(of, STORE, "--force", ranks=ranks)
    for variable in slow:
        del environment[variable]
    wait_until(lambda: len(ranks_of(job)) == ranks
               and all(catches(pid, signal.SIGTERM) for pid in ranks_of(job).values()), job, 10)
    time.sleep(delay)
    pids = ranks_of(job)
    what = f"a file on {ranks} ranks, signal {number} to rank {victim} after {delay} s"
    check(job.poll() is None and kill(pids[victim], number), what, "was done before")
    status, stderr, seconds = wait_ended(job, pids.values(), 30, what)
    ours = [line for line in stderr.splitlines() if line.startswith("rooftally:")]
    check(status == (75 if number == signal.SIGTERM else -9), what, "ended with", status, stderr)
    check(len(ours) == (number == signal.SIGTERM) and seconds < 3, what, "said", stderr, seconds)
    check_unharmed(what)


def end_opening(ranks, *options):
    """While GDAL opens a file, which may take long and cannot be broken off."""
    what = f"opening a file on {ranks} ranks, {options or 'SIGTERM'}"
    environment["LD_PRELOAD"] = slow_opening
    job = stage(files, STORE, "--force", *options, ranks=ranks)
    del environment["LD_PRELOAD"]
    wait_until(lambda: len(ranks_of(job)) == ranks
               and all(catches(pid, signal.SIGTERM) for pid in ranks_of(job).values()), job, 10)
    time.sleep(0.5)
    pids = ranks_of(job)
    if not options:
        check(kill(pids[ranks - 1], signal.SIGTERM), what, "was done before")
    status, stderr, seconds = wait_ended(job, pids.values(), 40, what)
    ours = [line for line in stderr.splitlines() if line.startswith("rooftally:")]
    why = "stopped by the time limit" if options else "stopped by SIGTERM" if ranks == 1 else "stopped on another rank's request"
    check(status == 75 and seconds < 12, what, "ended with", status, "after", seconds, stderr)
    check(len(ours) == 1 and ours[0].startswith(f"rooftally: {why}")
          and ours[0].endswith("; nothing is kept: start it again"), what, "said", stderr)
    check_unharmed(what)


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
    check(word == "run" or ours[0].endswith("; nothing is kept: start it again"), what, "said", stderr)
    check("does not answer" not in stderr and "MPI_ABORT" not in stderr, what, "said", stderr)
    check(os.listdir(folder) == [], what, "left", os.listdir(folder))


def end_by_limit(ranks):
    """The job's time limit, as a signal: one line, and nothing but the store that was there."""
    what = f"a time limit on {ranks} ranks"
    job = stage("slow_building", STORE, "--force", "--set", "limits.time=1s", ranks=ranks)
    status, stderr, _ = wait_ended(job, ranks_of(job).values(), 30, what)
    ours = [line for line in stderr.splitlines() if line.startswith("rooftally:")]
    check(status == 75, what, "ended with", status, stderr)
    check(ours == ["rooftally: stopped by the time limit; nothing is kept: start it again"], what, "said", stderr)
    check_unharmed(what)


def end_made(delay, number):
    """While rows are dealt, or while threads write what they sort."""
    job = make(STORE, MADE, "--force")
    wait_until(lambda: catches(job.pid, signal.SIGTERM), job, 10)
    time.sleep(delay)
    job.send_signal(number)
    status, stderr, seconds = wait_ended(job, [job.pid], 30, "generate")
    what = f"generate, signal {number} after {delay:.2f} s"
    check(status in (0, 75 if number == signal.SIGTERM else -9), what, "ended with", status, stderr)
    check(seconds < 3, what, "took", seconds)
    if status == 0:
        shutil.copy(wanted, STORE)
    check_unharmed(what)
    return status


def fill_disk(word, start, wanted, n_kib):
    """A disk of that size: the store, or one line that says that it is full."""
    subprocess.run(["mount", "-o", f"remount,size={n_kib}k", DISK], check=True)
    output = os.path.join(DISK, "state.h5")
    job = start(output)
    _, stderr = job.communicate(timeout=60)
    what = f"{word}, {n_kib} KiB"
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

files = make_files()
if files:
    of_files = os.path.join(folder, "of_files.h5")
    job = stage(files, of_files)
    check(job.communicate() and job.returncode == 0, "an undisturbed stage of files")
    for ranks, number, victim, delay in ((1, signal.SIGTERM, 0, 0.1), (1, signal.SIGKILL, 0, 0.3),
                                         (3, signal.SIGTERM, 2, 0.2)):
        end_of_file(files, ranks, number, victim, delay)
    slow_opening = preloaded("slow_opening")
    end_opening(1)
    end_opening(1, "--set", "limits.time=2s")
    end_opening(3, "--set", "limits.time=2s")
else:
    print("no ogr2ogr, or no GDAL: vector files not tried")

since = time.monotonic()
make(STORE, MADE, "--force").communicate()
whole_s = time.monotonic() - since
shutil.copy(wanted, STORE)
statuses = [end_made(random.uniform(0, whole_s), random.choice((signal.SIGTERM, signal.SIGKILL)))
            for _ in range(N)]
print(f"generate alone: ended with {sorted(statuses)}")
check(sum(status != 0 for status in statuses) >= N // 2, "most are ended in the middle", statuses)

set_pace(0.02)
told = os.path.join(folder, "told")
os.mkdir(told)
for word in ("stage", "generate", "run"):
    for victim in range(3):
        end_one(word, 3, victim, random.uniform(0.8, 1.5), told)
for ranks in (1, 3):
    end_by_limit(ranks)

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
    ranks = 1 + i % 3
    fill_disk(f"a table on {ranks} ranks", lambda to, n=ranks: stage("building", to, ranks=n), wanted, n_kib)
print(f"disks: {count}")
check(count["full"] > 0 and count["enough"] > 0, "both were met:", count)
count = {"full": 0, "enough": 0}
for i, n_kib in enumerate((64, 2500, 16000) if files else ()):
    ranks = 1 + i % 3
    fill_disk(f"a file on {ranks} ranks", lambda to, n=ranks: stage(files, to, ranks=n), of_files, n_kib)
check(not files or (count["full"] > 0 and count["enough"] > 0), "both were met, of files:", count)
count, made = {"full": 0, "enough": 0}, os.path.join(folder, "made.h5")
make(made, MADE // 5).communicate()
for n_mib in (10, 45, 60, 75, 90, 105, 120, 200):
    fill_disk("generate alone", lambda to: make(to, MADE // 5), made, 1024 * n_mib)
print(f"disks for generate alone: {count}")
check(count["full"] > 3 and count["enough"] > 0, "both were met, by generate:", count)
finish()
