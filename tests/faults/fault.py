"""What the fault tests share: a job that takes a few seconds without work for the processor, its
undisturbed result, processes of a run to end, and what has to be left afterwards."""

import glob
import os
import random
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403
import verdict  # noqa: E402

environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
STATISTICS = {"buildings": "count", "total": "sum(height)", "p90": "quantile(height, 0.9)",
              "uses": "frequency(use)", "tallest": "top(height, 3)"}
JOB = dict(statistics=STATISTICS, buildings__table="slow_building", buildings__keep="id, height",
           limits__checkpoint="1 s")
N_ZONES, N_BUILDINGS = 60, 12000
SLEEPS = 250  # rows of slow_building that take 10 ms each, unless set_pace says otherwise


def is_long():
    return os.environ.get("ROOFTALLY_LONG") == "1"


def seeded(default):
    """A generator of its own for every test; a failure can be had again."""
    seed = int(os.environ.get("SEED", default))
    print(f"SEED={seed}", flush=True)
    return random.Random(seed)


pace = None


def set_pace(seconds):
    """What every 48th row of slow_building takes from now on, in runs that are at work as well."""
    global pace
    if pace != seconds:
        query(f"""create or replace function slowly(x float8, i bigint) returns float8
                    language plpgsql volatile as
                    $$begin if i % {N_BUILDINGS // SLEEPS} = 0 then perform pg_sleep({seconds});
                            end if; return x; end$$""")
    pace = seconds


def make_database(name):
    use_database(name)
    generate(N_ZONES, N_BUILDINGS, 5)
    set_pace(0.01)
    query("""create view slow_building as select id, slowly(height, id) as height, size,
               year_built, use, notes, boundary from building""")


def make_store(name, zones=400, buildings=100000):
    """What changes a job into one that reads a store, with work for the processor alone."""
    path = os.path.join(folder, f"{name}.store.h5")
    rooftally("generate", path, "--zones", str(zones), "--buildings", str(buildings), "--seed",
              "5", "--quiet")
    return dict(source={"kind": "store", "path": path}, buildings__table="building")


def preloaded(name):
    """tests/lib/<name>.c as a library."""
    library = os.path.join(folder, f"{name}.so")
    if not os.path.exists(library):
        subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O2",
                        os.path.join(SOURCE_DIR, f"tests/lib/{name}.c"), "-o", library], check=True)
    return library


def make_slow(name, part, ms):
    """What slows a run down that has this in its environment: each write to a file whose path
    holds `part` takes so long."""
    while_there = os.path.join(folder, f"{name}.slow")
    with open(while_there, "w", encoding="ascii"):
        pass
    return dict(LD_PRELOAD=preloaded("slow_writes"), SLOW_WHILE=while_there, SLOW_PATH=part, SLOW_MS=str(ms))


def datasets(path):
    """Every dataset by name, as bytes; what a run tells of itself left out."""
    import h5py
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith(("telemetry", "provenance")):
            is_pure = item.attrs.get("NAME", b"").startswith(b"This is a netCDF dimension")
            found[name] = (item.shape, str(item.dtype), b"" if is_pure else item[()].tobytes())

    with h5py.File(path) as file:
        assert "consistent" in file.attrs
        file.visititems(visit)
    return found


def path_of(name):
    return os.path.join(folder, f"{name}.h5")


def start(name, ranks, *options, output=None, **changes):
    """A run in the background, in a process group of its own."""
    if "source" not in changes:
        set_pace(pace or 0.01)  # resume() has left it out
    job = write_job(name, **{**JOB, **changes})
    return subprocess.Popen(
        command("run", job, "-o", output or path_of(name), *options, ranks=ranks),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", errors="replace", env=environment, start_new_session=True)


def environ_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return dict(entry.split(b"=", 1) for entry in file.read().split(b"\0") if b"=" in entry)
    except OSError:
        return {}


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def ranks_of(job):
    """{rank: pid} of a run; alone, rank 0 is the run itself."""
    ranks = {}
    for pid in children(job.pid):
        rank = environ_of(pid).get(b"OMPI_COMM_WORLD_RANK")
        if rank is not None:
            ranks[int(rank)] = pid
    return ranks or {0: job.pid}


def catches(pid, number):
    """Whether the process has a handler: before its main() it has none."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            masks = dict(line.split(":", 1) for line in file)
        return int(masks["SigCgt"], 16) >> number - 1 & 1 == 1
    except (OSError, KeyError):
        return False


def kill(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_ended(job, pids, most_s, what):
    """The run and all its ranks end by themselves; returns (status, stderr, seconds)."""
    since = time.monotonic()
    try:
        _, stderr = job.communicate(timeout=most_s)
    except subprocess.TimeoutExpired:
        check(False, what, f"hangs after {most_s} s")
        for pid in [job.pid, *pids]:
            kill(pid, 9)
        _, stderr = job.communicate()
    while any(is_alive(pid) for pid in pids) and time.monotonic() - since < most_s:
        time.sleep(0.02)
    seconds = time.monotonic() - since
    left = [pid for pid in pids if is_alive(pid)]
    check(not left, what, "left ranks behind")
    for pid in left:
        kill(pid, 9)
    return job.returncode, stderr, seconds


def spool_of(name):
    return path_of(name) + ".spool"


def n_spooled(name):
    """Bytes in the spool, to see that work goes on."""
    return sum(os.path.getsize(path) for path in glob.glob(spool_of(name) + "/rank-*")
               if os.path.exists(path))


def wait_until(condition, job, most_s=60):
    deadline = time.monotonic() + most_s
    while not condition() and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def wait_working(name, job, least_bytes=1):
    """The run has finished zones, and is not at its end."""
    if not wait_until(lambda: n_spooled(name) >= least_bytes, job):
        check(False, name, "does not work:", job.poll(), n_spooled(name), "bytes",
              job.communicate() if job.poll() is not None else "")
        finish()


def check_whole(name, wanted, what):
    """The result is there, the same as an undisturbed one, and nothing besides."""
    if not check(os.path.exists(path_of(name)), what, "no result"):
        return False
    seen = datasets(path_of(name))
    same = check(seen.keys() == wanted.keys(), what, "other datasets")
    for key in wanted:
        same = check(seen.get(key) == wanted[key], what, "other values in", key) and same
    return check(leftovers(name) == [f"{name}.h5"], what, "left", leftovers(name)) and same


def finished_zones(name):
    """Rows of the zones whose records lie whole in the spool, as its files say it: heads of 56
    bytes, "RTZ2", a checksum, the run, the length of what follows, the row, three more counts."""
    rows = set()
    for path in glob.glob(spool_of(name) + "/rank-*"):
        with open(path, "rb") as file:
            data = file.read()
        at = 0
        while at + 56 <= len(data) and data[at:at + 4] == b"RTZ2":
            n_bytes, row = struct.unpack_from("<qq", data, at + 16)
            at += 56 + (n_bytes + 7) // 8 * 8
            if at <= len(data):
                rows.add(row)
    return rows


def remove(name):
    import shutil
    for path in glob.glob(path_of(name) + "*"):
        if os.path.isdir(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def resume(name, ranks, what, *options, **changes):
    """Go on and come to the end, without sleeps; "complete already" counts."""
    if "source" not in changes:
        set_pace(0)
    done = subprocess.run(
        command("run", write_job(name, **{**JOB, **changes}), "-o", path_of(name), "--resume",
                *options, ranks=ranks),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", errors="replace", env=environment, timeout=120)
    check(done.returncode == 0, what, f"--resume with {ranks} ranks ended with",
          done.returncode, done.stderr)
    check("spool_damaged" not in done.stderr, what, "a kill is no damage:", done.stderr)
    return done


def reference(name="wanted", **changes):
    rooftally("run", write_job(name, **{**JOB, "buildings__table": "building", **changes}), "-o",
              path_of(name), "--quiet")
    return datasets(path_of(name))
