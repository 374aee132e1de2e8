#!/usr/bin/python3
"""Division by zero is null; an overflow is one clear error, not a dead connection."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

NULLS = {  # field: SQL condition of the rows where it is not null
    "size / (height - height)": "false",
    "year_built / (year_built - 1900)": "year_built <> 1900",
    "year_built % (year_built - 1900)": "year_built <> 1900",
}
OVERFLOWS = [
    "year_built * 9223372036854775807",
    "year_built + 9223372036854775807",
    "-9223372036854775807 - year_built",
    "1e308 * height",
    "size / 1e-308",
]

use_database("overflow")
generate(5, 2000, 2)
query("update building set year_built = 1900 where id % 10 = 0;"
      "update building set height = 20, size = 100 where height is null or size is null;"
      "update building set year_built = 1950 where year_built is null")
for field, condition in NULLS.items():
    for ranks in (1, 3):
        result = run("null", ranks, buildings__fields=f"f = {field}",
                     statistics={"n": "count(f)", "mean_f": "mean(f)"})
        wanted = int(query(f"select count(*) from building b join zipcode z on"
                           f" ST_Within(b.boundary, z.boundary) where {condition}")[0][0])
        check(result["/n"].sum() == wanted, field, "is not null in", result["/n"].sum(), wanted)
        result = run("null_filter", ranks, buildings__where=f"{field} is null",
                     buildings__fields=None)
        wanted = int(query(f"select count(*) from building b join zipcode z on"
                           f" ST_Within(b.boundary, z.boundary) where not ({condition})")[0][0])
        check(len(result["/selection/id"]) == wanted, field, "is null in",
              len(result["/selection/id"]), wanted)
for expression in OVERFLOWS:
    for changes in (dict(buildings__fields=f"f = {expression}", statistics={"total": "sum(f)"}),
                    dict(buildings__where=f"{expression} <> 0")):
        for ranks in (1, 3):
            name = "overflow"
            done = rooftally("run", write_job(name, **changes), "-o",
                             os.path.join(folder, f"{name}.h5"), "--quiet", ranks=ranks,
                             status=None, timeout=30)
            lines = [line for line in done.stderr.splitlines() if line.startswith("rooftally: ")]
            check(done.returncode == 1, expression, "ends with", done.returncode, done.stderr)
            check(len(lines) == 1 and ("range" in lines[0] or "overflow" in lines[0]),
                  expression, "tells", done.stderr)
            place = "in [buildings] f: leave" if "buildings__fields" in changes else "in [buildings] where: leave"
            check(place in lines[0], expression, "does not tell where:", done.stderr)
            check(leftovers(name) == [], expression, "leaves", leftovers(name))
            check("terminated" not in done.stderr.lower() or ranks > 1, expression)
# What a numeric column holds is cast before `where` can leave it out; a view can.
query("""create view unfit as select id, boundary, case id when 17 then 1e400 else id end::numeric as nu,
           case id when 17 then 1e-400 else id end::numeric as tiny from building""")
for changes in (dict(buildings__fields="nu"), dict(buildings__fields="f = nu * 2", buildings__keep="id, f"),
                dict(buildings__fields="tiny", buildings__keep="tiny"),
                dict(buildings__fields=None, buildings__keep="id", buildings__where="nu < 100")):
    for command_of in (("run", "source.fetch=index"), ("run", "source.fetch=scan"), ("stage", "limits.retries=0")):
        job = write_job("unfit", **{"buildings__keep": "id, nu", "buildings__table": "unfit", **changes})
        done = rooftally(command_of[0], job, "-o", os.path.join(folder, "unfit.h5"), "--quiet", "--force", "--set",
                         command_of[1], status=1)
        check("out of range for type double precision, in [buildings] " in done.stderr
              and ": a view can make such values null, or leave their rows out" in done.stderr
              and '0000..."' in done.stderr and "0" * 40 not in done.stderr, command_of, changes, done.stderr)
# What the filter leaves out is not computed.
result = run("guarded", buildings__fields="f = 1e308 * height", buildings__where="height < 0",
             statistics={"total": "sum(f)"})
check(len(result["/selection/id"]) == 0, "a filtered row is not computed")
finish()
