#!/usr/bin/python3
"""Every kind of geometry a table may hold: no crash, PostGIS's answer or a reason."""

import os
import sys
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

# The zones: a square with a hole, two islands, an empty one, one without geometry.
ZONES = {
    "square": "MULTIPOLYGON(((0 0, 10 0, 10 10, 0 10, 0 0), (4 4, 6 4, 6 6, 4 6, 4 4)))",
    "islands": "MULTIPOLYGON(((10 0, 14 0, 14 4, 10 4, 10 0)), ((20 0, 24 0, 24 4, 20 4, 20 0)))",
    "high": "MULTIPOLYGON Z(((0 20 1, 9 20 2, 9 29 3, 0 29 4, 0 20 1)))",
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
    ("LINESTRING(1 1, nan 2)", "finite"), ("POLYGON((1 1, 2 1, nan 2, 1 1))", "finite"),
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


use_database("geometry_kinds")
make_tables()
for predicate, condition in {
    "within": "ST_Within(b.boundary, z.boundary)",
    "intersects": "ST_Intersects(b.boundary, z.boundary)",
    "centroid": "ST_Within(ST_Centroid(b.boundary), z.boundary)",
}.items():
    for ranks in (1, 3):
        result = run("kinds", ranks, buildings__predicate=predicate,
                     statistics={"buildings": "count", "built_up": "coverage",
                                 "edge": "sum(perimeter_m)", "points": "sum(vertices)"})
        check(result.zones == sorted(ZONES), "zones")
        compare(predicate, condition, ranks, result)

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
finish()
