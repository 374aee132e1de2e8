#!/usr/bin/python3
"""kill -9 of any rank, of several, or of mpirun, at any moment of a run, from a store and from
PostgreSQL; then --resume with another number of ranks, which may be killed as well. In the end: the
bits of an undisturbed run, no zone lost that was finished, and at no time a result that is not
whole. ROOFTALLY_LONG=1: 200 results from a store, 40 from PostgreSQL."""

import re

from fault import *

PHASES = ("work", "write", "start", "rename", "work")
MOST_S = 30


def partials(name):
    return set(glob.glob(path_of(name) + ".partial-*"))


def let_work(job, name, phase, old):
    """Wait for the moment to kill; `old` partial results are of earlier attempts."""
    if phase == "start":
        time.sleep(chance.uniform(0, 0.8))
    elif phase == "work":
        before = n_spooled(name)
        wait_until(lambda: n_spooled(name) > before, job)
        time.sleep(chance.uniform(0, chance.choice((0.1, 1))))
    elif phase == "write":
        wait_until(lambda: partials(name) - old, job)
        time.sleep(chance.choice((0, chance.uniform(0, 0.1))))
    else:
        wait_until(lambda: os.path.exists(path_of(name)), job)


def phase_now(name, before, old):
    """What a run is at, by its files; `before` bytes were in its spool when it was started."""
    if os.path.exists(path_of(name)):
        return "rename"
    if partials(name) - old:
        return "write"
    return "work" if n_spooled(name) > before else "start"


def kill_some(job, ranks, phase):
    """One process dies, or several; returns who, and whether any was there to die. Not mpirun at the start: a rank in MPI_Init may
    wait for one that is dead for good, in MPI's own hands."""
    victims = {str(rank): pid for rank, pid in ranks.items()}
    if job.pid not in ranks.values() and phase != "start":
        victims["mpirun"] = job.pid
    n = chance.choice((1, 1, 1, 1, len(victims)))
    chosen = chance.sample(sorted(victims), n)
    hit = [kill(victims[who], 9) for who in chosen]
    return chosen, any(hit)


def check_told(what, phase, chosen, ranks, status, stderr):
    """A run that lost a rank says so: not 0, and one line that names the rank and its host."""
    check(status not in (0, 2, 75), what, "ended with", status, stderr)
    if len(chosen) > 1 or chosen == ["mpirun"] or len(ranks) == 1 or phase == "start":
        return  # nobody is left who knows; mpirun does not always, before a rank has reported
    lines = [line for line in stderr.splitlines() if re.search(
        rf"\brank {chosen[0]}\b.* on node {os.uname().nodename}\b", line)]
    check(len(lines) == 1, what, "is not told in one line:", stderr)


def one_kill(number, name, ranks, phase, changes, wanted):
    """Start or resume, kill; whether there was something left to kill. What counts is the phase
    that was met: a fast run may be past the one that was waited for."""
    what = f"{name}, kill {number} ({phase}, {ranks} ranks)"
    is_first = not os.path.exists(spool_of(name))
    before, old = n_spooled(name), partials(name)
    job = start(name, ranks, *([] if is_first else ["--resume"]), "--quiet", **changes,
                limits__checkpoint=chance.choice(("0", "10 s")))
    let_work(job, name, phase, old)
    pids = ranks_of(job)
    met = phase_now(name, before, old)
    chosen, was_there = kill_some(job, pids, phase)
    status, stderr, seconds = wait_ended(job, list(pids.values()), MOST_S, f"{what} of {chosen}")
    slowest[0] = max(slowest[0], seconds)
    is_there = os.path.exists(path_of(name))
    if is_there:
        check(datasets(path_of(name)) == wanted, what, "a result that is not whole")
    if status == 0:
        check(is_there and not os.path.exists(spool_of(name)), what, "is done, and left",
              leftovers(name))
        return False
    check(was_there, what, "ended with", status, "before it was killed:", stderr)
    if is_there:
        met = "rename"
    else:
        check_told(f"{what} of {chosen}", phase, chosen, pids, status, stderr)
    n_kills[met] += 1
    return True


def go_on(name, changes, wanted):
    """--resume to the end: no finished zone is lost, none is there twice."""
    finished = finished_zones(name)
    done = resume(name, chance.choice((1, 2, 3, 5)), name, **changes)
    if finished and "is complete already" not in done.stdout:
        told = re.search(r"resuming attempt \d+: (\d+) of", done.stdout)
        check(told and int(told[1]) == len(finished), name, len(finished),
              "zones were finished:", done.stdout)
        totals["lost"] += len(finished) - int(told[1]) if told else 0
    if check_whole(name, wanted, name):
        totals["identical"] += 1
    zones = Result(path_of(name)).zones
    totals["twice"] += len(zones) - len(set(zones))
    totals["lost"] += wanted["zone"][0][0] - len(set(zones))


def kill_often(kind, n_results, changes, wanted):
    number = 0
    while totals["results"] < n_results and verdict.n_failures == 0:
        name = f"{kind}_{totals['results']}"
        was_killed = False
        for _ in range(chance.choice((1, 1, 1, 2, 3))):  # attempts that are all killed
            if os.path.exists(path_of(name)):
                break
            was_killed |= one_kill(number, name, chance.choice((1, 1, 2, 3, 4)),
                                   PHASES[number % len(PHASES)], changes, wanted)
            number += 1
        if was_killed:
            totals["results"] += 1
            go_on(name, changes, wanted)
        else:
            check_whole(name, wanted, name)
        remove(name)
    figure(f"{kind}: {sum(n_kills.values())} kills {n_kills}, each followed by --resume: "
           f"{totals['identical']} of {totals['results']} results identical, {totals['lost']} zones "
           f"lost, {totals['twice']} twice; the slowest end took {slowest[0]:.1f} s")


chance = seeded(1)
make_database("kill")
stored = make_store("kill")
for kind, few, many, changes in (("store", 6, 200, stored), ("postgres", 3, 40, {})):
    n_kills = dict.fromkeys(("start", "work", "write", "rename"), 0)
    totals = {"results": 0, "identical": 0, "lost": 0, "twice": 0}
    slowest = [0.0]
    kill_often(kind, int(os.environ.get("N_KILLS", many if is_long() else few)), changes,
               reference(f"wanted_{kind}", **changes))
finish()
