#!/usr/bin/python3
"""What is inserted, changed or deleted while a job runs does not show in its result."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

CHANGES = """
begin;
insert into building select id + 1000000, 99, size, year_built, use, notes, boundary
  from building where id % 3 = 0;
delete from building where id % 5 = 0;
update building set height = height + 100 where id % 7 = 0;
update zipcode set boundary = ST_Multi(ST_Translate(boundary, 0.01, 0)) where id % 2 = 0;
delete from zipcode where id % 4 = 1;
insert into zipcode select 1000000, '99999', name, state, boundary from zipcode limit 1;
commit;
"""
STATISTICS = {"buildings": "count", "total": "sum(height)", "tallest": "top(height, 3)"}
JOB = dict(statistics=STATISTICS, buildings__table="held_building", buildings__keep="id, height")


def facts(result):
    """All that the result says, as one value that compares."""
    return (result.zones, result.selection(), result["/selection/height"].tobytes(),
            result["/total"].tobytes(), result["/tallest_id"].tobytes(),
            result["/zones/geometry"].tobytes())


def start(name, ranks):
    output = os.path.join(folder, f"{name}.h5")
    return output, subprocess.Popen(
        command("run", write_job(name, **JOB), "-o", output, "--force", "--quiet", ranks=ranks),
        stdin=subprocess.DEVNULL, env=environment)


use_database("snapshot")
for ranks in (1, 3):
    generate(30, 3000, 11, "--force") if ranks == 1 else None
    if ranks > 1:
        query("drop view held_building; drop function held")
        generate(30, 3000, 11, "--force")
    make_held_view("held_building", "building")
    before = facts(run("before", **JOB))
    hold = Hold()
    output, job = start("during", ranks)
    deadline = time.monotonic() + 60
    while n_held() < max(ranks - 1, 1) and time.monotonic() < deadline and job.poll() is None:
        time.sleep(0.05)
    check(n_held() == max(ranks - 1, 1), f"{ranks} ranks: the workers wait in their first zone")
    query(CHANGES)
    hold.release()
    check(job.wait(timeout=120) == 0, f"{ranks} ranks: the job is done")
    during = facts(Result(output))
    for what, seen, wanted in zip(("zones", "selection", "heights", "sums", "tallest",
                                   "boundaries"), during, before):
        check(seen == wanted, f"{ranks} ranks: the changes show in the", what)
    after = facts(run("after", **JOB))
    for seen, wanted in zip(after, before):
        check(seen != wanted, f"{ranks} ranks: the changes are too small to show")
finish()
