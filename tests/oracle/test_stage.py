#!/usr/bin/python3
"""Staging gives the same store, byte for byte, on any number of ranks, in any memory, from rows in any
order; generated straight into a store and staged from PostgreSQL, a state is the same."""

import filecmp
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
FIELDS = "height, size, volume = height * size, year_built, use, notes"
JOB = dict(zones__fields="state, label = name", buildings__fields=FIELDS)

# Texts that are too many to be words; ids that are texts; no geometry, none that can be read; a
# table without blocks; rows that lie in the opposite order of any curve.
TABLES = """
alter table building alter boundary type geometry(Geometry, 4326);
insert into building (id, height, boundary) values (-5, 30, null), (-6, 40, 'SRID=4326;POINT(100 0)'),
  (-7, 50, 'SRID=4326;POLYGON EMPTY');
insert into zipcode (id, zip, name, state, boundary) values (-1, '99999', 'Nowhere', 'MA', null);
update building set notes = 'note ' || id where id % 3 = 0;
create table shuffled as select * from building order by md5(id::text);
create view rows_of_a_view as select * from shuffled;
create table named as select 'b' || id as id, height, size, year_built, use, notes, boundary
  from building order by boundary desc;
analyze building, shuffled, named;
"""


def path_of(name):
    return os.path.join(folder, f"{name}.store.h5")


def stage(name, *options, ranks=1, **changes):
    rooftally("stage", write_job(name, **changes), "-o", path_of(name), "--quiet", *options,
              ranks=ranks)
    return path_of(name)


def check_same_file(wanted, seen, what):
    check(filecmp.cmp(wanted, seen, shallow=False), what, "gives another store")
    os.unlink(seen)


use_database("stage")
generate(40, 30000, 3)
query(TABLES)
wanted = stage("alone", **JOB)
for ranks, memory, table in ((1, "8 MiB", "building"), (1, "200 MiB", "shuffled"),
                             (2, "64 MiB", "building"), (3, "8 MiB", "shuffled"),
                             (3, "200 MiB", "building"), (5, "64 MiB", "shuffled")):
    check_same_file(wanted, stage("other", ranks=ranks, **JOB, limits__memory=memory,
                                  buildings__table=table),
                    f"{table} on {ranks} ranks in {memory}")
check_same_file(wanted, stage("view", ranks=3, **JOB, buildings__table="rows_of_a_view"), "a view")
named = stage("named", **JOB, buildings__table="named")
check_same_file(named, stage("named2", ranks=2, **JOB, buildings__table="named"), "text ids")
filtered = dict(JOB, buildings__where="height > 10 and use <> 'shed'", zones__where="zip < '01020'")
check_same_file(stage("some", **filtered),
                stage("some3", ranks=3, **filtered, buildings__table="shuffled"), "filters")
nothing = dict(JOB, buildings__where="height > 1e9")
check_same_file(stage("nothing", **nothing), stage("nothing4", ranks=4, **nothing), "no buildings")

# What is there stays, unless it is to be replaced; errors are told once, and nothing is left.
before = os.stat(wanted)
for arguments, part in ((("-o", wanted), "--force"),
                        (("-o", "/no/such/folder/x.h5"), "/no/such/folder"),
                        (("-o", wanted + "2", "--set", "buildings.fields=hieght"), "'height'"),
                        (("-o", wanted + "2", "--set", "zones.where=zip = 'x'"),
                         "leaves no zones of public.zipcode: correct or remove it")):
    for ranks in (1, 3):
        done = rooftally("stage", write_job("refused", **JOB), *arguments, ranks=ranks, status=None)
        errors = [line for line in done.stderr.splitlines() if line.startswith("rooftally:")]
        check(done.returncode == 2 and len(errors) == 1 and part in errors[0],
              "refusal", arguments, ranks, done.returncode, done.stderr)
query("create table double as select * from zipcode union all"
      " select -2, zip, name, state, boundary from zipcode where zip = '01001'")
done = rooftally("stage", write_job("double", **JOB, zones__table="double"), "-o", wanted, "--force", "--quiet", ranks=3,
                 status=None)
check(done.returncode == 2 and "two zones have the id '01001'" in done.stderr, "double ids",
      done.returncode, done.stderr)
check(os.stat(wanted).st_ino == before.st_ino, "what is there was replaced")
stage("alone", "--force", ranks=2, **JOB)
check(os.stat(wanted).st_ino != before.st_ino, "--force replaces nothing")
check(sorted(os.listdir(folder)) == sorted(name for name in os.listdir(folder)
                                           if name.endswith((".ini", ".store.h5"))),
      "left", os.listdir(folder))
done = rooftally("stage", write_job("told", **JOB), "-o", wanted, "--force", ranks=3)
check("41 zones (1 without geometry) and 30,001 buildings" in done.stdout and "2 buildings without geometry, or without a place"
      in done.stdout and done.stdout.count("staged in") == 1, "summary", done.stdout)

# A coastline: too much for little memory, which is said with its name; enough for more.
use_database("coast")
generate(4, 2000, 1)
query("""insert into zipcode (id, zip, name, state, boundary) select 9, 'coast', 'Coast', 'MA',
  ST_Multi(ST_SetSRID(ST_MakePolygon(ST_MakeLine(array_agg(ST_MakePoint(
    10 + (2 + sin(i * 0.7) / 1e6) *
    cos(radians(i / 2500.0)), 10 + (2 + sin(i * 0.7) / 1e6) * sin(radians(i / 2500.0)))
    order by i) || array[ST_MakePoint(12, 10)])), 4326)) from generate_series(0, 899999) i""")
for what in ("stage", "run"):
    out = path_of("coast") if what == "stage" else os.path.join(folder, "coast.h5")
    for memory in ("64 MiB", "1 GiB"):
        done = rooftally(what, write_job("coast", limits__memory=memory, source__fetch="scan"),
                         "-o", out, "--force", "--quiet", status=None)
        if memory == "1 GiB":
            check(done.returncode == 0, what, "of a coastline:", done.stderr)
        else:
            check(done.returncode != 0 and "zone coast" in done.stderr
                  and "raise [limits] memory" in done.stderr and done.stderr.count("\n") == 1,
                  what, "says of a coastline:", done.stderr)

# A state that is generated into a store and one that is generated into PostgreSQL are the same.
for zones, buildings, seed in ((40, 20000, 3), (300, 3000, 5)):
    use_database(f"generated{seed}")
    generate(zones, buildings, seed)
    for ranks in (1, 3):
        generated = path_of(f"generated{ranks}")
        rooftally("generate", generated, "--zones", str(zones), "--buildings", str(buildings),
                  "--seed", str(seed), "--quiet", "--force", ranks=ranks)
    check(filecmp.cmp(path_of("generated1"), path_of("generated3"), shallow=False),
          "generated on three ranks")
    staged = stage("same", "--force", ranks=2, zones__fields="name, state",
                   buildings__fields="height, size, year_built, use, notes")
    with h5py.File(generated) as a, h5py.File(staged) as b:
        def visit(path, item):
            if isinstance(item, h5py.Dataset):
                check(path in b and item.dtype == b[path].dtype
                      and item[()].tobytes() == b[path][()].tobytes(),
                      "generated and staged:", path)
        a.visititems(visit)
        names = []
        a.visit(names.append)
        b.visit(lambda path: check(path in names, "only staged:", path))
        for key in a.attrs:
            # the server spells the CRS out, and both say where they come from
            check(key in ("origin", "crs") or a.attrs[key] == b.attrs[key], "attribute", key)
finish()
