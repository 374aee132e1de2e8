#!/usr/bin/python3
"""Indexes that are missing: plan and run warn of them, once, and say what to do; where they are
there, or of no use, nobody is warned."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403


def warnings(fetch, ranks):
    """What plan and run warn of."""
    job = write_job("warnings", source__fetch=fetch)
    plan = rooftally("plan", job).stdout
    run = rooftally("run", job, "-o", os.path.join(folder, "warnings.h5"), "--force", "--quiet", ranks=ranks)
    return ([line for line in plan.splitlines() if line.startswith("  warning ")],
            [line for line in run.stderr.splitlines() if "level=warn" in line and "event=no_keepalive" not in line])


def check_warnings(what, fetch, spatial, zone_id):
    for ranks in (1, 3):
        in_plan, in_run = warnings(fetch, ranks)
        check(sum("no spatial index on public.building: " in line and "create index on public.building using gist (\"boundary\")" in line for line in in_plan) == spatial,
              what, "plan tells", in_plan)
        check(sum("event=no_spatial_index table=public.building " in line and "create index on public.building using gist (\"boundary\")" in line
                  for line in in_run) == spatial, what, ranks, "ranks: run tells", in_run)
        check(sum("no index on the id of public.zipcode: " in line and "create index on public.zipcode (\"zip\")" in line for line in in_plan) == zone_id, what, "plan tells", in_plan)
        check(sum("event=no_zone_id_index table=public.zipcode " in line and "create index on public.zipcode (\"zip\")" in line for line in in_run) == zone_id,
              what, ranks, "ranks: run tells", in_run)
        check(len(in_plan) == len(in_run) == spatial + zone_id, what, "more warnings", in_plan, in_run)


use_database("warnings")
generate(1100, 5000, 1)
check_warnings("all indexes", "index", False, False)
query("drop index building_boundary_idx")
check_warnings("no spatial index", "index", True, False)
check_warnings("no spatial index, and none needed", "scan", False, False)
query("alter table zipcode drop constraint zipcode_zip_key")
check_warnings("no index at all, and none needed", "scan", False, False)
check_warnings("no index at all", "index", True, True)

# The index of a parent is not that of its children; one on them is enough for an empty parent.
query("""create table parent (like building); create index on parent using gist (boundary);
         create table child () inherits (parent); insert into child select * from building; analyze parent, child""")
job = write_job("parent", source__fetch="index", buildings__table="parent")
output = os.path.join(folder, "warnings.h5")
in_plan = rooftally("plan", job).stdout
in_run = rooftally("run", job, "-o", output, "--force", "--quiet").stderr
check(in_plan.count('no spatial index on child: ') == in_run.count("event=no_spatial_index table=child ") == 1,
      "a child without an index", in_plan, in_run)
hint = 'create index on child using gist ("boundary")'
check(hint in in_plan and hint in in_run, "what to do for a child", in_plan, in_run)
query(f"{hint}; drop index parent_boundary_idx")
check("no spatial index" not in rooftally("plan", job).stdout, "an empty parent needs no index")

# What plan proposes can be run, whatever the columns are called.
query('alter table building rename boundary to "Shape"; alter table zipcode rename zip to "Zip"')
job = write_job("named", source__fetch="index", zones__id="Zip", buildings__geometry="Shape")
proposed = [line.rpartition("; ")[2].rpartition(": ")[2] for line in rooftally("plan", job).stdout.splitlines()
            if line.startswith("  warning ")]
check(len(proposed) == 2, "proposed:", proposed)
for statement in proposed:
    query(statement)
check("  warning " not in rooftally("plan", job).stdout, "the indexes are not seen")
query('drop index "building_Shape_idx"; drop index "zipcode_Zip_idx";'
      'alter table building rename "Shape" to boundary; alter table zipcode rename "Zip" to zip')

# No index can be created on a view.
query("create view seen as select * from building; create view areas as select * from zipcode")
job = write_job("warnings", source__fetch="index", zones__table="areas", buildings__table="seen")
run = rooftally("run", job, "-o", os.path.join(folder, "warnings.h5"), "--force", "--quiet")
for seen in (rooftally("plan", job).stdout, run.stderr):
    for hint in ("seen is no table: create an index using gist on what its boundary is read from",
                 "areas is no table: create an index on what its zip is read from"):
        check(seen.count(hint) == 1 and "create index on" not in seen, "a view", seen)

# A CRS that is known by its other names measures as PostGIS does; one that is not is told.
query("""insert into spatial_ref_sys (srid, proj4text) values (990006, '+proj=longlat +datum=WGS84 +no_defs');
         insert into spatial_ref_sys (srid, auth_name, auth_srid) values (990004, 'EPSG', 4326)""")
area = float(query("select sum(ST_Area(b.boundary::geography)) from building b join zipcode z"
                   " on zip = '01001' and ST_Within(b.boundary, z.boundary)")[0][0])
for srid, known in ((4326, True), (990006, True), (990004, True), (998877, False), (0, False)):
    for table, rows in (("zipcode", "where zip = '01001'"), ("building", "")):
        query(f"""create table {table}_{srid} as
                  select {'zip' if rows else 'id'}, ST_SetSRID(boundary::geometry, {srid}) as boundary from {table} {rows}""")
    query(f"create index on building_{srid} using gist (boundary)")
    for fetch in ("index", "scan"):
        job = write_job("crs", source__fetch=fetch, zones__table=f"zipcode_{srid}",
                        buildings__table=f"building_{srid}", buildings__fields=None, buildings__where=None, statistics={"area": "sum(area_m2)"})
        run = rooftally("run", job, "-o", os.path.join(folder, "crs.h5"), "--force", "--quiet")
        check(run.stderr.count("event=no_crs") == (not known), srid, fetch, "warned:", run.stderr)
        seen = Result(os.path.join(folder, "crs.h5"))["area"][0]
        for statistic in ("count", "density"):
            told = rooftally("run", job, "-o", os.path.join(folder, "other.h5"), "--force", "--quiet", "--set",
                             f"statistics.area={statistic}").stderr.count("event=no_crs")
            check(told == (not known and statistic == "density"), srid, fetch, statistic, "warned", told, "times")
        check(abs(seen / area - 1 < 1e-4) if known else seen < 1, srid, fetch, "area", seen, "is", area)
finish()
