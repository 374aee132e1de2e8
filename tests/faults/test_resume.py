#!/usr/bin/python3
"""What --resume accepts and refuses, and what a run says about it."""

import shutil
import signal

import h5py

from fault import *


def stopped(name, ranks=3, **changes):
    """A run that is killed in its middle, where it has seconds left."""
    set_pace(0.05)
    job = start(name, ranks, "--quiet", **changes)
    wait_working(name, job, 20000)
    pids = ranks_of(job)
    kill(pids[1 if ranks > 1 else 0], 9)
    wait_ended(job, list(pids.values()), 30, name)
    set_pace(0)
    check(not os.path.exists(path_of(name)), name, "has no result")


def refused(name, words, *options, **changes):
    done = subprocess.run(
        command("run", write_job(name, **{**JOB, **changes}), "-o", path_of(name), *options),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", env=environment, timeout=120)
    check(done.returncode == 2, name, options, changes, "ended with", done.returncode)
    lines = done.stderr.splitlines()
    check(len(lines) == 1 and all(word in lines[0] for word in words), name, "says", done.stderr)


def largest(name):
    return max(glob.glob(spool_of(name) + "/rank-*"), key=os.path.getsize)


def consistent(name):
    with h5py.File(path_of(name)) as file:
        return int(file.attrs["consistent"]), dict(file["/provenance"].attrs)


make_database("resume")
wanted = reference()
check(consistent("wanted")[0] == 1, "a run in one go is consistent")

stopped("one")
n = len(glob.glob(spool_of("one") + "/rank-*.1"))
check(n == 3, "three ranks left", n, "files")
foreign = os.path.join(folder, "foreign")
shutil.copy(largest("one"), foreign)
refused("one", ["finished zones", "--resume", "--force"])
refused("one", ["[buildings] where was not given, now it is 'height > 20'", "--force"], "--resume",
        buildings__where="height > 20")
refused("one", ["[statistics] buildings was 'count', now it is 'count(height)'"], "--resume",
        statistics={**STATISTICS, "buildings": "count(height)"})
query("insert into zipcode select 1000000, 'zzz', name, state, boundary from zipcode limit 1")
refused("one", ["there were 60 zones, now there are 61"], "--resume")
query("delete from zipcode where id = 1000000")
query("update zipcode set zip = 'x' || zip where id = 1")
refused("one", ["the ids of its zones are others"], "--resume")
query("update zipcode set zip = substr(zip, 2) where id = 1")

# values of another type, which records cannot hold, and another table of the same name
query("create schema elsewhere; create view elsewhere.slow_building as select * from slow_building")
refused("one", ["[buildings] table that is read was '\"public\".\"slow_building\"', now it is '\"elsewhere\"."],
        "--resume", source__connection="options='-c search_path=elsewhere,public'")
query("drop schema elsewhere cascade; alter view slow_building rename to slow_heights; create view slow_building"
      " as select id, round(height)::bigint as height, size, year_built, use, notes, boundary from slow_heights")
refused("one", ["[buildings] type of height was 'real', now it is 'integer'"], "--resume")
query("drop view slow_building; alter view slow_heights rename to slow_building")

# also of a column that the server alone looks at
stopped("asked", buildings__where="year_built / 2 * 2 = year_built or year_built is null")
query("alter view slow_building rename to slow_years; create view slow_building"
      " as select id, height, size, year_built::float8 as year_built, use, notes, boundary from slow_years")
refused("asked", ["[buildings] type of year_built was 'integer', now it is 'real'"], "--resume",
        buildings__where="year_built / 2 * 2 = year_built or year_built is null")
query("drop view slow_building; alter view slow_years rename to slow_building")

# another title, limits and number of ranks: the same job
done = resume("one", 2, "another title", job__title="Another", limits__memory="32 MiB")
check("resuming attempt 2" in done.stdout, "says that it resumes:", done.stdout)
check("consistent = 0" in done.stdout, "says that it is not of one snapshot:", done.stdout)
check_whole("one", wanted, "resumed")
check(consistent("one")[0] == 0, "resumed under a new snapshot")
check("event=new_snapshot" in done.stderr, "warns of the new snapshot:", done.stderr)
check(consistent("one")[1]["attempt"] == 2, "its second attempt is on record")
with h5py.File(path_of("one")) as file:
    snapshots = set(file["/telemetry/zone/snapshot"][()])
    check(len(snapshots) == 2, "every zone tells its snapshot:", snapshots)
    rank, attempt = file["/telemetry/zone/rank"][()], file["/telemetry/zone/attempt"][()]
    for number in file["/telemetry/rank/rank"]:
        check(((rank == number) & (attempt == 2)).sum() == file["/telemetry/rank/zones"][number],
              "zones of rank", number, "in the last attempt")
    check(len(set(zip(file["/telemetry/zone/snapshot"][()], attempt))) == 2, "attempts", attempt)
check("peak memory of a worker" in done.stdout, "the peak of its workers:", done.stdout)
done = resume("one", 1, "one again")  # and with its spool gone as well
made = consistent("one")[1]["end"].decode()
check(f"complete already, made {made}; --force" in done.stdout, "one again:", done.stdout)
check_whole("one", wanted, "one again")
refused("one", ["is there already"], "--resume", buildings__where="height > 20")
refused("one", ["is there already"])

# where all zones are finished no worker is at work, and the summary says nothing of one
job = start("full", 2, "--quiet")
wait_working("full", job)
open(path_of("full"), "w", encoding="ascii").close()  # it came into being: the result gets no name
set_pace(0)
check(job.wait(timeout=60) == 1, "a result that is not replaced: status", job.returncode)
os.unlink(path_of("full"))
done = resume("full", 2, "full")
check("60 of 60 zones are finished" in done.stdout, "full:", done.stdout)
check("peak memory" not in done.stdout and "in all" in done.stdout, "full:", done.stdout)
check_whole("full", wanted, "full")
with h5py.File(path_of("full")) as file:
    check(set(file["/telemetry/zone/attempt"][()]) == {1} and not file["/telemetry/rank/zones"][()].any(),
          "all of the first attempt")

# without finished zones there is nothing to ask
os.makedirs(spool_of("empty"))
rooftally("run", write_job("empty", **JOB), "-o", path_of("empty"), "--quiet")
check_whole("empty", wanted, "an empty spool")

# --resume with nothing there is a run
resume("fresh", 2, "nothing to resume")
check_whole("fresh", wanted, "nothing to resume")
check(consistent("fresh")[0] == 1, "nothing to resume: consistent")

# zones without a manifest are nobody's, and not thrown away; --force starts anew
stopped("anew")
os.unlink(spool_of("anew") + "/manifest")
kept = finished_zones("anew")
for options in (["--resume"], ["--resume", "--force"]):
    refused("anew", ["manifest is missing", f"{len(kept)} finished zones", "--force"], *options)
    check(finished_zones("anew") == kept, "their zones stay")
rooftally("run", write_job("anew", **JOB), "-o", path_of("anew"), "--quiet", "--force")
check_whole("anew", wanted, "started anew")
check(consistent("anew")[0] == 1, "started anew: consistent")

# a result whose spool is left, as by a kill between the two: complete already
stopped("late")
shutil.copytree(spool_of("late"), spool_of("late") + ".kept")
resume("late", 2, "late")
os.rename(spool_of("late") + ".kept", spool_of("late"))
done = resume("late", 1, "late again")
check("complete already" in done.stdout, "late again:", done.stdout)
check_whole("late", wanted, "late again")
os.mkdir(spool_of("late"))  # killed while it removed the spool
open(spool_of("late") + "/lock", "w", encoding="ascii").close()
done = resume("late", 2, "the last of its spool")
check("complete already" in done.stdout, "the last of its spool:", done.stdout)
check_whole("late", wanted, "the last of its spool")
stopped("later")
shutil.copy(path_of("late"), path_of("later"))  # a result, but not of this run
refused("later", ["is there already", "--resume --force goes on from", "finished zones and replaces it"], "--resume")
check(os.path.isdir(spool_of("later")), "its spool stays")
# records of another run, and behind a damaged one, are left out aloud
damaged = largest("later")
shutil.copy(foreign, spool_of("later") + "/rank-7.1")
with open(damaged, "r+b") as file:
    file.seek(100)
    byte = file.read(1)[0]
    file.seek(100)
    file.write(bytes([byte ^ 1]))
sizes = {path: os.path.getsize(path) for path in (foreign, damaged)}
done = rooftally("run", write_job("later", **JOB), "-o", path_of("later"), "--resume", "--force")
check("resuming attempt 2" in done.stdout, "later, forced:", done.stdout)
for path in (foreign, damaged):
    name = "rank-7.1" if path == foreign else os.path.basename(damaged)
    check(done.stderr.count(f"event=spool_damaged file={spool_of('later')}/{name} "
                            f"bytes={sizes[path]} ") == 1, name, "is told of:", done.stderr)
check_whole("later", wanted, "later, forced")

# what stands in the result's place is named by the advice: --resume alone would be refused
job = start("meanwhile", 2, "--quiet")
wait_working("meanwhile", job)
shutil.copy(path_of("late"), path_of("meanwhile"))
set_pace(0)
status, stderr, _ = wait_ended(job, [], 60, "meanwhile")
check(status == 1 and "came into being meanwhile" in stderr
      and f"; all {N_ZONES} zones are finished: rooftally run --resume --force writes the result\n" in stderr,
      "meanwhile:", status, stderr)
resume("meanwhile", 2, "meanwhile", "--force")
check_whole("meanwhile", wanted, "meanwhile")
set_pace(0.05)
job = start("meanwhile", 2, "--quiet", "--force")
wait_working("meanwhile", job)
kill(ranks_of(job)[0], signal.SIGTERM)
status, stderr, _ = wait_ended(job, [], 60, "forced")
check("zones are finished: rooftally run --resume --force goes on\n" in stderr, "forced:", stderr)
resume("meanwhile", 2, "forced", "--force")
check_whole("meanwhile", wanted, "forced")

# a store may be moved between the attempts, and not be another one
store = os.path.join(folder, "store_a.h5")
other = os.path.join(folder, "store_b.h5")
for seed, path in ((3, store), (4, other)):
    rooftally("generate", path, "--zones", "3000", "--buildings", "300000", "--seed", str(seed),
              "--quiet")


def stored(path):
    return dict(source={"kind": "store", "path": path}, buildings__table="building")


rooftally("run", write_job("store_whole", **{**JOB, **stored(store)}), "-o",
          path_of("store_whole"), "--quiet")
slow = make_slow("store_half", ".spool/rank-", 200)
environment.update(slow)
job = start("store_half", 1, "--quiet", **stored(store))
for variable in slow:
    del environment[variable]
wait_working("store_half", job)
kill(job.pid, 9)
job.communicate()
check(not os.path.exists(path_of("store_half")), "the store's run has no result")
refused("store_half", ["--force"], "--resume", **stored(other))
os.rename(store, store + ".moved")
done = resume("store_half", 2, "a store that was moved", **stored(store + ".moved"))
check("resuming attempt 2" in done.stdout, "a store that was moved:", done.stdout)
check_whole("store_half", datasets(path_of("store_whole")), "a store that was moved")
check(consistent("store_half")[0] == 1 and "consistent" not in done.stdout + done.stderr,
      "a store shows the same at all times:", done.stdout, done.stderr)

# a second run beside the first
job = start("busy", 2, "--quiet")
wait_working("busy", job)
begun = time.monotonic()
check(subprocess.run(command("run", write_job("busy2", **{**JOB, "limits__retries": "1"}), "-o",
                             path_of("busy"), "--resume"), env=environment, timeout=60,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode in (0, 2),
      "a second run waits, then goes on or is refused")
check(job.wait(timeout=60) == 0, "the first run is not disturbed")

# one that waits for the first and was not to replace its result: it does no work, and leaves nothing
job = start("first", 2, "--quiet")
wait_working("first", job)
second = start("first", 1, "--quiet")
third = start("first", 1, "--quiet", "--resume", buildings__where="height > 20")  # of another job
time.sleep(1)
set_pace(0)
check(job.wait(timeout=60) == 0, "the first run is done")
for late in (second, third):
    status, stderr, _ = wait_ended(late, [], 30, "a late run")
    check(status == 2 and "--force" in stderr and "zones" not in stderr, "a late run:", status, stderr)
check(leftovers("first") == ["first.h5"], "late runs left", leftovers("first"))

# a signal while it waits
job = start("held", 2, "--quiet")
wait_working("held", job)
second = start("held", 1, "--quiet", "--force")
wait_until(lambda: catches(second.pid, signal.SIGTERM), second)
time.sleep(1.5)
kill(second.pid, signal.SIGTERM)
status, stderr, seconds = wait_ended(second, [], 30, "a run that waits")
check(status == 75 and seconds < 3 and "SIGTERM" in stderr, "a run that waits:", status, seconds,
      stderr)
set_pace(0)
check(job.wait(timeout=60) == 0, "the run that was waited for")
finish()
