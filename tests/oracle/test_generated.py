#!/usr/bin/python3
"""A generated state of 200,000 buildings: selections against PostGIS, every statistic against
PostgreSQL's own aggregate."""

import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

FILTER = "height > 10 and use <> 'shed'"
FIELDS = "height, size, volume = height * size, year_built, use"

# name: (in the job, in SQL over the selection of a zone)
EXACT = {
    "buildings": ("count", "count(*)"),
    "known": ("count(size)", "count(size)"),
    "lowest": ("min(height)", "min(height)"),
    "highest": ("max(height)", "max(height)"),
    "oldest": ("min(year_built)", "min(year_built)"),
    "newest": ("max(year_built)", "max(year_built)"),
    "years": ("range(year_built)", "max(year_built) - min(year_built)"),
    "common": ("mode(year_built)", "mode() within group (order by year_built)"),
    "kinds": ("variety(use)", "count(distinct use)"),
    "ages": ("variety(year_built)", "count(distinct year_built)"),
}
# PostgreSQL adds float8 in the order of the rows, we add exactly: n additions of positive
# numbers differ by at most n * 2^-53 = 2e-12 for the 20,000 buildings of a zone, and in fact by
# its square root, 2e-14. The differences inside the variance lose two more digits.
SUMS = {
    "total": ("sum(size)", "sum(size)"),
    "bulk": ("sum(volume)", "sum(height * size)"),
    "mean_size": ("mean(size)", "avg(size)"),
    "mean_year": ("mean(year_built)", "avg(year_built)"),
    "span": ("range(height)", "max(height) - min(height)"),
    "spread": ("stddev(size)", "stddev_samp(size)"),
    "scatter": ("variance(height)", "var_samp(height)"),
    "relative": ("cv(size)", "stddev_samp(size) / avg(size)"),
    "middle": ("median(height)", "percentile_cont(0.5) within group (order by height)"),
    "p90": ("quantile(size, 0.9)", "percentile_cont(0.9) within group (order by size)"),
    "p0": ("quantile(size, 0)", "percentile_cont(0) within group (order by size)"),
    "p100": ("quantile(size, 1)", "percentile_cont(1) within group (order by size)"),
    "quarters": ("iqr(size)", "percentile_cont(0.75) within group (order by size)"
                              " - percentile_cont(0.25) within group (order by size)"),
    "weighted": ("weighted_mean(height, size)",
                 "sum(height * size) / sum(size) filter (where height is not null)"),
}
# Our geodesic area (PROJ) and PostGIS's (its own sphere-and-integral code) are different methods.
AREAS = {
    "per_km2": ("density", "count(*) / (ST_Area(z.boundary::geography) / 1e6)"),
    "built_up": ("coverage",
                 "sum(ST_Area(b.boundary::geography)) / ST_Area(z.boundary::geography)"),
}
OTHERS = {
    "common_use": "mode(use)",
    "rare_use": "minority(use)",
    "rare_year": "minority(year_built)",
    "uses": "frequency(use)",
    "years_built": "frequency(year_built)",
    "heights": "histogram(height, 0, 100, 20)",
    "narrow": "histogram(height, 12.5, 15, 7)",
    "tallest": "top(height, 5)",
}
# The selection as the statistics see it, in one table.
SELECTED = f"""create table selected as
  select zip, b.* from zipcode z join building b on ST_Within(b.boundary, z.boundary)
  where {FILTER}"""


def number(text):
    return math.nan if text == NULL else float(text)


def is_near(seen, wanted, tolerance):
    if math.isnan(seen) or math.isnan(wanted):
        return math.isnan(seen) and math.isnan(wanted)
    return abs(seen - wanted) <= tolerance * abs(wanted)


def selections():
    cases = {
        "within": "ST_Within(b.boundary, z.boundary)",
        "intersects": "ST_Intersects(b.boundary, z.boundary)",
        "centroid": "ST_Within(ST_Centroid(b.boundary), z.boundary)",
    }
    for predicate, condition in cases.items():
        for where in (None, FILTER):
            result = run("generated", 3, buildings__predicate=predicate, buildings__where=where)
            check_same(f"{predicate} where {where}", result.selection(), pairs(
                f"select zip, b.id from zipcode z join building b on {condition}"
                f" where {where or 'true'}"))
            result.check_accounts(f"{predicate} where {where}")


def aggregates(result):
    """Every statistic that is one number, in one query."""
    scalar = {**EXACT, **SUMS, **AREAS}
    columns = ", ".join(f"{sql} as {name}" for name, (_, sql) in scalar.items())
    rows = query(f"""select z.zip, {columns} from zipcode z left join selected b using (zip)
                     where b.id is not null group by z.zip, z.boundary""")
    wanted = {row[0]: dict(zip(scalar, row[1:])) for row in rows}
    values = {name: result[f"/{name}"] for name in scalar}
    n_empty = 0
    for z, zone in enumerate(result.zones):
        for name in scalar:
            seen = float(values[name][z])
            if zone not in wanted:
                counts = name in ("buildings", "known", "kinds", "ages", "per_km2", "built_up")
                missing = math.isnan(seen) or values[name][z] == FILL_INTEGER
                check(seen == 0 if name == "buildings" else missing or counts and seen == 0,
                      f"{name} of the empty zone {zone}:", seen)
                n_empty += name == "buildings"
                continue
            tolerance = 0 if name in EXACT else 1e-6 if name in AREAS else 1e-12
            check(is_near(seen, number(wanted[zone][name]), tolerance),
                  f"{name} of {zone}: {seen!r}, PostgreSQL has {wanted[zone][name]}")
    check(n_empty > 0, "there is no empty zone in the test")


def exact_sums(result):
    """Sums are exact and rounded once: the bits of math.fsum."""
    sizes = {}
    for zone, size in query("select zip, size from selected where size is not null"):
        sizes.setdefault(zone, []).append(float(size))
    for zone, total in zip(result.zones, result["/total"]):
        if zone in sizes:
            check(total == math.fsum(sizes[zone]), "sum of", zone, total, math.fsum(sizes[zone]))


def groups(result):
    """frequency, mode and minority (ties: the least value), bins, the top."""
    for name, field in (("uses", "use"), ("years_built", "year_built")):
        categories = texts(result[f"/{name}_category"])
        check(categories == sorted(categories, key=lambda c: c if field == "use" else int(c)),
              name, "categories are sorted")
        counts = result[f"/{name}"]
        seen = [(zone, category, str(counts[z, c])) for z, zone in enumerate(result.zones)
                for c, category in enumerate(categories) if counts[z, c]]
        wanted = pairs(f"select zip, {field}, count(*) from selected where {field} is not null"
                       " group by 1, 2")
        check_same(f"frequency({field})", seen, wanted)
    for name, field, order in (("common_use", "use", "desc"), ("rare_use", "use", "asc"),
                               ("rare_year", "year_built", "asc")):
        wanted = dict(query(f"""
            select distinct on (zip) zip, {field} from (
              select zip, {field}, count(*) as n from selected where {field} is not null
              group by 1, 2) q order by zip, n {order}, {field} collate "C" """
                            .replace('collate "C"', 'collate "C"' if field == "use" else "")))
        kind = str if field == "use" else float
        for zone, value in zip(result.zones, texts(result[f"/{name}"])):
            check(zone not in wanted or kind(value) == kind(wanted[zone]), name, zone, value,
                  wanted.get(zone))
    for name, low, high, n in (("heights", 0, 100, 20), ("narrow", 12.5, 15, 7)):
        seen = [(zone, str(b + 1), str(count)) for zone, row in zip(result.zones,
                result[f"/{name}"]) for b, count in enumerate(row) if count]
        wanted = pairs(f"""
            select zip, bin, count(*) from (
              select zip, width_bucket(height, {low}, {high}, {n}) as bin from selected) q
            where bin between 1 and {n} group by 1, 2""")
        check_same(f"histogram {name}", seen, wanted)
        edges = result[f"/{name}_edges"]
        check(len(edges) == n + 1 and edges[0] == low and edges[-1] == high, name, "edges")
    wanted = {}
    for zone, height, building in query("""
            select zip, height, id from (select zip, height, id, row_number() over
              (partition by zip order by height desc, id) as n from selected
              where height is not null) q where n <= 5 order by zip, n"""):
        wanted.setdefault(zone, []).append((float(height), building))
    for zone, heights, ids in zip(result.zones, result["/tallest"], result["/tallest_id"]):
        seen = [(h, str(i)) for h, i in zip(heights, ids) if not math.isnan(h)]
        check(seen == wanted.get(zone, []), "tallest of", zone, seen, wanted.get(zone))


use_database("generated")
generate(100, 200000, 7)
query("""insert into zipcode select max(id) + 1, '00000', 'nowhere', 'MA',
           ST_Multi(ST_MakeEnvelope(10, 10, 10.1, 10.1, 4326)) from zipcode;
         insert into zipcode select max(id) + 1, 'Z', 'beyond', 'MA',
           ST_Multi(ST_MakeEnvelope(20, 10, 20.1, 10.1, 4326)) from zipcode""")
query(SELECTED)
selections()
result = run("statistics", 3, buildings__fields=FIELDS, buildings__where=FILTER,
             statistics={**{name: text for name, (text, _) in {**EXACT, **SUMS, **AREAS}.items()},
                         **OTHERS})
check(result.zones == sorted((row[0] for row in query("select zip from zipcode")),
                             key=str.encode), "zones are sorted bytewise")
aggregates(result)
exact_sums(result)
groups(result)
finish()
