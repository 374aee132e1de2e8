#!/usr/bin/python3
"""kill -9 of any rank, or of mpirun, at any moment of a run; then --resume with another number of
ranks, which may be killed as well. In the end: the bits of an undisturbed run, and no result that
is not whole at any time. ROOFTALLY_LONG=1: 200 kills."""

from fault import *

PHASES = ("start", "work", "work", "write")


def let_work(job, name, phase, chance):
    """Wait for the moment to kill."""
    if phase == "start":
        time.sleep(chance.uniform(0, 0.8))
    elif phase == "write":
        wait_until(lambda: glob.glob(path_of(name) + ".partial-*"), job)
        time.sleep(chance.choice((0, chance.uniform(0, 0.15))))
    else:
        before = n_spooled(name)
        wait_until(lambda: n_spooled(name) > before, job)
        time.sleep(chance.uniform(0, 1))


def kill_one(job, chance):
    """One process dies; returns who, and the ranks that there were."""
    ranks = ranks_of(job)
    victims = list(ranks.items()) + ([("mpirun", job.pid)] if job.pid not in ranks.values() else [])
    who, pid = chance.choice(victims)
    kill(pid, 9)
    return who, list(ranks.values())


def one_kill(number, name, ranks, phase, chance, wanted):
    what = f"kill {number} ({phase}, {ranks} ranks)"
    is_first = not os.path.exists(spool_of(name))
    job = start(name, ranks, *([] if is_first else ["--resume"]), "--quiet")
    let_work(job, name, phase, chance)
    who, pids = kill_one(job, chance)
    status, stderr, seconds = wait_ended(job, pids, 30, f"{what} of {who}")
    slowest[0] = max(slowest[0], seconds)
    if status == 0:
        count["too late"] += 1
    else:
        count[phase] += 1
        check(status not in (2,), what, "of", who, "ended with", status, stderr)
    if os.path.exists(path_of(name)):
        check(datasets(path_of(name)) == wanted, what, "a result that is not whole")


make_database("kill")
wanted = reference()
chance = seeded(1)
count = {"start": 0, "work": 0, "write": 0, "too late": 0}
slowest = [0.0]
n_kills = int(os.environ.get("N_KILLS", 200 if is_long() else 10))
number = 0
while number < n_kills and verdict.n_failures == 0:
    name = f"killed_{number}"
    for _ in range(chance.choice((1, 1, 2, 3))):  # attempts of one job that are all killed
        if os.path.exists(path_of(name)) and not os.path.exists(spool_of(name)):
            break
        one_kill(number, name, chance.choice((1, 2, 3, 4)), chance.choice(PHASES), chance, wanted)
        number += 1
    if not os.path.exists(path_of(name)) or os.path.exists(spool_of(name)):
        resume(name, chance.choice((1, 2, 3, 5)), f"after kill {number - 1}", "--quiet")
    check_whole(name, wanted, f"after kill {number - 1}")
    remove(name)
print(f"{number} kills: {count}; the slowest end took {slowest[0]:.1f} s")
finish()
