#!/usr/bin/python3
"""Ids and fields of every type, NULL everywhere: what is selected is what PostgreSQL holds."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

# column: (type, values in turn, SQL that gives what the result holds as text)
SECONDS = "extract(epoch from {})"
COLUMNS = {
    "a_small": ("smallint", "-32768, 0, 32767"),
    "an_int": ("integer", "-2147483648, 7, 2147483647"),
    "a_big": ("bigint", "-9223372036854775807, 7, 9223372036854775807"),
    "a_real": ("real", "0.1, -1e30, 3"),
    "a_double": ("double precision", "0.1, -1e300, 5e-324"),
    "a_numeric": ("numeric(30, 10)", "0.1, -12345678901234567890.5, 3"),
    "a_bool": ("boolean", "true, false, true"),
    "a_text": ("text", "'', 'O''Brien \"façade\"', repeat('long', 50)"),
    "a_varchar": ("varchar(20)", "'a', 'ä', '10%'"),
    "a_char": ("char(5)", "'x', 'xyzzy', 'ab'"),
    "a_name": ("name", "'one', 'two', 'three'"),
    "a_uuid": ("uuid", "'00000000-0000-0000-0000-00000000000a', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    "a_date": ("date", "'1969-12-31', '2026-11-22', '0044-03-15 BC'"),
    "a_timestamp": ("timestamp", "'1969-12-31 23:59:59.999999', '2026-11-22 10:38:40', '1970-01-01'"),
    "a_timestamptz": ("timestamptz", "'2026-11-22 10:38:40+02', '1970-01-01 00:00+00', '2000-02-29 12:00-05'"),
}
AS_STORED = {  # as integers or texts that h5py shows; the rest as they are
    "boolean": "{}::int", "date": "{} - date '1970-01-01'", "char(5)": "{}::text",
    "timestamp": "(extract(epoch from {}) * 1000000)::bigint",
    "timestamptz": "(extract(epoch from {}) * 1000000)::bigint",
    "real": "{}::float8", "numeric(30, 10)": "{}::float8",
}
IDS = {  # type: SQL of the id of building n
    "smallint": "n::smallint", "integer": "n - 60", "bigint": "n * 100000000000",
    "text": "n::text", "varchar(40)": "lpad(n::text, 1 + n % 12, '0') || chr(8364)",
    "uuid": "md5(n::text)::uuid", "char(8)": "n::char(8)",
}
ZONE_IDS = {
    "text": ["02139", "2139", "00000", "B", "a", "é", "Z"],
    "integer": ["9", "10", "-5", "100", "0", "7", "11"],
    "varchar(10)": ["x 1", "x'1", "x;1", '"', "%", "0", "-"],
    "uuid": [f"{i:08x}-0000-4000-8000-000000000000" for i in (5, 1, 0xF0000000, 2, 9, 3, 4)],
}

def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def make_tables(id_type, zone_type):
    values = ", ".join(f"({i}, {quoted(zone)})" for i, zone in enumerate(ZONE_IDS[zone_type]))
    columns = ", ".join(
        f"case n % 4 when 0 then null else (array[{values_of}]::{kind}[])[n % 4] end::{kind}"
        f" as {name}" for name, (kind, values_of) in COLUMNS.items())
    query(f"""drop table if exists zipcode, building;
      create table zipcode as select zip::{zone_type} as zip,
        ST_Multi(ST_MakeEnvelope(n, 0, n + 1, 1, 4326))::geometry(MultiPolygon, 4326) as boundary
        from (values {values}) v(n, zip);
      create table building as select ({IDS[id_type]})::{id_type} as id, {columns},
        ST_SetSRID(ST_Point(n % 7 + 0.5, 0.3), 4326)::geometry(Point, 4326) as boundary
        from generate_series(1, 120) n;
      create index on building using gist (boundary)""")


def as_text(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, numpy.floating):
        return NULL if numpy.isnan(value) else repr(float(value))
    return NULL if value == FILL_INTEGER else str(value)


def compare_ids(id_type, zone_type, ranks):
    result = run("types", ranks, buildings__fields="same = case when true then 1 end",
                 statistics={"buildings": "count", "first": "top(same, 1)"})
    what = f"zones by {zone_type}, buildings by {id_type}, {ranks} ranks:"
    check(result.zones == sorted(ZONE_IDS[zone_type], key=str.encode), what, result.zones)
    within = result.selection()
    check_same(what, within, pairs("select zip, id::text from zipcode z join building b"
                                   " on ST_Within(b.boundary, z.boundary)"))
    order = int if "int" in id_type else str.encode
    check(within == sorted(within, key=lambda p: (p[0].encode(), order(p[1]))), what, "sorted")
    first = [min((b for z, b in within if z == zone), key=order) for zone in result.zones]
    check(texts(result["/first_id"][:, 0]) == first, what, "ties break by id")


def compare_fields(ranks):
    result = run("fields", ranks, buildings__fields=", ".join(COLUMNS),
                 buildings__keep="id, " + ", ".join(COLUMNS),
                 statistics={f"n_{name}": f"count({name})" for name in COLUMNS})
    names = list(COLUMNS)
    wanted = query("select b.id, " + ", ".join(
        AS_STORED.get(kind, "{}").format(name) for name, (kind, _) in COLUMNS.items())
        + " from zipcode z join building b on ST_Within(b.boundary, z.boundary)"
        + ' order by zip collate "C", b.id')
    for column, name in enumerate(names):
        kind = COLUMNS[name][0]
        stored = result[f"/selection/{name}"]
        seen = [as_text(value) for value in stored]
        sql = [row[column + 1] for row in wanted]
        if stored.dtype.kind == "f":
            sql = [value if value == NULL else repr(float(value)) for value in sql]
        if stored.dtype.kind == "S":  # a text that is null and one that is empty look the same
            sql = ["" if value == NULL else value for value in sql]
        check(seen == sql, name, kind, ranks, "ranks:",
              [(a, b) for a, b in zip(seen, sql) if a != b][:3])
        n_valid = sum(row[column + 1] != NULL for row in wanted)
        check(result[f"/n_{name}"].sum() == n_valid, "count of", name)
    for name, unit in (("a_date", "days since 1970-01-01"),
                       ("a_timestamp", "microseconds since 1970-01-01")):
        units = result.file[f"/selection/{name}"].attrs["units"]
        units = units.decode() if isinstance(units, bytes) else units
        check(units.startswith(unit), name, "units", units)


FILTERS = ["a_date < '2000-01-01'", "a_timestamp >= '1970-01-01 00:00:00'",
           "a_bool", "not a_bool", "a_text like 'O%'", "a_text is null", "a_text = ''",
           "a_uuid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a_char = 'ab'",
           "a_real = 0.1", "a_numeric > 0.05", "a_big between 0 and 10",
           "a_name in ('one', 'three')", "a_small + an_int > 0", "round(an_int) / 4 > 1",
           "floor(a_small) / 65534 >= 0.5"]


def compare_filters():
    for where in FILTERS:
        result = run("filters", buildings__fields=None, buildings__where=where)
        check_same(where, result.selection(), pairs(
            f"select zip, b.id from zipcode z join building b"
            f" on ST_Within(b.boundary, z.boundary) where {SQL.get(where, where)}"))


# In the job's language a text is compared as it is and a real in double precision.
SQL = {"a_uuid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'":
       "a_uuid::text = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
       "a_char = 'ab'": "a_char::text = 'ab'", "a_real = 0.1": "a_real::float8 = 0.1",
       "a_small + an_int > 0": "a_small::bigint + an_int > 0"}

def compare_names():
    """Names in either case reach the column that they name in SQL, or the only one there is."""
    query('''drop table if exists zipcode, building;
      create table zipcode as select 'z' as "Zip", ST_MakeEnvelope(0, 0, 9, 9, 4326) as "Boundary";
      create table building as select n as "OSM_ID", n as height, n % 3 as "Height", n % 4 as "USE",
        ST_SetSRID(ST_Point(n % 7 + 0.5, 0.3), 4326) as "Geom" from generate_series(1, 40) n''')
    for quote in "", '"':
        for kept in "id", "osm_id", '"OSM_ID"':
            result = run("names", 1, zones__id=f"{quote}Zip{quote}",
                         zones__geometry=f"{quote}Boundary{quote}",
                         buildings__id=f"{quote}OSM_ID{quote}",
                         buildings__geometry=f"{quote}Geom{quote}",
                         buildings__fields='HEIGHT, "Height", use, Vol = "Height" * 2, "a b" = Vol',
                         buildings__where='Vol > 1 and USE < 3 and "USE" >= 0',
                         buildings__keep=f'{kept}, VOL, Use, "a b", Height, "Height"',
                         statistics={"vol": "sum(Vol)", "n": "frequency(USE)", "low": "sum(HEIGHT)",
                                     "high": 'sum("Height")'})
            wanted = query('''select "OSM_ID", "Height" * 2, "USE", "Height" * 2, height, "Height"
              from building where "Height" * 2 > 1 and "USE" < 3 order by 1''')
            names = ["id", "Vol", "USE", "a b", "height", "Height"]
            rows = zip(*(map(str, result[f"/selection/{name}"]) for name in names))
            check(list(map(list, rows)) == list(map(list, wanted)), kept, "by any name")
            for name, column in ("vol", 1), ("low", 4), ("high", 5):
                check(result[f"/{name}"][0] == sum(int(row[column]) for row in wanted), name)


# What a search_path with public in front of pg_catalog would lead to, in each kind of name.
OTHERS = """
  create function public.wrong(float8, float8) returns float8 language sql as 'select -777.0::float8';
  create function public.wrong(bigint, bigint) returns bigint language sql as 'select -777::bigint';
  create function public.never(float8, float8) returns boolean language sql as 'select false';
  create function public.never(bigint, bigint) returns boolean language sql as 'select false';
  create function public.never(text, text) returns boolean language sql as 'select false';
  create function public.never(date, date) returns boolean language sql as 'select false';
  create function public.abs(float8) returns float8 language sql as 'select -777.0::float8';
  create function public.round(float8) returns float8 language sql as 'select -777.0::float8';
  create function public.count() returns bigint language sql as 'select -777::bigint';
  create function public.current_database() returns name language sql as $$select 'wrong'::name$$;
  create function public.current_setting(text) returns text language sql as $$select '-777'$$;
  create collation public."C" (locale = 'C.UTF-8');
  create domain public.text as varchar(3);
  create domain public.date as timestamp;
  create domain public.float8 as real;
  create domain public.int8 as smallint;
  create domain public.bool as boolean check (value)"""
OTHERS += "".join(f"; create operator public.{operator} (function = public.wrong, leftarg = {kind},"
                  f" rightarg = {kind})" for operator in "+-*/" for kind in ("float", "bigint"))
OTHERS += "".join(f"; create operator public.{operator} (function = public.never, leftarg = {kind}, rightarg = {kind})"
                  for kind, operators in {"float": "= <> < <= > >=", "bigint": "= <> < <= > >=",
                                          "pg_catalog.text": "= <> < > ~~", "pg_catalog.date": "= <> < > <= >="}.items()
                  for operator in operators.split())
REACHED = {
    "size": "abs(a_double) + round(a_real * 2) / 8 - a_numeric",
    "whole": "-a_big / 3 + an_int * 2",
    "kind": "case when a_text = '' then 'empty' else a_varchar end",
    "age": "a_date - '1970-01-01'",
}
REACHED_WHERE = ("(a_text like '%' or a_text is null) and coalesce(a_date >= '1900-01-01' and a_date <= '2100-01-01'"
                 " and a_small in (0, 32767) and a_double < 1e300 and a_name <> 'x', true)")


def compare_search_path():
    """Names in our statements are those of pg_catalog, whatever the search_path finds first."""
    changes = dict(buildings__fields=", ".join(f"{name} = {text}" for name, text in REACHED.items()),
                   buildings__keep="id, " + ", ".join(REACHED), buildings__where=REACHED_WHERE,
                   zones__where="zip <> 'x'", statistics={"buildings": "count", "total": "sum(whole)"})
    wanted = contents(run("plain", **changes))
    query(OTHERS)
    environment["PGOPTIONS"] = "-c search_path=public,pg_catalog"
    for way in "index", "scan":
        seen = contents(run(f"reached_{way}", source__fetch=way, ranks=2, **changes))
        check(seen == wanted, way, "under a search_path of its own",
              [name for name in wanted if seen.get(name) != wanted[name]])
    store = os.path.join(folder, "reached.store.h5")
    rooftally("stage", write_job("reached", **changes), "-o", store, "--quiet")
    seen = contents(run("reached_store", source={"kind": "store", "path": store}, **changes))
    check(seen == wanted, "store", [name for name in wanted if seen.get(name) != wanted[name]])
    plan = rooftally("plan", write_job("reached", **changes)).stdout
    check("pg_catalog" not in plan, "plan's statements can be read", plan)


use_database("types")
environment["PGTZ"] = "America/New_York"  # of the server's session: timestamps are UTC anyway
for zone_type in ZONE_IDS:
    for id_type in IDS:
        make_tables(id_type, zone_type)
        compare_ids(id_type, zone_type, 1 if zone_type != "text" else 3)
make_tables("integer", "text")
compare_fields(1)
compare_fields(3)
compare_filters()
compare_names()
make_tables("integer", "text")
compare_search_path()
# Zones are in the order of UTF-8, whatever the encoding that the server keeps them in and sorts by.
other = f"{environment['PGDATABASE']}_win"
query(f"create database \"{other}\" encoding 'WIN1252' lc_collate 'C' lc_ctype 'C' template template0")
atexit.register(subprocess.run, ["dropdb", "--force", other], env=dict(environment))
environment["PGDATABASE"] = other
query("""create extension postgis;
  create table zipcode as select zip, ST_MakeEnvelope(n, 0, n + 1, 1, 4326) as boundary
    from unnest(array[chr(128), chr(252), 'a', chr(158)]) with ordinality v(zip, n);
  create table building as select n as id, 20 as height, 1 as size, chr(128) as use,
    ST_MakeEnvelope(n + 0.1, 0.1, n + 0.2, 0.2, 4326) as boundary from generate_series(1, 4) n""")
for fetch in ("index", "scan"):
    result = run("encoded", source__fetch=fetch, buildings__fields="height, use, no = id",
                 statistics={"first": "min(no)", "word": "mode(use)"})
    check(result.zones == ["a", "\u00fc", "\u017e", "\u20ac"] and result["/first"].tolist() == [3, 2, 4, 1],
          fetch, "zones of another encoding", result.zones, result["/first"])
    check(texts(result["/word"]) == ["\u20ac"] * 4, "words of another encoding", result["/word"])
finish()
