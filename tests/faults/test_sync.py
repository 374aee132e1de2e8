#!/usr/bin/python3
"""A disk that fails when finished zones are synced to it stops the run soon: no work is done whose
outcome is lost. Another attempt goes on. One that is stopped warns. A store gets no name when a part of it could not be synced
while the rest was filled, though a disk tells of that but once; nor does a result, whose spool stays. A disk that is slow to sync does not hold a stop for long."""

import re
import signal

from fault import *


def start_behind(library, name, ranks, **changes):
    """A run whose calls go to `library` first."""
    environment["LD_PRELOAD"] = library
    try:
        return start(name, ranks, "--quiet", **changes)
    finally:
        del environment["LD_PRELOAD"]


make_database("sync")
wanted = reference()
failing = os.path.join(folder, "failing.so")
subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", failing], check=True, encoding="utf-8",
               input="#include <errno.h>\nint fdatasync(int f) { (void)f; errno = EIO; return -1; }")
for ranks in (1, 2):
    name = f"sync_{ranks}"
    process = start_behind(failing, name, ranks, limits__checkpoint="0.2 s")
    stderr = process.communicate(timeout=60)[1]
    check(process.returncode == 1 and "Input/output error" in stderr, name, "ended with",
          process.returncode, stderr)
    kept = re.search(rf"(\d+) of {N_ZONES} zones are finished", stderr)
    check(kept and int(kept[1]) < N_ZONES // 2, name, "did it all:", stderr)
    resume(name, ranks, name)
    check(datasets(path_of(name)) == wanted, name, "another result")

# Nor does a run that is stopped keep it to itself that its last zones may be lost with the machine.
for ranks in (1, 2):
    name = f"stopped_{ranks}"
    process = start_behind(failing, name, ranks, limits__checkpoint="1 h")
    wait_working(name, process)
    pids = list(ranks_of(process).values())
    kill(pids[-1], signal.SIGTERM)
    _, stderr, _ = wait_ended(process, pids, 30, name)
    check(len(re.findall("event=checkpoint_failed.*Input/output error", stderr)) == 1
          and "stopped by SIGTERM" in stderr, name, "ended with", process.returncode, stderr)
    resume(name, ranks, name)
    check(datasets(path_of(name)) == wanted, name, "another result")

# As much as the first sync of a part needs; the sync at the end has nothing to say.
once = os.path.join(folder, "once.so")
subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-x", "c", "-", "-o", once], check=True,
               encoding="utf-8", input="""
#include <dlfcn.h>
#include <errno.h>
int fdatasync(int f)
{
    static int n;
    int (*next)(int);
    *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
    errno = EIO;
    return n++ ? next(f) : -1;
}""")
store = os.path.join(folder, "part.store.h5")
for preload, ranks in (("", 1), (once, 1), (once, 2)):
    done = subprocess.run(command("generate", store, "--force", "--zones", "100", "--buildings",
                                  "800000", "--seed", "5", "--quiet", ranks=ranks),
                          env=dict(environment, LD_PRELOAD=preload), stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, encoding="utf-8", timeout=120)
    what = f"generate, {ranks} ranks, {'one sync failed' if preload else 'all well'}"
    there = glob.glob(store + "*")
    if preload:
        check(done.returncode == 1 and "Input/output error" in done.stderr, what,
              "ended with", done.returncode, done.stderr)
        check(not there, what, "left", there)
    else:
        check(done.returncode == 0 and there == [store], what, "ended with", done.returncode,
              done.stderr, there)
        os.rename(store, os.path.join(folder, "whole.h5"))

slow = os.path.join(folder, "slow.so")
subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-x", "c", "-", "-o", slow], check=True,
               encoding="utf-8", input="""
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
int fdatasync(int f) /* at 20 MB/s; the second leaves a mark */
{
    static long long seen;
    static int n;
    int (*next)(int);
    struct stat about;
    fstat(f, &about);
    long long ms = (about.st_blocks - seen) * 512 / 20000;
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
    seen = about.st_blocks;
    if (++n == 2)
        close(open(getenv("SYNCS"), O_CREAT | O_WRONLY, 0600));
    while (nanosleep(&left, &left))
        ;
    *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
    return next(f);
}""")
for ranks in (1, 2):
    mark = os.path.join(folder, f"syncs_{ranks}")
    process = subprocess.Popen(
        command("generate", store, "--zones", "100", "--buildings", "1500000", "--seed", "5",
                "--quiet", ranks=ranks), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        encoding="utf-8", env=dict(environment, LD_PRELOAD=slow, SYNCS=mark), start_new_session=True)
    what = f"generate, {ranks} ranks, stopped"
    deadline = time.monotonic() + 60
    while not os.path.exists(mark) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    check(process.poll() is None, what, "ended before")
    since = time.monotonic()
    process.terminate()
    stderr = process.communicate(timeout=60)[1]
    check(time.monotonic() - since < 10, what, "took", time.monotonic() - since, "s")
    check("without an answer" not in stderr, what, "gave up:", stderr)
    check(process.returncode != 0 and not glob.glob(store + "*"), what, "ended with",
          process.returncode, stderr, "left", glob.glob(store + "*"))

of_store = dict(source={"kind": "store", "path": os.path.join(folder, "whole.h5")},
                buildings__table="building", buildings__keep="id, height, size",
                limits__checkpoint="none")
for ranks in (1, 2):
    name = f"part_{ranks}"
    process = start_behind(once, name, ranks, **of_store)
    stderr = process.communicate(timeout=60)[1]
    check(process.returncode == 1 and "syncing the result: Input/output error" in stderr, name,
          "ended with", process.returncode, stderr)
    check(f"{name}.h5.spool" in leftovers(name) and len(leftovers(name)) == 1, name, "left",
          leftovers(name))
    check("all 100 zones are finished" in stderr, name, "its spool is lost:", stderr)
    process = start(name, ranks, "--quiet", "--resume", **of_store)
    stderr = process.communicate(timeout=60)[1]
    check(process.returncode == 0 and leftovers(name) == [f"{name}.h5"], name, "resumed",
          process.returncode, stderr, leftovers(name))
check(datasets(path_of("part_1")) == datasets(path_of("part_2")), "one and two ranks differ")
finish()
