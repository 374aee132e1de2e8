#!/usr/bin/python3
"""Every kind of geometry a table may hold: no crash, PostGIS's answer or a reason."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from random import Random

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

# The zones: a square with a hole, two islands, one whose hole is not in it, an empty one, one
# without geometry.
ZONES = {
    "square": "MULTIPOLYGON(((0 0, 10 0, 10 10, 0 10, 0 0), (4 4, 6 4, 6 6, 4 6, 4 4)))",
    "islands": "MULTIPOLYGON(((10 0, 14 0, 14 4, 10 4, 10 0)), ((20 0, 24 0, 24 4, 20 4, 20 0)))",
    "high": "MULTIPOLYGON Z(((0 20 1, 9 20 2, 9 29 3, 0 29 4, 0 20 1)))",
    "spilt": "MULTIPOLYGON(((30 0, 40 0, 40 10, 30 10, 30 0), (50 0, 52 0, 52 2, 50 2, 50 0)))",
    "empty": "MULTIPOLYGON EMPTY",
    "nothing": None,
}
# Buildings that PostGIS can be asked about; it gives the answer.
ASKED = [
    "POINT(1 1)", "POINT(0 0)", "POINT(10 2)", "POINT(5 5)", "POINT(4 5)", "POINT(22 1)",
    "POINT EMPTY", "POLYGON EMPTY", "MULTIPOLYGON EMPTY", "POINT Z(1 1 7)", "POINT ZM(1 1 7 8)",
    "POLYGON((1 1, 2 1, 2 2, 1 2, 1 1))", "POLYGON((0 0, 1 0, 1 1, 0 1, 0 0))",
    "POLYGON((3 3, 7 3, 7 7, 3 7, 3 3))", "POLYGON((4 4, 6 4, 6 6, 4 6, 4 4))",
    "POLYGON((3 3, 7 3, 7 7, 3 7, 3 3), (4 4, 4 6, 6 6, 6 4, 4 4))",
    "POLYGON((9 1, 11 1, 11 2, 9 2, 9 1))", "POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))",
    "POLYGON((10 0, 14 0, 14 4, 10 4, 10 0))", "POLYGON((12 1, 22 1, 22 2, 12 2, 12 1))",
    "POLYGON Z((1 21 0, 2 21 9, 2 22 0, 1 21 0))", "POLYGON M((1 1 5, 2 1 5, 2 2 5, 1 1 5))",
    "POLYGON ZM((1 1 5 6, 2 1 5 6, 2 2 5 6, 1 1 5 6))",
    "MULTIPOLYGON(((1 1, 2 1, 2 2, 1 1)), ((7 7, 8 7, 8 8, 7 7)))",
    "MULTIPOLYGON(((1 1, 2 1, 2 2, 1 1)), ((21 1, 22 1, 22 2, 21 1)))",
    "MULTIPOLYGON(((11 1, 12 1, 12 2, 11 1)), ((21 1, 22 1, 22 2, 21 1)))",
    "MULTIPOINT(1 1, 2 2)", "MULTIPOINT(1 1, 5 5)", "MULTIPOINT(0 0, 1 1)",
    "LINESTRING(1 1, 2 2)", "LINESTRING(0 0, 0 10)", "LINESTRING(3 5, 7 5)",
    "MULTILINESTRING((1 1, 2 2), (7 7, 8 8))", "POLYGON((1 1, 2 2, 1 2, 2 1, 1 1))",
    "POLYGON((3 1, 3 1, 3 1, 3 1))", "POLYGON((1e-300 1, 2 1, 2 2, 1e-300 1))",
] + [  # whose holes reach out of their shells: such a box is the shell's alone
    "POLYGON((1 1, 3 1, 3 3, 1 3, 1 1), (90 20, 92 20, 92 22, 90 22, 90 20))",
    "POLYGON((1 1, 3 1, 3 3, 1 3, 1 1), (21 1, 22 1, 22 2, 21 2, 21 1))",
    "POLYGON((15 1, 16 1, 16 2, 15 2, 15 1), (1 1, 2 1, 2 2, 1 2, 1 1))",
    "POLYGON((1 1, 3 1, 3 3, 1 3, 1 1), (2 2, 5 2, 5 3, 2 3, 2 2))",
    "POLYGON((4.5 4.5, 5.5 4.5, 5.5 5.5, 4.5 5.5, 4.5 4.5), (1 1, 2 1, 2 2, 1 2, 1 1))",
    "POLYGON((9 1, 11 1, 11 2, 9 2, 9 1), (1 1, 2 1, 2 2, 1 2, 1 1))",
    "POLYGON((16 1, 17 1, 17 2, 16 2, 16 1), (21 1, 22 1, 22 2, 21 2, 21 1))",
    "MULTIPOLYGON(((1 1, 2 1, 2 2, 1 2, 1 1), (3 1, 4 1, 4 2, 3 2, 3 1)), ((7 7, 8 7, 8 8, 7 8, 7 7)))",
    "MULTIPOLYGON Z(((1 21 0, 2 21 0, 2 22 0, 1 21 0), (3 31 0, 4 31 0, 4 32 0, 3 31 0)))",
    "POLYGON((31 1, 32 1, 32 2, 31 2, 31 1))", "POLYGON((50.5 0.5, 51 0.5, 51 1, 50.5 1, 50.5 0.5))",
    "POLYGON((39 1, 51 1, 51 2, 39 2, 39 1))", "POLYGON((41 0, 53 0, 53 3, 41 3, 41 0))",
] + [f"GEOMETRYCOLLECTION({members})" for members in (
    "POINT(1 1), POLYGON((1 1, 2 1, 2 2, 1 1))", "GEOMETRYCOLLECTION(POINT(1 1))",
    "POINT(1 1)", "POINT(5 5)", "POINT(0 1)", "POINT(0 1), POINT(1 1)", "POINT(1 1), POINT(5 5)",
    "POLYGON((1 1, 2 1, 2 2, 1 1))", "POLYGON((0 0, 1 0, 1 1, 0 0)), LINESTRING(0 5, 0 9)",
    "POLYGON((1 1, 2 1, 2 2, 1 1)), POLYGON((7 7, 8 7, 8 8, 7 7))",
    "POLYGON((1 1, 2 1, 2 2, 1 1)), POLYGON((21 1, 22 1, 22 2, 21 1))",
    "POLYGON((9 1, 11 1, 11 2, 9 2, 9 1)), POINT(1 1)", "POLYGON((12 1, 22 1, 22 2, 12 2, 12 1))",
    "LINESTRING(1 1, 2 2), LINESTRING(0 0, 0 10)", "LINESTRING(0 0, 0 10)", "LINESTRING(3 5, 7 5)",
    "LINESTRING(1 3, 12 3), POINT(5 5)", "POLYGON((3 3, 7 3, 7 7, 3 7, 3 3)), POINT(1 1)",
    "POLYGON((4 4, 6 4, 6 6, 4 6, 4 4)), POINT(1 1)", "MULTIPOINT(1 1, 2 2), POINT(10 2)",
    "GEOMETRYCOLLECTION(MULTIPOLYGON(((7 7, 8 7, 8 8, 7 7))), LINESTRING(1 1, 2 2)), POINT(3 1)",
    "GEOMETRYCOLLECTION EMPTY", "POLYGON EMPTY, POLYGON((1 1, 2 1, 2 2, 1 1))",
)] + [
    "GEOMETRYCOLLECTION EMPTY", "GEOMETRYCOLLECTION Z(POINT Z(1 21 5), LINESTRING Z(2 21 1, 3 22 2))",
]
# And those that it cannot: the WKT, or WKB in hex, with a word of the reason; "": not selected
# and no more is asked; None: PostGIS goes down on it, and the points it has are within.
REFUSED = [
    ("CIRCULARSTRING(1 1, 2 2, 3 1)", "unsupported"),
    ("CURVEPOLYGON(CIRCULARSTRING(1 1, 3 1, 3 3, 1 3, 1 1))", "unsupported"),
    ("TIN(((1 1, 2 1, 2 2, 1 1)))", "unsupported"),
    ("POINT(nan nan)", ""), ("POINT(nan 1)", ""), ("POINT(inf 1)", ""),
    ("LINESTRING(1 1, nan 2)", ""), ("LINESTRING(nan 2, 1 1)", "finite"), ("LINESTRING(1 1, 2 nan)", "finite"), ("POLYGON((1 1, 2 1, nan 2, 1 1))", "finite"),
    ("POLYGON((1 1, inf 1, 2 2, 1 1))", "finite"), ("POLYGON((1 1, 2 1, 2 -inf, 1 1))", "finite"),
    ("GEOMETRYCOLLECTION(POINT(1 1), CIRCULARSTRING(1 1, 2 2, 3 1))", "unsupported"),
    ("MULTIPOINT(1 1, EMPTY)", None), ("MULTIPOINT(EMPTY, EMPTY)", ""),
    ("GEOMETRYCOLLECTION(POINT(1 1), POINT EMPTY)", None),
]


def number(word):
    return {"nan": "'nan'", "inf": "'inf'", "-inf": "'-inf'"}.get(word, word) + "::float8"


def geometry(wkt):
    """SQL of a geometry; WKT cannot spell NaN and infinity."""
    if wkt is None:
        return "null"
    if "nan" not in wkt and "inf" not in wkt:
        return f"ST_GeomFromText('{wkt}', 4326)"
    kind, _, points = wkt.partition("(")
    made = ["ST_MakePoint(" + ", ".join(map(number, point.split())) + ")"
            for point in points.strip("()").split(",")]
    if kind == "POINT":
        return f"ST_SetSRID({made[0]}, 4326)"
    line = "ST_MakeLine(array[" + ", ".join(made) + "])"
    return f"ST_SetSRID({line if kind == 'LINESTRING' else f'ST_MakePolygon({line})'}, 4326)"


def make_tables():
    query("create table zipcode (id serial, zip text, boundary geometry);"
          "create table building (id int primary key, height float8, size float8,"
          " year_built int, use text, boundary geometry)")
    for zone, wkt in ZONES.items():
        query(f"insert into zipcode (zip, boundary) values ('{zone}', {geometry(wkt)})")
    for id, wkt in enumerate(ASKED):
        query(f"insert into building (id, boundary) values ({id}, {geometry(wkt)})")
    for id, (wkt, _) in enumerate(REFUSED):
        query(f"insert into building (id, boundary) values ({1000 + id}, {geometry(wkt)})")
    query("insert into building (id, boundary) values (2000, null);"
          "create index on building using gist (boundary); analyze building")


def compare(predicate, condition, ranks, result):
    what = f"{predicate}, {ranks} ranks:"
    selection = result.selection()
    check_same(what, [p for p in selection if int(p[1]) < 1000], pairs(
        f"select zip, b.id from zipcode z join (select * from building where id < 1000 offset 0)"
        f" b on {condition}"))
    rejected = {}
    for zone, building, reason in result.rejected():
        check(building not in rejected.setdefault(zone, {}), what, "rejected twice", building)
        rejected[zone][building] = reason
        check(reason, what, "no reason for", building)
    check(not any(int(id) < 1000 for zone in rejected for id in rejected[zone]),
          what, "PostGIS answers for what was rejected", rejected)
    for id, (wkt, word) in enumerate(REFUSED):
        id = str(1000 + id)
        reasons = [rejected[zone][id] for zone in rejected if id in rejected[zone]]
        zones = [zone for zone, building in selection if building == id]
        if word is None:
            check(zones == ["square"], what, wkt, "is in", zones, reasons)
        else:
            check(zones == [], what, wkt, "is in", zones)
        if word:
            check("square" in rejected and id in rejected["square"], what, wkt, "is not rejected")
            check(all(word in reason for reason in reasons), what, wkt, reasons)
    check(not any(building == "2000" for _, building in selection), what, "NULL is nowhere")
    result.check_accounts(what)


def make_odd(n):
    """Buildings of which some coordinate is NaN or infinite, in zones of which three are their own box."""
    random = Random(4)
    query("create table odd_zone (zip text, boundary geometry);"
          "create table odd (id int primary key, height float8, boundary geometry)")
    for zone, wkt in {**ZONES, "left": "MULTIPOLYGON(((0 0, 3 0, 3 9, 0 9, 0 0)))",
                      "right": "MULTIPOLYGON(((3 2, 9 2, 9 5, 3 5, 3 2)))",
                      "far": "MULTIPOLYGON(((1000 3, 1001 3, 1001 6, 1000 6, 1000 3)))"}.items():
        query(f"insert into odd_zone values ('{zone}', {geometry(wkt)})")

    def sequence(n_points):
        return [tuple(random.choice(("nan", "inf", "-inf")) if random.random() < 0.2
                      else str(random.randrange(10)) for _ in "xy") for _ in range(n_points)]

    def line(n_points):
        points = [f"ST_MakePoint({number(x)}, {number(y)})" for x, y in sequence(n_points)]
        return f"ST_MakeLine(array[{', '.join(points)}])"

    def polygon():
        """The first point comes again as the last."""
        return f"(select ST_MakePolygon(ST_AddPoint(l, ST_StartPoint(l))) from (select {line(3)}) q(l))"

    def one():
        kind = random.randrange(4)
        if kind == 0:
            return random.choice([f"ST_MakePoint({number(x)}, {number(y)})" for x, y in sequence(5)
                                  if (x, y) != ("nan", "nan")] or ["'POINT(1 1)'::geometry"])
        if kind == 3:  # a point of NaN alone is an empty one, outside its server
            return f"ST_Collect(array[{', '.join(random.choice((line(2), polygon())) for _ in range(3))}])"
        return line(2 + random.randrange(3)) if kind == 1 else polygon()

    query("".join(f"insert into odd values ({id}, {id % 7}, ST_SetSRID({one()}, 4326));" for id in range(n)))
    query("create table bare as select * from odd; create view seen as select * from odd;"
          "create index on odd using gist (boundary); analyze odd; analyze bare")


def odd():
    """Those buildings are rejected where PostGIS's && finds them, wherever they come from."""
    make_odd(600)
    job = dict(zones__table="odd_zone", buildings__fields="height", statistics={"n": "count"})
    wanted = pairs("""set enable_indexscan = off; set enable_bitmapscan = off;
      select zip, b.id from odd_zone z join odd b on b.boundary && z.boundary""")
    plain = set(pairs("""select zip, b.id from odd_zone z join odd b on b.boundary && z.boundary
      where ST_AsText(b.boundary) !~* 'nan|inf'"""))
    store, little = (os.path.join(folder, f"{name}.store.h5") for name in ("odd", "file"))
    rooftally("stage", write_job("odd", **job, buildings__table="bare"), "-o", store, "--quiet")
    ways = {"index": dict(source__fetch="index"), "scan": dict(source__fetch="scan"),
            "no index": dict(source__fetch="index", buildings__table="bare"),
            "a view": dict(source__fetch="index", buildings__table="seen"),
            "a store": dict(source={"kind": "store", "path": store})}
    if shutil.which("ogr2ogr") and "no GDAL" not in rooftally("--version").stdout:
        files = {"zones__path": os.path.join(folder, "odd_zone.gpkg"), "buildings__path": os.path.join(folder, "odd.fgb")}
        for path, table, driver, option in zip(files.values(), ("odd_zone", "odd"), ("GPKG", "FlatGeobuf"),
                                               ("FID=number", "SPATIAL_INDEX=NO")):
            subprocess.run(["ogr2ogr", "--config", "PGSQL_OGR_FID", "none", "-f", driver, path, "PG:", "-sql", f"select * from {table}",
                            "-nln", table, "-nlt", "GEOMETRY", "-lco", option], check=True, env=environment)
        rooftally("stage", write_job("files", **{**job, **files, "source": {"kind": "vector"}}), "-o", little, "--quiet")
        ways["a file"] = dict(source={"kind": "store", "path": little})
    # FlatGeobuf has a point for empty as soon as one ordinate is NaN
    empty = {row[0] for row in query("select id from odd where GeometryType(boundary) = 'POINT' and"
                                     " ST_AsText(boundary) ~* 'nan'")}
    first = None
    for way, changes in ways.items():
        for ranks in (1, 3) if way in ("index", "a store") else (1,):
            result = run("odd", ranks, **{**job, "buildings__table": "odd", **changes})
            result.check_accounts(way)
            first = first or result
            seen, wanted_here = contents(result), contents(first)
            check(seen.keys() == wanted_here.keys(), way, "other datasets")
            for path in seen:
                if way != "a file" or not path.startswith("rejected/"):
                    check(seen[path] == wanted_here[path], way, ranks, "ranks: differs in", path)
            if way == "a file":
                check(result.rejected() == [row for row in first.rejected() if row[1] not in empty], way, "rejects others")
    rejected = {(zone, building) for zone, building, _ in first.rejected()}
    boxes = ("left", "right", "far")
    check_same("rejected is what && finds", [pair for pair in rejected if pair[0] in boxes],
               [pair for pair in wanted if pair[0] in boxes and pair not in plain])
    check(rejected <= set(wanted) and len(rejected) > 300, "rejected:", len(rejected), "of", len(wanted))
    check({zone for zone, _ in rejected} == {*boxes, "square", "islands", "spilt", "high"}, "zones with rejected ones")


def odd_zones():
    """What is wrong with a zone is said as it is, and --resume is promised where it helps."""
    query("""create table split as select 'z' || n as zip, ST_SetSRID(ST_MakeEnvelope(2 * n, 0, 2 * n + 2, 9), 4326) as boundary
      from generate_series(1, 5) n; create table whole as select * from split""")
    store, output = (os.path.join(folder, name) for name in ("split.store.h5", "split.h5"))
    for odd in ("nan", "inf"):
        query(f"""update split set boundary = ST_SetSRID(ST_MakePolygon(ST_MakeLine(array[ST_MakePoint(6, 0),
          ST_MakePoint({number(odd)}, 9), ST_MakePoint(8, 0), ST_MakePoint(6, 0)])), 4326) where zip = 'z3'""")
        done = rooftally("stage", write_job("split", zones__table="split", statistics={"n": "count"}), "-o", store, status=None)
        check(done.returncode in (1, 2) and "zone 'z3': a coordinate is NaN or infinite: repair it" in done.stderr
              and "not a polygon" not in done.stderr, "staging a zone with", odd, done.stderr)
        for ranks, fetch in ((1, "index"), (3, "index"), (1, "auto")):
            changes = dict(zones__table="split", source__fetch=fetch, statistics={"n": "count"})
            job = write_job("split", **changes)
            done = rooftally("run", job, "-o", output, "--force", "--quiet", ranks=ranks, status=None)
            check(done.returncode == 1 and "zone z3: its geometry: a coordinate is NaN or infinite: repair it" in done.stderr
                  and ("zones are finished: once that is repaired, rooftally run --resume goes on" in done.stderr
                       or "zones are finished" not in done.stderr), "a zone with", odd, fetch, done.stderr)
            for _ in range(4):  # a rank that was dealt a zone, and not begun with it, drops it
                done = rooftally("run", job, "-o", output, "--resume", "--quiet", ranks=ranks, status=None)
                if "4 of 5 zones" in done.stderr:
                    break
            check(done.returncode == 1 and "4 of 5 zones are finished: once that is repaired" in done.stderr,
                  "goes on with", odd, fetch, done.stderr)
        query("update split s set boundary = w.boundary from whole w where s.zip = w.zip")
        rooftally("run", job, "-o", output, "--resume", "--quiet")
        check(contents(Result(output)) == contents(run("whole", **changes)), "going on with what is repaired")
        os.remove(output)


def no_ids():
    """Buildings whose id is null are rejected where their boxes meet a zone's, and stop nothing."""
    query("""create table unnamed (like building); alter table unnamed alter id drop not null;
      insert into unnamed (id, height, boundary) select case when n % 10 <> 0 then n end, n,
        ST_SetSRID(case n % 4 when 0 then ST_Point(n % 23 + 0.5, n % 7 + 0.25)
          when 1 then ST_MakeEnvelope(n % 23, n % 7, n % 23 + 0.5, n % 7 + 0.5)
          when 2 then ST_Collect(ST_Point(n % 23, n % 7), ST_Point(n % 23 + 1, n % 7))
          else 'CURVEPOLYGON(CIRCULARSTRING(0 0,4 0,4 4,0 4,0 0))' end, 4326) from generate_series(1, 400) n;
      insert into unnamed (boundary) values (null), ('SRID=4326;POINT(nan 1)'), ('SRID=4326;POLYGON EMPTY');
      create table unnamed_text as select 'b' || id as id, height, boundary from unnamed;
      create index on unnamed using gist (boundary); create index on unnamed_text using gist (boundary);
      analyze unnamed; analyze unnamed_text""")
    wanted = query("""select zip, count(*) from zipcode z join unnamed b
      on ST_Intersects(ST_Envelope(b.boundary), z.boundary) where b.id is null and height is not null group by 1 order by zip collate "C" """)
    for table, missing in (("unnamed", "-9223372036854775806"), ("unnamed_text", "")):
        store = os.path.join(folder, f"{table}.store.h5")
        job = dict(buildings__table=table, buildings__fields="height",
                   statistics={"n": "count", "tall": "sum(height)"})
        rooftally("stage", write_job(table, **job), "-o", store, "--quiet", ranks=2)
        for where in (None, "id is null", "not (id < 'b2')" if missing == "" else "not (id < 100)", "height > 200"):
            first = None
            for way, changes in {"index": dict(source__fetch="index"), "scan": dict(source__fetch="scan"),
                                 "a store": dict(source={"kind": "store", "path": store})}.items():
                for ranks in (1, 3):
                    result = run("unnamed", ranks, **{**job, **changes}, buildings__where=where)
                    result.check_accounts(way)
                    first = first or result
                    check(contents(result) == contents(first), table, where, way, ranks, "ranks: another result")
            found = [row for row in first.rejected() if row[2] == "no id"]
            check(all(building == missing for _, building, _ in found), "what stands for no id", found[:3])
            check(not any(building == missing for _, building, reason in first.rejected() if reason != "no id"),
                  "another reason than no id")
            check((len(found) > 0) == (where is None or where != "not (id < 100)" and "b2" not in where),
                  where, len(found), "without an id")
            if where is None:
                counted = Counter(zone for zone, _, _ in found)
                check_same("rejected for no id", counted.items(), [(zip, int(n)) for zip, n in wanted])
        for changes in (dict(source__fetch="index"), dict(source__fetch="scan"),
                        dict(source={"kind": "store", "path": store})):
            done = rooftally("run", write_job("unnamed", **{**job, **changes}, buildings__invalid="fail",
                             buildings__where="id is null"), "-o",
                             os.path.join(folder, "never.h5"), "--force", "--quiet", status=None)
            check(done.returncode == 1 and "a building: no id: [buildings] invalid = skip rejects it" in done.stderr, "invalid = fail", done.stderr)
    done = rooftally("run", write_job("unnamed", **job), "-o", result.path, "--force")
    check("no id" in done.stdout + done.stderr, "the summary tells the reason", done.stdout)


use_database("geometry_kinds")
make_tables()
for predicate, condition in {
    "within": "ST_Within(b.boundary, z.boundary)",
    "intersects": "ST_Intersects(b.boundary, z.boundary)",
    "centroid": "b.boundary && z.boundary and ST_Within(ST_Centroid(b.boundary), z.boundary)",
}.items():
    for ranks in (1, 3):
        result = run("kinds", ranks, buildings__predicate=predicate,
                     statistics={"buildings": "count", "built_up": "coverage",
                                 "edge": "sum(perimeter_m)", "points": "sum(vertices)"})
        check(result.zones == sorted(ZONES), "zones")
        compare(predicate, condition, ranks, result)
    store = os.path.join(folder, "kinds.store.h5")
    rooftally("stage", write_job("kinds"), "-o", store, "--force", "--quiet")
    for way, changes in {"scan": dict(source__fetch="scan"),
                         "a store": dict(source={"kind": "store", "path": store})}.items():
        other = run("kinds", 1, buildings__predicate=predicate, **changes)
        check(other.selection() == result.selection() and other.rejected() == result.rejected(),
              predicate, way, "differs from an index")

# nor does a store that is staged from a file, of buildings that their boxes say too little of
if shutil.which("ogr2ogr") and "no GDAL" not in rooftally("--version").stdout:
    query("""create table odd_hole as select id, boundary from building where id < 1000
               and GeometryType(boundary) like '%POLYGON' and not ST_IsValid(boundary);
             create table shown as select zip, boundary from zipcode where not ST_IsEmpty(boundary);
             create index on odd_hole using gist (boundary)""")
    files = {"zones__path": os.path.join(folder, "shown.gpkg"), "buildings__path": os.path.join(folder, "hole.gpkg")}
    for path, table in zip(files.values(), ("shown", "odd_hole")):
        subprocess.run(["ogr2ogr", "--config", "PGSQL_OGR_FID", "none", "-f", "GPKG", path, "PG:", "-sql",
                        f"select * from {table}", "-nln", table, "-nlt", "GEOMETRY", "-lco", "FID=number"],
                       check=True, env=environment)
    job = dict(zones__table="shown", buildings__table="odd_hole", buildings__fields=None, statistics={"n": "count"})
    store = os.path.join(folder, "hole.store.h5")
    rooftally("stage", write_job("file", **{**job, **files, "source": {"kind": "vector"}}), "-o", store, "--quiet")
    for predicate in ("within", "intersects", "centroid"):
        seen = [run("file", 1, **{**job, **changes}, buildings__predicate=predicate)
                for changes in ({}, dict(source={"kind": "store", "path": store}))]
        check(len(seen[0].selection()) > 3 and seen[0].selection() == seen[1].selection()
              and seen[0].rejected() == seen[1].rejected(), predicate, "a file differs from an index",
              seen[0].selection(), seen[1].selection())

# the summary counts by reason, wherever in its geometry a building has its fault
done = rooftally("run", write_job("kinds"), "-o", result.path, "--force", ranks=3)
rejected = Counter(reason.partition("[")[0].strip() for _, _, reason in
                   Result(result.path).rejected())
listed = {words[1]: int(words[0]) for words in (line.strip().split("  ", 1) for line in
                                                done.stdout.splitlines())
          if len(words) == 2 and words[0].isdigit()}
n_others = listed.pop("for other reasons", 0)
check(len(rejected) > 1, "there are several reasons:", rejected)
check(all(rejected[reason] == n for reason, n in listed.items()), "the summary lists", listed,
      "where there are", rejected)
check(sum(listed.values()) + n_others == rejected.total(), "the summary adds up to", listed,
      n_others)
check(len(listed) == min(12, len(rejected)), "the summary leaves out reasons:", listed)
odd()
odd_zones()
no_ids()
finish()
