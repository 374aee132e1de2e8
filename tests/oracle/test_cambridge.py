#!/usr/bin/python3
"""Real zip codes and parcels: the selection is PostGIS's, building for building."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

DATA = os.path.join(SOURCE_DIR, "../shared/data")
if not os.path.exists(os.path.join(DATA, "load.sql")):
    skip(f"no real data in {DATA}")

CAMBRIDGE = {"zones__table": "cambridge.zipcode", "buildings__table": "cambridge.building"}
RHODE_ISLAND = {"zones__table": "rhode_island.zipcode",
                "buildings__table": "rhode_island.building", "buildings__fields": None}

# Buildings for Rhode Island: points, squares and triangles inside the zones, squares that
# straddle the borders, and triangles and points on the very vertices of the borders. (No square
# has its centre within a rounding of a vertex: there PostGIS asks code of its own about a point
# and not GEOS, and for one in some thousand it finds the other answer.)
RHODE_ISLAND_BUILDINGS = """
create table rhode_island.building (id serial primary key, boundary geometry(Geometry, 4326));
with point as (
  select (ST_Dump(ST_GeneratePoints(boundary, 150, id))).geom as at from rhode_island.zipcode)
insert into rhode_island.building (boundary)
select at from point
union all select ST_Expand(at, 0.0003) from point
union all select ST_MakePolygon(ST_MakeLine(array[at, ST_Translate(at, 0.001, 0.0004),
                                                  ST_Translate(at, 0.0002, 0.0013), at])) from point;
with vertex as (
  select z.id, (d).path, (d).geom as at, lead((d).geom, 1) over w as next, lead((d).geom, 2) over w as last
  from (select id, ST_DumpPoints(boundary) as d from rhode_island.zipcode) z
  window w as (partition by z.id order by (d).path))
insert into rhode_island.building (boundary)
select ST_Translate(ST_Expand(at, 0.0005), 0.0001, 0.0002) from vertex where path[3] % 20 = 3
union all select at from vertex where path[3] % 40 = 4
union all select ST_MakePolygon(ST_MakeLine(array[at, next, last, at])) from vertex
  where path[3] % 10 = 5 and last is not null and ST_Area(ST_ConvexHull(ST_Collect(array[at, next, last]))) > 0;
create index on rhode_island.building using gist (boundary);
analyze rhode_island.building;
"""

PREDICATES = {
    "within": "ST_Within(b.boundary, z.boundary)",
    "intersects": "ST_Intersects(b.boundary, z.boundary)",
    "centroid": "ST_Within(ST_Centroid(b.boundary), z.boundary)",
}


def postgis(schema, condition):
    return pairs(f"select zip, b.id from {schema}.zipcode z "
                 f"join {schema}.building b on {condition}")


def read_pairs(name):
    with open(os.path.join(DATA, "cambridge", name), encoding="utf-8") as file:
        return [tuple(line.split()[:2]) for line in file]


def selections():
    cases = [("within", {}, "within.tsv"),
             ("within", {"buildings__where": "height > 10"}, "within-tall.tsv"),
             ("intersects", {}, "intersects.tsv")]
    for predicate, more, wanted in cases:
        for ranks in (1, 3):
            result = run("cambridge", ranks, buildings__predicate=predicate, **CAMBRIDGE, **more)
            check_same(f"cambridge {wanted} on {ranks} ranks", result.selection(),
                       read_pairs(wanted))
            result.check_accounts(f"cambridge {wanted}")
    result = run("cambridge", buildings__predicate="centroid", **CAMBRIDGE)
    check_same("cambridge centroid", result.selection(),
               postgis("cambridge", PREDICATES["centroid"]))
    for predicate, condition in PREDICATES.items():
        result = run("rhode_island", 3, buildings__predicate=predicate, **RHODE_ISLAND)
        check_same(f"rhode_island {predicate}", result.selection(),
                   postgis("rhode_island", condition))
        result.check_accounts(f"rhode_island {predicate}")


def invalid_buildings():
    with open(os.path.join(DATA, "cambridge/invalid.tsv"), encoding="utf-8") as file:
        reasons = dict(line.rstrip("\n").split("\t") for line in file)
    result = run("skip", 3, buildings__invalid="skip", **CAMBRIDGE)
    within = read_pairs("within.tsv")
    check_same("invalid = skip: the selection", result.selection(),
               [pair for pair in within if pair[1] not in reasons])
    rejected = result.rejected()
    check({building for _, building, _ in rejected} <= set(reasons),
          "invalid = skip: rejected a valid building")
    check(set(pair for pair in read_pairs("intersects.tsv") if pair[1] in reasons)
          <= {(zone, building) for zone, building, _ in rejected},
          "invalid = skip: an invalid building in a zone was not rejected")
    for _, building, reason in rejected:
        check(reasons.get(building, "?").split("[")[0] in reason, "reason", building, reason)
    result.check_accounts("invalid = skip")

    result = run("repair", buildings__invalid="repair", **CAMBRIDGE)
    check_same("invalid = repair: the selection", result.selection(),
               postgis("cambridge", "ST_Within(ST_MakeValid(b.boundary), z.boundary)"))

    job = write_job("fail", buildings__invalid="fail", **CAMBRIDGE)
    for ranks in (1, 3):
        done = rooftally("run", job, "-o", os.path.join(folder, "fail.h5"), ranks=ranks, status=1)
        line = [line for line in done.stderr.splitlines() if line.startswith("rooftally: ")]
        check(len(line) == 1 and any(f"building {id}" in line[0] for id in reasons),
              "invalid = fail names the building:", done.stderr)
        check(not os.path.exists(os.path.join(folder, "fail.h5")), "invalid = fail: a result")


use_database("cambridge")
subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", "load.sql"], cwd=DATA, check=True,
               stdout=subprocess.DEVNULL, env=dict(environment, PGOPTIONS="-c client_min_messages=warning"))
query(RHODE_ISLAND_BUILDINGS)
selections()
invalid_buildings()
finish()
