#!/usr/bin/python3
"""A job gives the same bits from PostgreSQL and from the store that it was staged into."""

import fcntl
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

STATISTICS = {
    "buildings": "count", "total": "sum(size)", "bulk": "sum(volume)", "spread": "stddev(volume)",
    "p90": "quantile(size, 0.9)", "common": "mode(use)", "kinds": "variety(year_built)",
    "uses": "frequency(use)", "heights": "histogram(height, 0, 100, 20)",
    "tallest": "top(height, 5)", "per_km2": "density", "built_up": "coverage",
}
FIELDS = "height, size, volume = height * size, year_built, use, notes"
JOB = dict(zones__fields="state, label = name", zones__where="state = 'MA' and area_m2 > 0",
           buildings__fields=FIELDS, buildings__keep="id, height, use, notes, area_m2",
           statistics=STATISTICS)

# Collections, curves that no predicate can be asked about, one without geometry, one far away; texts that
# are too many to be words; a zone without geometry.
EXTRAS = """
alter table building alter boundary type geometry(Geometry, 4326);
insert into building (id, height, boundary)
select 10000000 + row_number() over (), 20, ST_Collect(p, ST_Translate(p, 1e-5, 0)) from (
  select ST_Collect(ST_PointOnSurface(boundary), ST_Expand(ST_PointOnSurface(boundary), 1e-5)) as p
  from zipcode) q;
insert into building (id, height, boundary)
select 20000000 + row_number() over (), 20, ST_GeomFromText(format(
    'SRID=4326;CURVEPOLYGON(CIRCULARSTRING(%1$s %2$s, %3$s %2$s, %1$s %2$s))', ST_X(at), ST_Y(at), ST_X(at) + 2e-5))
from (select ST_PointOnSurface(boundary) as at from zipcode) q;
insert into building (id, height, boundary) values (-5, 30, null), (-6, 40, 'SRID=4326;POINT(100 0)'),
  (-7, 50, 'SRID=4326;POLYGON EMPTY');
insert into zipcode (id, zip, name, state, boundary) values (-1, '99999', 'Nowhere', 'MA', null), (-2, '99998', 'Empty', 'MA', 'SRID=4326;MULTIPOLYGON EMPTY');
update building set height = round(height);
update building set notes = 'note ' || id where id % 3 = 0;
create table shuffled as select * from building order by md5(id::text);
alter table shuffled add primary key (id);
create index on shuffled using gist (boundary);
analyze building; analyze shuffled;
"""


def stage(name, *options, **changes):
    """Stage the job; the store's path."""
    store = os.path.join(folder, f"{name}.store.h5")
    rooftally("stage", write_job(name, **changes), "-o", store, "--force", "--quiet", *options)
    return store


def compare(what, ranks=1, **changes):
    """One job from both sources."""
    from_server = run("server", ranks, **changes)
    from_store = run("store", ranks, source={"kind": "store", "path": store}, **changes)
    wanted, seen = contents(from_server), contents(from_store)
    check(seen.keys() == wanted.keys(), what, "other datasets", seen.keys() ^ wanted.keys())
    for path in seen.keys() & wanted.keys():
        check(seen[path] == wanted[path], what, "differs in", path)
    from_store.check_accounts(what)
    return from_store


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


use_database("store")
generate(40, 60000, 3)
query(EXTRAS)
store = stage("plain", **JOB)

result = compare("plain", **JOB)
check(len(result["/selection/id"]) > 50000, "a selection worth comparing")
# A zone without geometry has no area, an empty one none to speak of.
for where, zones in (("area_m2 is null", ["99999"]), ("not (area_m2 > 0)", ["99998"]), ("area_m2 = 0 or area_m2 is null", ["99998", "99999"])):
    check(compare(where, **{**JOB, "zones__where": where}).zones == zones, where)
check(len(result["/rejected/id"]) > 10, "some rejected buildings")
for predicate in ("within", "intersects", "centroid"):
    compare(predicate, **JOB, buildings__predicate=predicate, buildings__where="height > 10")
for where in ("notes is not null", "notes like '%7' or use = 'house'", "use <> 'shed'",
              "volume between 100 and 5000 and year_built > 1950", "area_m2 > 200 and height > 3",
              "not (height > 5) or size is null", "id % 7 = 0", "height > 1e9"):
    compare(where, **JOB, buildings__where=where)
for rule in ("skip", "repair"):
    compare(rule, **JOB, buildings__invalid=rule)
# Of a building that the filter leaves out nobody asks whether it can be decided, whatever else it asks for.
for rule in ("trust", "skip", "fail"):
    for where in ("height > 20 and area_m2 > 1", "perimeter_m > 1 and (volume > 4000 and notes like 'note %') and height > 20"):
        compare(f"{rule}, {where}", **JOB, buildings__invalid=rule, buildings__where=where)
for ranks in (1, 3):
    for memory in ("8 MiB", "64 MiB"):
        compare(f"{ranks} ranks, {memory}", ranks, **JOB, limits__memory=memory)

# A column that is called as a measure hides it from the store as it does in the table.
query("create view hidden as select *, 7.5::float8 as area_m2, height::int as vertices from building")
query("create table shadow as select * from hidden; analyze shadow")
store, whole = stage("hidden", buildings__table="shadow", buildings__fields="height"), store
for where in ("area_m2 < 8", "vertices > 20 and perimeter_m > 1"):
    compare(f"hidden, {where}", buildings__table="shadow", buildings__fields="height", buildings__where=where,
            statistics={"n": "count"})
store = whole

# The same rows give the same store.
wanted = bytes_of(store)
for name, changes in (("little", {"limits__memory": "8 MiB"}),
                      ("much", {"limits__memory": "256 MiB"}),
                      ("shuffled", {"buildings__table": "shuffled"})):
    check(bytes_of(stage(name, **{**JOB, **changes})) == wanted, name, "gives another store")

# A filter that the store was staged with leaves fewer rows and the same answer.
filtered = dict(JOB, buildings__where="height > 10 and use <> 'shed'")
whole, store = store, stage("filtered", **filtered)
check(os.path.getsize(store) < 0.7 * os.path.getsize(whole), "a filter makes a store smaller")
compare("staged with its filter", **filtered)
line = "  staged      [buildings] where = height > 10 and use <> 'shed'\n"
zones_line = "  staged      [zones] where = state = 'MA' and area_m2 > 0\n"
check(line in (told := rooftally("info", store).stdout) and zones_line in told, "info tells the filters", told)
check("[buildings] where" not in rooftally("info", whole).stdout, "info of no filter")
for where, is_warned in (("height > 10 and use <> 'shed'", False), ("height > 20", True), (None, True)):
    job = write_job("other", **dict(JOB, buildings__where=where), source={"kind": "store", "path": store})
    done = rooftally("run", job, "-o", os.path.join(folder, "other.h5"), "--force", "--quiet", ranks=2)
    warned = [text for text in done.stderr.splitlines() if "event=store_filter" in text]
    check(len(warned) == is_warned and all("height > 10 and use <> 'shed'" in text for text in warned),
          "warned of another filter", where, done.stderr)
    planned = rooftally("plan", job).stdout
    check(line in planned and zones_line in planned and ("  warning     the store" in planned) == is_warned,
          "planned with another filter", where, planned)

# Fields and columns may have the names of a store's own datasets.
query("""create table taken as select id as gid, boundary, height, size, notes as geometry, use as "offset",
  year_built as fault, year_built % 3 = 0 as "a/b", id, id + 1 as id_, 'w' || id % 5 as "id__" from building;
create table taken_zone as select id, zip, name as fault, state as wkb, boundary from zipcode;
analyze taken, taken_zone""")
TAKEN = dict(zones__table="taken_zone", zones__fields="fault, wkb", buildings__table="taken", buildings__id="gid",
             buildings__fields='geometry, offset, fault, slash = "a/b", id, id_, id__, xmin = height, first = size',
             buildings__keep='gid, fault, slash, id_, id__, xmin', zones__where="id < 20",
             buildings__where='id > 100 and offset <> \'shed\' and (geometry is null or geometry like \'%7\')',
             statistics={"buildings": "count", "last": "max(id)", "next": "sum(id_)", "words": "frequency(id__)",
                         "kinds": "variety(geometry)", "oldest": "min(fault)", "low": "min(xmin)"})
taken = [stage("taken", *options, **TAKEN) for options in ((), ("--set", "limits.memory=8 MiB"))]
check(bytes_of(taken[0]) == bytes_of(taken[1]), "names that are taken, in little memory")
told = rooftally("info", taken[0]).stdout
for name in ("geometry", "offset", "fault", "a/b", "id", "id_", "id__", "xmin", "wkb"):
    check(f"    {name:20} " in told, "info names the field", name, told)
with h5py.File(taken[0]) as file:
    check(file["/buildings/id___"].attrs["name"] in ("id", b"id"), "a field 'id' of a table with 'id_' and 'id__'")
kept, store = store, taken[0]
compare("names that are taken", **TAKEN)
compare("names that are taken, on three ranks", 3, **TAKEN)
for fetch in ("index", "scan"):
    check_same("fetched by " + fetch, run(fetch, source__fetch=fetch, **TAKEN).selection(),
               run("again", source={"kind": "store", "path": store}, **TAKEN).selection())
store = kept

# A bare name means the table's column, even where a field that is defined from it took its place,
# or no value depends on it.
query("""create table capitals as select id as "Id", height as "HEIGHT", size, use, boundary from building;
create table capital_zones as select zip, id as "No", boundary from zipcode; analyze capitals, capital_zones""")
CAPITALS = dict(zones__table="capital_zones", zones__fields="no = No + 1", zones__where="no % 2 = 0",
                buildings__table="capitals", buildings__id="Id", buildings__where="height > 10 and (true or use = 'shed')",
                buildings__fields="twice = height * 2, height = HEIGHT * 0.3, id = Id + 1, again = HEIGHT + size",
                buildings__keep='"Id", twice, height, again',
                statistics={"buildings": "count", "total": "sum(height)", "ids": "sum(id)"})
kept, store = store, stage("capitals", **CAPITALS)
check(len(compare("fields of their columns' names", **CAPITALS)["/selection/id"]) > 100, "a selection worth comparing")
first = dict(CAPITALS, buildings__where="height > 100", buildings__fields="HEIGHT, height = HEIGHT * 3, size", buildings__keep='"HEIGHT", height')
compare("a column beside the field", **dict(first, statistics={"buildings": "count", "total": 'sum("HEIGHT")'}))
store = kept

# Ids are as wide as the longest of the job's own zones, whatever else a source holds: also
# where it leaves zones out itself, by their area.
query("""create table uneven as select (array['a1', 'b-a-longer-name', 'a3', 'a4'])[r] as id, ST_Scale(boundary,
  ST_MakePoint(s, s), ST_Centroid(boundary)) as boundary from (select row_number() over (order by id) as r, boundary,
  case when row_number() over (order by id) = 2 then 3 else 0.7 end as s from zipcode where not ST_IsEmpty(boundary)) z where r <= 4;
create table rejected as select id, boundary from building union all select 30000000 + row_number() over (),
  ST_GeomFromText(format('SRID=4326;CURVEPOLYGON(CIRCULARSTRING(%1$s %2$s, %3$s %2$s, %1$s %2$s))', ST_X(at), ST_Y(at), ST_X(at) + 2e-5))
  from (select ST_PointOnSurface(boundary) as at from uneven) q; analyze uneven, rejected""")
UNEVEN = dict(zones__table="uneven", zones__id="id", buildings__table="rejected", buildings__fields=None)
areas = sorted(float(row[0]) for row in query("select ST_Area(boundary::geography) from uneven"))
kept, store = store, stage("uneven", **UNEVEN)
for where in ("id < 'b'", f"area_m2 < {(areas[-2] + areas[-1]) / 2:.0f}"):
    for ranks in (1, 3):
        narrow = compare(f"ids of {where}", ranks, **UNEVEN, zones__where=where)
        check(len(narrow.zones) == 3 and len(narrow["/rejected/id"]) >= 3, "zones of", where, narrow.zones)
        check(narrow["/zone"].dtype == narrow["/rejected/zone"].dtype == "S2", "width of ids", narrow["/zone"].dtype)
store = kept

# A field's range is that of its values: NaN is the greatest, dates and timestamps may be infinite.
query("""create table ranges as select id, boundary, (array['nan', '-inf', 'inf', '3.9', '2.5'])[1 + id % 5]::float8 as every,
  case when id = 7 then 'nan' else id / 8.0::float8 end as one, 'nan'::float8 as nothing, null::float8 as none, id + 9007199254740992 as large,
  (array['-infinity', '2020-02-03', 'infinity'])[1 + id % 3]::date as day, date '5874897-12-31' - (id % 10)::int as late,
  (array['1999-12-31 23:59:59.5', 'infinity'])[1 + id % 2]::timestamp as moment, timestamp '1969-12-31 23:59:58.5' as before
  from building where id between 1 and 3000 and boundary is not null; analyze ranges""")
told = rooftally("info", stage("ranges", buildings__table="ranges", buildings__fields="every, one, nothing, none, large, day, late, moment, "
                                                                                      "before")).stdout
n, last = query("select count(*), max(id) from ranges")[0]
for name, wanted in (("every", "-inf to nan"), ("one", "0.125 to nan"), ("nothing", "nan to nan"), ("none", f"{n} null"),
                     ("large", f"9007199254740993 to {9007199254740992 + int(last)}"), ("day", "-infinity to infinity"),
                     ("late", "5874897-12-22 to 5874897-12-31"), ("moment", "1999-12-31 23:59:59 to infinity"),
                     ("before", "1969-12-31 23:59:58 to 1969-12-31 23:59:58")):
    line = next(line for line in told.splitlines() if line.startswith(f"    {name} "))
    check(line.endswith(", " + wanted), "the range of", name, "is", line)

# What does not fit is named, with the memory that it takes, wherever it is met.
query("""create table bulky as select case when id = 4711 then 'huge' else 'b' || id end as id, boundary, id as number,
  case when id = 4711 then (select string_agg(md5(i::text), '') from generate_series(1, 10000) i) else 'note ' || id end as notes
  from building where id between 1 and 30000 and boundary is not null; create index on bulky using gist (boundary);
create table lengthy as select number as id, boundary, notes from bulky; create index on lengthy using gist (boundary);
analyze bulky, lengthy""")
kept, output = store, os.path.join(folder, "bulky.h5")
for table, name in (("bulky", "huge"), ("lengthy", "4711")):
    bulky = dict(buildings__table=table, buildings__fields="notes", statistics={"kinds": "variety(notes)"})
    store = stage("bulky", **bulky)
    for changes in (dict(source={"kind": "store", "path": store}), dict(source__fetch="scan")):
        job = write_job("bulky", **{**bulky, **changes})
        options = ("run", job, "-o", output, "--quiet")
        done = rooftally(*options, "--force", "--set", "limits.memory=8 MiB", status=1)
        check(f"building {name} has 312.5 KiB of texts, a batch holds 256.0 KiB: raise [limits] memory to about 10 MiB" in done.stderr,
              "what does not fit is named", table, changes, done.stderr)
        rooftally(*options, "--resume", "--set", "limits.memory=10 MiB")
        os.remove(output)
query("update lengthy set notes = repeat(notes, 32) where id = 4711")
done = rooftally("stage", write_job("bulky", **bulky), "-o", store + "2", "--set", "limits.memory=16 MiB", status=1)
check("building 4711 needs 9.8 MiB, a batch holds 512.0 KiB: raise [limits] memory to about 313 MiB" in done.stderr,
      "staging what does not fit", done.stderr)
store = stage("bulky", **bulky, limits__memory="400 MiB")
done = rooftally("run", write_job("bulky", **bulky, source={"kind": "store", "path": store}), "-o", output, "--quiet", status=1)
check("building 4711 has 9.8 MiB of texts, a batch holds 2.0 MiB: no [limits] memory makes room for it" in done.stderr,
      "what never fits", done.stderr)
store = kept

# So is a row whose id is too long.
query("""create table long_id as select repeat('building', 500) || id as id, boundary from building where id = 1;
create table long_zip as select repeat('zone', 500) || zip as zip, boundary from zipcode limit 1; analyze long_id, long_zip""")
for changes, section, word, n in ((dict(buildings__table="long_id", buildings__fields=None), "buildings", "building", 4001),
                                  (dict(zones__table="long_zip"), "zones", "zone", 2005)):
    done = rooftally("stage", write_job("long", **changes), "-o", store + "2", status=2)
    start = (word * 40)[:80]
    check(f"[{section}] id: {word} {start}: its id has {n} bytes: 1024 are the most, none of them zero" in done.stderr,
          "an id that is too long", done.stderr)

# What is read of texts that are no words is counted: offsets and texts.
read = [int(run("texts", source={"kind": "store", "path": whole}, buildings__fields="notes", buildings__keep="",
                statistics=statistics)["/telemetry/zone/bytes"].sum())
        for statistics in ({"buildings": "count"}, {"kinds": "variety(notes)"})]
with h5py.File(whole) as file:
    least = file["/texts/buildings/notes/text"].size + 8 * file["/buildings/id"].size
check(least < read[1] - read[0] < 2 * least, "read of texts:", read, least)

# Refusals.
job = write_job("refused", **JOB)
for arguments, part in (((), "-o STORE"), (("-o", store), "--force"),
                        (("-o", "/no/such/folder/x.h5"), "/no/such/folder"),
                        (("-o", store + "2", "--set", "source.kind=store", "--set",
                          f"source.path={store}"), "it is staged already")):
    done = rooftally("stage", job, *arguments, status=None)
    check(done.returncode in (1, 2) and part in done.stderr and done.stderr.count("\n") == 1,
          "refusal", arguments, done.returncode, done.stderr)
check(not os.path.exists(store + "2") and not glob.glob(folder + "/*.partial*"), "leftovers")


# What is no store, or no whole one: one line, status 2 or 1, and nothing is made.
def damaged(name, change):
    path = os.path.join(folder, name)
    shutil.copyfile(store, path)
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def set_version(file):
    file.attrs["format_version"] = 99


def move_block(file):
    file["/blocks/first"][1] = -5


def move_zone(file):
    file["/zones/offset"][1] = 1 << 40


def move_buildings(file):
    file["/buildings/geometry/offset"][:] = file["/buildings/geometry/offset"][:] + (1 << 40)


def move_last(file):
    """What none but the last zones need."""
    offset = file["/buildings/geometry/offset"]
    offset[-200:-1] = offset[-200:-1] + (1 << 40)


def empty_zones(file):
    file["/zones/offset"][:] = 0


def empty_words(file):
    file["/texts/buildings/use/offset"][:] = 0


def lose_nulls(file):
    del file["/valid/buildings/notes"]


def swap_texts(file):
    """Offsets that fall again within a block, of texts that are kept one by one."""
    offset = file["/buildings/notes"]
    offset[1] = offset[600] + 1


def lose_box(name):
    def change(file):
        file[f"/blocks/{name}"][2] = numpy.nan
    return change


def drop_boxes(file):
    del file["/buildings/xmin"]


cut = os.path.join(folder, "cut.h5")
with open(store, "rb") as whole, open(cut, "wb") as part:
    part.write(whole.read(os.path.getsize(store) // 2))
output = os.path.join(folder, "of_no_store.h5")
pipe = os.path.join(folder, "pipe")
os.mkfifo(pipe)
for told in ("info", "export"):
    done = rooftally(told, pipe, status=None, timeout=20)
    check(done.returncode == 2 and "not a file" in done.stderr, told, "of a pipe:", done.stderr)
locked = os.path.join(folder, "locked.h5")
shutil.copy(store, locked)
with open(locked, "rb") as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    for ranks in (1, 2):
        done = rooftally("run", job, "-o", output, "--set", "source.kind=store", "--set", f"source.path={locked}",
                         ranks=ranks, status=None, timeout=60)
        ours = [line for line in done.stderr.splitlines() if line.startswith("rooftally: ")]
        check(done.returncode == 2 and len(ours) == 1 and "another process has locked it" in ours[0]
              and "stage it" not in ours[0], "a locked store:", done.returncode, done.stderr)
for path, part in ((job, "no HDF5 file: give the path of a store"), (cut, "it is cut off or damaged: stage it again"),
                   (result.path, "of another kind: give the path of a store"), (folder, "not a file"), (pipe, "not a file"),
                   (store + "3", "No such file"),
                   (damaged("version", set_version), "of version 99"),
                   (damaged("block", move_block), "block 1"),
                   (damaged("boxes", drop_boxes), "/buildings/xmin"),
                   (damaged("zone", move_zone), "damaged"),
                   (damaged("zones", empty_zones), "offsets of zones lead from 0 to 0"),
                   (damaged("words", empty_words), "offsets of use lead from 0 to 0"),
                   (damaged("nulls", lose_nulls), "which values of notes are null is lost"),
                   (damaged("buildings", move_buildings), "offsets of buildings"),
                   (damaged("last", move_last), "damaged: geometry: offset"),
                   (damaged("texts", swap_texts), "texts of notes: the store is damaged: offset"),
                   *((damaged(side, lose_box(side)), "damaged: the box of block 2: stage it again")
                     for side in ("xmin", "ymin", "xmax", "ymax"))):
    for ranks in (1, 2):
        done = rooftally("run", job, "-o", output, "--set", "source.kind=store", "--set",
                         f"source.path={path}", "--quiet", ranks=ranks, status=None, timeout=60)
        ours = [line for line in done.stderr.splitlines() if line.startswith("rooftally: ")]
        check(done.returncode in (1, 2) and len(ours) == 1 and part in ours[0], path, ranks,
              "ranks:", done.returncode, done.stderr)
        check("--resume" not in ours[0], path, "would fail again:", ours[0])
        check(not os.path.exists(output), path, "left a result")
        if "last" in path:
            check(os.path.exists(output + ".spool"), "zones are finished before the damage is met")
        shutil.rmtree(output + ".spool", ignore_errors=True)
finish()
