#!/usr/bin/python3
"""The same bits at any number of ranks, batch size and order of the table."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

STATISTICS = {
    "buildings": "count", "total": "sum(size)", "bulk": "sum(volume)", "mean_size": "mean(size)",
    "spread": "stddev(volume)", "relative": "cv(size)", "p90": "quantile(size, 0.9)",
    "common": "mode(use)", "rare": "minority(use)", "kinds": "variety(year_built)",
    "uses": "frequency(use)", "heights": "histogram(height, 0, 100, 20)",
    "tallest": "top(height, 5)", "oldest": "top(year_built, 3)",
    "weighted": "weighted_mean(height, size)", "per_km2": "density", "built_up": "coverage",
}
JOB = dict(buildings__fields="height, size, volume = height * size, year_built, use, notes",
           buildings__where="height > 5", buildings__keep="id, height, use, notes, area_m2",
           statistics=STATISTICS)

# Some buildings that no predicate can be asked about, and ties in height everywhere.
EXTRAS = """
alter table building alter boundary type geometry(Geometry, 4326);
insert into building (id, height, boundary)
select 10000000 + row_number() over (), 20, ST_Collect(p, ST_Translate(p, 1e-5, 0)) from (
  select ST_Collect(ST_PointOnSurface(boundary), ST_Expand(ST_PointOnSurface(boundary), 1e-5)) as p
  from zipcode) q;
update building set height = round(height);
create table shuffled with (autovacuum_enabled = false) as select * from building order by md5(id::text);
alter table shuffled add primary key (id);
create index on shuffled using gist (boundary);
analyze building;
"""


def is_described(path):
    """Telemetry and provenance tell of the run; everything else of the data."""
    return not path.startswith(("telemetry", "provenance"))


def contents(result):
    """Type, shape, bytes and attributes by path. References to scales are addresses."""
    found = {}

    def visit(path, item):
        if not is_described(path):
            return
        attributes = {name: str(value) for name, value in item.attrs.items()
                      if name not in ("DIMENSION_LIST", "REFERENCE_LIST")}
        if isinstance(item, h5py.Dataset):
            found[path] = (item.dtype.str, item.shape, item[()].tobytes(), attributes)
        else:
            found[path] = attributes

    result.file.visititems(visit)
    found["/"] = {name: str(value) for name, value in result.file.attrs.items()}
    return found


def compare(what, result):
    seen = contents(result)
    check(seen.keys() == wanted.keys(), what, "holds other datasets",
          seen.keys() ^ wanted.keys())
    for path in seen.keys() & wanted.keys():
        check(seen[path] == wanted[path], what, "differs in", path)


use_database("same_bits")
generate(40, 60000, 3)
query(EXTRAS)
reference = run("bits", **JOB)
wanted = contents(reference)
check(len(reference["/selection/id"]) > 10000, "a selection worth comparing")
check(len(reference["/rejected/id"]) > 10, "some rejected buildings")
check("selection/notes" in wanted and "uses" in wanted, "the datasets that are compared")
for ranks in (1, 2, 3, 5):
    for memory in ("8 MiB", "16 MiB", "64 MiB"):
        compare(f"{ranks} ranks, {memory}", run("bits", ranks, limits__memory=memory, **JOB))
for ranks in (1, 3):
    compare(f"shuffled, {ranks} ranks", run("bits", ranks, buildings__table="shuffled", **JOB))
query("analyze shuffled")  # until here the planner knew nothing of it
compare("shuffled and analysed", run("bits", 3, buildings__table="shuffled", **JOB))
finish()
