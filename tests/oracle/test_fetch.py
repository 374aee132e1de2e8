#!/usr/bin/python3
"""fetch = scan reads the table once and gives the bits of fetch = index; auto chooses by cost."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
STATISTICS = {
    "buildings": "count", "total": "sum(size)", "bulk": "sum(volume)", "spread": "stddev(volume)",
    "p90": "quantile(size, 0.9)", "common": "mode(use)", "uses": "frequency(use)",
    "tallest": "top(height, 5)", "built_up": "coverage",
}
JOB = dict(zones__fields="state, label = name", zones__where="state = 'MA' and area_m2 > 0",
           buildings__fields="height, size, volume = height * size, year_built, use, notes",
           buildings__keep="id, height, use, notes, area_m2", statistics=STATISTICS)

# As in test_store: what no predicate can be asked about, nothing to be asked about, and texts
# that are too many to be words.
EXTRAS = """
alter table building alter boundary type geometry(Geometry, 4326);
insert into building (id, height, boundary)
select 20000000 + row_number() over (), 20, ST_GeomFromText(format(
    'CURVEPOLYGON(CIRCULARSTRING(%1$s %2$s, %3$s %2$s, %1$s %2$s))', ST_X(at), ST_Y(at), ST_X(at) + 2e-5), 4326)
from (select ST_PointOnSurface(boundary) as at from zipcode) q;
insert into building (id, height, boundary) values (-5, 30, null), (-6, 40, 'SRID=4326;POINT(100 0)'),
  (-7, 50, 'SRID=4326;POLYGON EMPTY');
insert into zipcode (id, zip, name, state, boundary) values (-1, '99999', 'Nowhere', 'MA', null);
-- zones over others: one that is invalid, and one that is round
insert into zipcode (id, zip, name, state, boundary)
select -2, '99998', 'Bow', 'MA', ST_Multi(ST_GeomFromText(format('POLYGON((%1$s %2$s, %3$s %4$s, %3$s %2$s, %1$s %4$s, %1$s %2$s))',
    ST_XMin(e), ST_YMin(e), ST_X(ST_Centroid(e)), ST_Y(ST_Centroid(e))), 4326)) from (select ST_SetSRID(ST_Extent(boundary), 4326) as e from zipcode) q
union all
select -3, '99997', 'Round', 'MA', ST_Multi(ST_Buffer(ST_Centroid(e), (ST_XMax(e) - ST_XMin(e)) / 5)) from (select ST_SetSRID(ST_Extent(boundary), 4326) as e from zipcode) q;
-- two lobes whose areas are almost each other's opposite: the centroid is far outside the box
insert into building (id, height, boundary)
select 30000000 + row_number() over (), 20, ST_Translate(
    ST_GeomFromText(format('POLYGON((0 0, 0.001 0.001, 0.001 0, 0 %s, 0 0))',
                           (array[0.00101, 0.001003, 0.000997, 0.00099])[id % 4 + 1]), 4326),
    ST_X(at), ST_Y(at))
from (select id, ST_PointOnSurface(boundary) as at from building where id between 1 and 1e7
      and id % 5 = 0) q;
update building set notes = 'note ' || id where id % 3 = 0;
create table ordered as select * from building order by boundary;
create table shuffled as select * from building order by md5(id::text);
create table named as select 'b' || id as id, height, size, year_built, use, notes, boundary
  from building;
create table parts as select id / 5 as id, 'p' || id / 5 as name, height, size, year_built, use, notes, boundary from shuffled;
create index on parts using gist (boundary);
create view seen as select * from shuffled;
create index on ordered using gist (boundary);
create index on shuffled using gist (boundary);
create index on named using gist (boundary);
vacuum analyze ordered; vacuum analyze shuffled; vacuum analyze named;
"""


def way_of(result):
    word = result.file["/provenance"].attrs["fetch"]
    return word.decode() if isinstance(word, bytes) else str(word)


def compare(what, ranks=1, **changes):
    by_index = run("index", ranks, source__fetch="index", **changes)
    by_scan = run("scan", ranks, source__fetch="scan", **changes)
    wanted, seen = contents(by_index), contents(by_scan)
    check(seen.keys() == wanted.keys(), what, "other datasets", seen.keys() ^ wanted.keys())
    for path in seen.keys() & wanted.keys():
        check(seen[path] == wanted[path], what, "differs in", path)
    by_scan.check_accounts(what)
    for result, way in ((by_index, "index"), (by_scan, "scan")):
        check(way_of(result) == way, what, "fetched by", way_of(result))
    check((by_scan["/telemetry/zone/selected"] == by_index["/telemetry/zone/selected"]).all(),
          what, "selected")
    check(by_scan.file.attrs["consistent"] == by_index.file.attrs["consistent"], what, "consistent")
    return by_scan


def plan_of(**changes):
    text = rooftally("plan", write_job("plan", **changes)).stdout
    lines = [line.split(None, 1)[1] for line in text.splitlines() if line.startswith("  fetch")]
    check(len(lines) == 1, "plan says how", text)
    return lines[0] if lines else ""


use_database("fetch")
generate(40, 30000, 3)
query(EXTRAS)
result = compare("plain", 3, **JOB, buildings__table="shuffled")
check(len(result["/selection/id"]) > 25000, "a selection worth comparing")
check(len(result["/rejected/id"]) > 10, "some rejected buildings")
compare("one rank", 1, **JOB, buildings__table="ordered", buildings__where="height > 10")
compare("little memory", 2, **JOB, buildings__table="shuffled", limits__memory="8 MiB")
compare("text ids", 3, **JOB, buildings__table="named", buildings__where="use <> 'shed'")
for id in "id", "name":  # what is kept puts buildings of one id into an order
    compare("ids that are not unique", 3, **{**JOB, "buildings__id": id, "buildings__table": "parts", "buildings__keep": f"use, notes, {id}, height, area_m2"})
compare("a view", 2, **JOB, buildings__table="seen", buildings__where="height > 10")
for where in ("area_m2 > 200 and volume between 100 and 5000 or size is null", "height > 1e9"):
    compare(where, 2, **JOB, buildings__table="shuffled", buildings__where=where)
for predicate, rule in (("intersects", "skip"), ("centroid", "repair"), ("centroid", "trust")):
    compare(predicate, 2, **JOB, buildings__table="shuffled", buildings__predicate=predicate,
            buildings__invalid=rule)
# What asks for no shape is copied without those that no border is near.
plain = dict(JOB, buildings__keep="id, height, use", statistics={
    name: what for name, what in STATISTICS.items() if what != "coverage"})
for predicate in "within", "intersects", "centroid":
    for table, ranks in (("ordered", 1), ("shuffled", 3), ("shuffled", 5), ("named", 2)):
        result = compare(f"{predicate} without shapes", ranks, **plain, buildings__table=table, buildings__predicate=predicate)
        check(len(result["/selection/id"]) > 25000 and result["/telemetry/zone/refined"].sum() > 0, predicate, "is asked about much")
compare("without shapes in little memory", 2, **plain, buildings__table="shuffled", limits__memory="8 MiB")
compare("no shape but for coverage", 2, **dict(plain, statistics={"built_up": "coverage"}), buildings__table="shuffled")
compare("no shape but for a filter", 2, **plain, buildings__table="shuffled", buildings__where="perimeter_m > 50")
compare("no snapshot", 2, **JOB, source__snapshot="none", buildings__table="shuffled")
check(sorted(glob.glob(folder + "/*.scan*") + glob.glob(folder + "/*.scratch*")) == [], "left",
      os.listdir(folder))

# Ids that are one only among the zones that the filter leaves, or only as they are spelled.
query("""create table years as select zip, y as year, case y when 2020 then boundary else ST_Multi(ST_Expand(boundary, 0.01)) end as boundary
  from zipcode, generate_series(2010, 2020, 10) y where boundary is not null;
create collation if not exists any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table letters (id text collate any_case, boundary geometry);
insert into letters select l || n, boundary from (select row_number() over (order by zip) as n, boundary from zipcode where not ST_IsEmpty(boundary) limit 4) z, (values ('a'), ('A')) v(l)""")
compare("ids of several years", 3, **{**JOB, "zones__table": "years", "zones__fields": "year", "zones__where": "year = 2020"}, buildings__table="shuffled")
compare("ids that a collation takes for equal", 2, **{**JOB, "zones__table": "letters", "zones__id": "id", "zones__fields": None, "zones__where": None}, buildings__table="shuffled")

# A ring of an invalid footprint that reaches a zone which its box is far from.
query("""create table lobes as select 'z' as id, 'SRID=26986;MULTIPOLYGON(((0 0,10 0,10 10,0 10,0 0)),((100 100,110 100,110 110,100 110,100 100)))'::geometry as boundary;
create table rings as select 1 as id, 'SRID=26986;POLYGON((40 40,60 40,60 60,40 60,40 40),(50 50,105 50,105 105,50 105,50 50))'::geometry as boundary
  union all select 1 + n, ST_SetSRID(ST_MakeEnvelope(n % 20 * 6, n / 20 * 7, n % 20 * 6 + 2, n / 20 * 7 + 2), 26986) from generate_series(1, 299) n;
create index on rings using gist (boundary); analyze rings""")
of_rings = compare("repaired rings", 2, zones__table="lobes", zones__id="id", buildings__table="rings", buildings__predicate="intersects", buildings__invalid="repair",
                   buildings__fields=None, buildings__where=None, buildings__keep="id", statistics={"buildings": "count"})
wanted = query("select b.id from rings b, lobes z where ST_Intersects(ST_MakeValid(b.boundary), z.boundary) order by 1")
check([str(id) for id in of_rings["/selection/id"]] == [row[0] for row in wanted], "repaired rings as PostGIS has them", wanted)

# Choosing.
query("create table larger as select * from building cross join generate_series(1, 5) copies"
      " order by md5(id::text || copies); create index on larger using gist (boundary);"
      " vacuum analyze larger;"
      "create table neat as select * from larger order by boundary;"
      " create index on neat using gist (boundary); vacuum analyze neat")
few = dict(JOB, zones__where="zip = '01003'")
filtered = dict(JOB, buildings__where="height > 30")
for what, way, changes in (
        ("out of order", "scan:", dict(filtered, buildings__table="larger")),
        ("in order, all pass", "index:", dict(JOB, buildings__table="neat")),
        ("one zone", "index:", dict(few, buildings__table="larger")),
        ("a view", "index: the table cannot be sampled", dict(JOB, buildings__table="seen")),
        ("told to", "scan: as the job says", dict(few, source__fetch="scan"))):
    seen = plan_of(**changes)
    check(seen.startswith(way), what, "plan says", seen)
seen = plan_of(**filtered, buildings__table="ordered")
check(seen.startswith("index: ") and seen.endswith(", which is too little to gain"), "a scan for less, but not taken:", seen)

# The statements that plan shows run, and are those of the way that it says.
for way, n_statements in (("index", 2), ("scan", 3)):
    text = rooftally("plan", write_job("plan", **filtered, buildings__table="shuffled", source__fetch=way)).stdout
    statements = [line for line in text.splitlines() if line.startswith("  COPY ")]
    counts = [int(query(line.replace("  COPY ", "select count(*) from ").replace(" TO STDOUT (FORMAT binary)", " q"))[0][0])
              for line in statements]
    check(len(counts) == n_statements and ("\none zone (" in text) == (way == "index"), way, "plan shows", text)
    if way == "scan":
        rows = [int(query("select count(*) from " + which)[0][0])
                for which in ("zipcode where state = 'MA'", "shuffled where height > 30")]
        check(counts == [rows[0], *rows], "plan shows what gives", counts, "rows and not", rows)
    check("connections: 2 needed" in text, text)
seen = plan_of(**filtered, buildings__table="larger")
check("candidates of" in seen and "out of order" in seen, seen)
automatic = run("auto", 3, **dict(filtered, buildings__table="larger", buildings__keep="height"))
check(way_of(automatic) == "scan", "auto takes what plan says")

# A role that may read the columns of the job and no other, not even where a row lies.
query("drop role if exists few; create role few login; grant select (id, boundary, height) on shuffled to few;"
      " grant select (zip, boundary) on zipcode to few")
rights = dict(buildings__table="shuffled", buildings__fields="height", buildings__keep="id, height",
              statistics={"buildings": "count", "total": "sum(height)"})
wanted = contents(run("all", **rights, source__fetch="index"))
for ranks in (1, 3):
    for way in ("index", "auto", "scan"):
        seen = contents(run("few", ranks, **rights, source__fetch=way, source__connection="user=few"))
        check(seen == wanted, "a role with few rights,", way, ranks, "ranks")
job = write_job("few", **rights, source__connection="user=few")
rooftally("plan", job)
rooftally("stage", job, "-o", os.path.join(folder, "few.store.h5"), "--quiet", ranks=3)
query("drop owned by few; drop role few")

# A building that no zone needs is too large to be sorted: the index does without it.
query("insert into larger (id, height, boundary) select -8, 50,"
      " ST_Buffer('SRID=4326;POINT(100 0)'::geometry, 1, 100000)")
small = dict(filtered, buildings__table="larger", buildings__keep="id", limits__memory="8 MiB")
output = os.path.join(folder, "fell.h5")
for way, status in (("scan", 1), ("auto", 0)):
    done = rooftally("run", write_job("fell", **small, source__fetch=way), "-o", output, "--quiet",
                     ranks=3, status=status)
    check((done.stderr.count("event=scan_failed") == 1) == (way == "auto"), way, done.stderr)
    check(leftovers("fell") == (["fell.h5"] if way == "auto" else []), way, leftovers("fell"))
check(way_of(Result(output)) == "index", "auto goes on by index")
by_index = run("index", 3, **small, source__fetch="index")
check(contents(Result(output)) == contents(by_index), "which gives another result")
done = rooftally("plan", write_job("bad", **JOB, source__fetch="scn"), status=2)
check("did you mean 'scan'" in done.stderr, done.stderr)

# Finished zones are gone on from, whichever way they were fetched.
job = write_job("resumed", **JOB, buildings__table="shuffled", source__fetch="scan")
output = os.path.join(folder, "resumed.h5")
rooftally("run", job, "-o", output, "--quiet", ranks=3)
wanted = contents(Result(output))
make_held_view("slow", "shuffled")
hold = Hold()
slow = write_job("resumed", **JOB, buildings__table="slow", source__fetch="scan")
os.unlink(output)
held = subprocess.Popen(command("run", slow, "-o", output, "--quiet", ranks=3), env=environment,
                        stderr=subprocess.PIPE, encoding="utf-8")
for _ in range(600):
    if n_held() > 0:
        break
    time.sleep(0.05)
held.terminate()
_, stderr = held.communicate(timeout=60)
hold.release()
check(held.returncode != 0 and not os.path.exists(output), "stopped", held.returncode, stderr)
check(leftovers("resumed") in ([], ["resumed.h5.spool"]), "left", leftovers("resumed"))
rooftally("run", slow, "-o", output, "--quiet", "--resume", ranks=2)
check(contents(Result(output)) == wanted, "resumed gives another result")
finish()
