#!/usr/bin/python3
"""Vector files: a job gives the same bits from a store that was staged from a file as from the
same file loaded into PostgreSQL by GDAL's own tool."""

import os
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

if not shutil.which("ogr2ogr"):
    skip("no ogr2ogr: jobs/setup gdal-bin")
if "no GDAL" in rooftally("--version").stdout:
    skip("built without GDAL: jobs/setup libgdal-dev")

FIELDS = "height, size, volume = height * size, year_built, use, flag, day, seen"
STATISTICS = {
    "buildings": "count", "total": "sum(size)", "bulk": "sum(volume)", "p90": "quantile(size, 0.9)",
    "common": "mode(use)", "kinds": "variety(year_built)", "tallest": "top(height, 5)",
    "per_km2": "density", "built_up": "coverage", "days": "variety(day)", "flags": "count(flag)",
}
JOB = dict(zones__fields="state", zones__where="state = 'MA' and area_m2 > 0",
           buildings__fields=FIELDS, buildings__keep="id, height, use, flag, day, seen, area_m2",
           statistics=STATISTICS)
# extension: driver, options of the layer
FORMATS = {
    "shp": ("ESRI Shapefile", ("-lco", "ENCODING=UTF-8")),
    "gpkg": ("GPKG", ()),
    "geojson": ("GeoJSON", ("-lco", "COORDINATE_PRECISION=17")),
    "geojsonl": ("GeoJSONSeq", ("-lco", "COORDINATE_PRECISION=17")),
    "fgb": ("FlatGeobuf", ()),
    "gml": ("GML", ("-dsco", "FORMAT=GML3")),  # latitude comes first in it
}
EXTRAS = """
alter table building add flag boolean, add day date, add seen timestamptz;
update building set flag = id % 3 = 0, day = date '1960-01-01' + id::int,
  seen = timestamptz '1969-12-31 23:59:59.5+05:30' + id * interval '1000001 seconds' where id % 7 <> 0;
update building set use = 'Café "1"' where id % 50 = 0;
"""


def ogr2ogr(*arguments):
    done = subprocess.run(["ogr2ogr", "--config", "PGSQL_OGR_FID", "none", *arguments],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
                          env=environment)
    if done.returncode:
        raise RuntimeError(f"ogr2ogr {arguments}: {done.stderr}")


def path_of(name):
    return os.path.join(folder, name)


def export(name, sql, extension, *options):
    """The rows of a statement as a vector file; its path."""
    driver, layer_options = FORMATS[extension]
    path = path_of(f"{name}.{extension}")
    ogr2ogr("-f", driver, path, "PG:", "-sql", sql, "-nln", name, *layer_options, *options)
    return path


def load(table, path):
    ogr2ogr("-f", "PostgreSQL", "PG:", path, "-nln", table, "-nlt", "GEOMETRY", "-overwrite", "-lco",
            "GEOMETRY_NAME=boundary", "-lco", "FID=ogc_fid", "-lco", "PRECISION=NO", "-lco", "LAUNDER=NO")
    query(f"analyze {table}")


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def stage(name, zones, buildings, *options, ranks=1, status=0, **changes):
    """Stage two files; the store's path, or the run that was refused."""
    store = path_of(f"{name}.store.h5")
    vector = dict(JOB, source={"kind": "vector"}, zones__path=zones, buildings__path=buildings)
    job = write_job(name, **{**vector, **changes})
    done = rooftally("stage", job, "-o", store, "--force", *options, ranks=ranks, status=status)
    return store if status == 0 else done


def staged(name, store, ranks=1, **changes):
    """The job's result from a store."""
    return run(name, ranks, source={"kind": "store", "path": store}, **{**JOB, **changes})


def check_same_bits(what, seen, wanted):
    seen, wanted = contents(seen), contents(wanted)
    check(seen.keys() == wanted.keys(), what, "other datasets", seen.keys() ^ wanted.keys())
    for path in seen.keys() & wanted.keys():
        check(seen[path] == wanted[path], what, "differs in", path)


HOUSES = "select id, height, size, year_built, use, flag, day, seen, boundary from building"
WITHIN = "select zip, b.id from {} z join {} b on ST_Within({}, z.boundary)"


def make_files(extension):
    return (export("zone", "select zip, state, boundary from zipcode", extension),
            export("house", HOUSES, extension))


def formats():
    """Every format, written, staged and run, against the same file in PostgreSQL."""
    for extension in FORMATS:
        zones, buildings = make_files(extension)
        query("drop table if exists v_zone, v_house")
        load("v_zone", zones)
        load("v_house", buildings)
        query("create index on v_house using gist (boundary)")
        tables = dict(zones__table="v_zone", buildings__table="v_house", **JOB)
        wanted = run("server", **tables)
        check(len(wanted["/selection/id"]) > 2000, extension, "a selection worth comparing")
        store = stage("vector", zones, buildings)
        if extension in ("gpkg", "shp"):  # parts by number, by place
            check(bytes_of(stage("parts", zones, buildings, ranks=3)) == bytes_of(store), extension, "staged on 3 ranks")
        for ranks in (1, 3) if extension == "gpkg" else (1,):
            result = staged("store", store, ranks)
            check_same_bits(f"{extension}, {ranks} ranks", result, wanted)
            result.check_accounts(extension)
        if extension in ("shp", "geojsonl"):
            where = {"buildings__where": "height > 10 and use <> 'shed' and day is not null"}
            wanted = run("server", **tables, **where)
            little = stage("filtered", zones, buildings, **where)
            check(os.path.getsize(little) < 0.7 * os.path.getsize(store), "a filter makes a store smaller")
            check_same_bits(f"{extension}, filtered", staged("store", little, **where), wanted)
    # What was computed while staging is a column of the store.
    more = dict(zones__fields="state, place = case when zip < '01010' then 'west' else state end",
                buildings__fields=FIELDS + ", tall = height > 10, kind = coalesce(use, 'none'), twice = volume + volume,"
                " dense = size / area_m2, height = height * 2")
    names = dict(zones__fields="state, place", buildings__fields=FIELDS.replace("volume = height * size", "volume")
                 + ", tall, kind, twice", buildings__where="twice > 500")
    statistics = dict(statistics={"buildings": "count", "twice": "sum(twice)", "kinds": "frequency(kind)",
                                  "tall": "count(tall)", "bulk": "sum(volume)"}, buildings__keep="id, tall, kind, twice")
    more["buildings__fields"] = more["buildings__fields"].replace("height, size", "size", 1)
    store = stage("computed", zones, buildings, **more, **statistics)
    check(bytes_of(stage("computed3", zones, buildings, ranks=3, **more, **statistics)) == bytes_of(store),
          "computed on 3 ranks")
    with h5py.File(store) as file:
        check("dense" not in file["/buildings"] and "place" in file["/zones"], "fields of the store", list(file["/buildings"]))
    query("drop table if exists v_zone, v_house")
    load("v_zone", zones)
    load("v_house", buildings)
    check_same_bits("fields computed while staging", staged("names", store, **{**names, **statistics}),
                    run("server", zones__table="v_zone", buildings__table="v_house",
                        **{**JOB, **statistics, "zones__fields": more["zones__fields"], "buildings__where": "twice > 500",
                           "buildings__fields": FIELDS + ", tall = height > 10, kind = coalesce(use, 'none'),"
                           " twice = volume + volume"}))
    done = stage("overflow", zones, buildings, buildings__fields=FIELDS + ", far = 9223372036854775807 + year_built",
                 status=None)
    check(done.returncode == 1 and "[buildings] field far: overflow" in done.stderr, "overflow", done.stderr)


def crs():
    """Zones and buildings in different CRS: the buildings come to the zones, longitude first."""
    zones, buildings = make_files("gpkg")
    for what, name, sql, options in (
            ("planar buildings", "house", HOUSES, ("-t_srs", "EPSG:26986")),
            ("planar zones", "zone", "select zip, state, boundary from zipcode", ("-t_srs", "EPSG:26986"))):
        moved = export(name + "_planar", sql, "gpkg", *options)
        pair = (zones, moved) if name == "house" else (moved, buildings)
        query("drop table if exists v_zone, v_house")
        load("v_zone", pair[0])
        load("v_house", pair[1])
        srid = 4326 if name == "house" else 26986
        store = stage("crs", *pair)
        with h5py.File(store) as file:
            check(file.attrs["srid"] == srid, what, "SRID", file.attrs["srid"])
        result = staged("crs", store)
        check_same(what, result.selection(), pairs(
            WITHIN.format("v_zone", "v_house", f"ST_Transform(b.boundary, {srid})")))
        areas = dict(query(f"""select zip, ST_Area({'boundary::geography' if srid == 4326 else 'boundary'})
                               from v_zone"""))
        for zone, area in zip(result.zones, result["/zones/area_m2"]):
            check(abs(area / float(areas[zone]) - 1) < 1e-8, what, "area of zone", zone, area)
    # Longitudes of 100 to 110 degrees are no latitudes.
    nowhere = path_of("nowhere.geojsonl")
    with open(nowhere, "w", encoding="utf-8") as file:
        file.write('{"type":"Feature","properties":{"id":1},"geometry":{"type":"Point","coordinates":[-71.5,100]}}\n'
                   '{"type":"Feature","properties":{"id":2},"geometry":{"type":"Point","coordinates":[10,42]}}\n')
    plain = dict(buildings__fields=None, buildings__keep="id", zones__where=None, statistics={"buildings": "count"})
    store = stage("nowhere", moved, nowhere, **plain)
    result = staged("nowhere", store, **plain)
    check({building for _, building, _ in result.rejected()} == {"1"}, "no place in the CRS", result.rejected())
    result.check_accounts("no place in the CRS")


def nameless():
    """Buildings whose id is null are rejected where their boxes meet a zone's, as from PostgreSQL."""
    unnamed = "select case when id % 40 <> 0 then id end as id, height, boundary from building"
    zones = export("zone", "select zip, state, boundary from zipcode", "gpkg")
    buildings = export("unnamed", unnamed, "geojsonl")
    changes = dict(buildings__fields="height", buildings__keep="id, height",
                   buildings__where="height > 3 or area_m2 > 0",
                   statistics={"n": "count", "tall": "sum(height)"})
    query("drop table if exists v_unnamed")
    load("v_unnamed", buildings)
    wanted = run("server", buildings__table="v_unnamed", **{**JOB, **changes})
    lost = [row for row in wanted.rejected() if row[2] == "no id"]
    check(len(lost) > 50, "without an id:", len(lost))
    for ranks in (1, 3):
        store = stage("unnamed", zones, buildings, ranks=ranks, **changes)
        check_same_bits(f"no ids, staged on {ranks}", staged("unnamed", store, **changes), wanted)
    done = rooftally("run", write_job("unnamed", source={"kind": "store", "path": store}, buildings__invalid="fail",
                     **{**JOB, **changes}), "-o", path_of("never.h5"), "--quiet", status=1)
    check("a building: no id" in done.stderr, "invalid = fail", done.stderr)


def kinds():
    """Geometry of all kinds in one layer: what PostgreSQL answers; what has none is counted."""
    query("""alter table building alter boundary type geometry;
      insert into building (id, height, boundary)
      select 10000000 + row_number() over (), 20, g from (
        select unnest(array[p, ST_Multi(p), ST_MakeLine(p, ST_Translate(p, 1e-5, 0)), ST_Force3D(ST_Expand(p, 1e-5)),
          ST_Collect(p, ST_Expand(p, 1e-5)), ST_GeomFromText(format(
            'CURVEPOLYGON(CIRCULARSTRING(%1$s %2$s, %3$s %2$s, %1$s %2$s))', ST_X(p), ST_Y(p), ST_X(p) + 2e-5), 4326),
          null, 'SRID=4326;POLYGON EMPTY']) as g
        from (select ST_PointOnSurface(boundary) as p from zipcode) q) q""")
    zones = export("zone", "select zip, state, boundary from zipcode", "gpkg")
    buildings = export("kinds", HOUSES, "gpkg", "-nlt", "GEOMETRY", "-a_srs", "EPSG:4326")
    query("drop table if exists v_zone, v_house")
    load("v_zone", zones)
    load("v_house", buildings)
    query("create index on v_house using gist (boundary)")
    done = rooftally("stage", write_job("kinds", source={"kind": "vector"}, zones__path=zones,
                                        buildings__path=buildings, **JOB), "-o", path_of("kinds.store.h5"), "--force")
    check(f"{2 * 20} buildings without geometry" in done.stdout, "counted:", done.stdout)
    result = staged("store", path_of("kinds.store.h5"))
    check_same_bits("kinds", result, run("server", zones__table="v_zone", buildings__table="v_house", **JOB))
    check(len(result["/rejected/id"]) >= 20, "curves are rejected")
    # Curved zones are no zones of ours.
    curved = export("curved", "select zip, state, ST_ForceCurve(boundary) as boundary from zipcode", "gpkg", "-nlt", "GEOMETRY")
    done = stage("curved", curved, buildings, status=2)
    check("not a polygon but" in done.stderr, "curved zones", done.stderr)


def layers():
    """One file with several layers, no ids, other names; HDF5 of two makes in one process."""
    zones = export("zone", "select zip, state, boundary from zipcode", "gpkg")
    both = path_of("both.gpkg")
    ogr2ogr("-f", "GPKG", both, zones, "-nln", "areas")
    ogr2ogr("-f", "GPKG", both, "PG:", "-sql", HOUSES.replace("id, ", "") + " order by id", "-nln", "houses", "-update")
    done = stage("layers", both, both, status=2)
    check("2 layers" in done.stderr and "'areas'" in done.stderr and "'houses'" in done.stderr, done.stderr)
    done = stage("layers", both, both, zones__layer="area", status=2)
    check("'area'" in done.stderr and "'areas'" in done.stderr, done.stderr)
    changes = dict(zones__layer="areas", buildings__layer="houses", buildings__id=None, buildings__keep="row, height")
    store = stage("layers", both, both, **changes)
    result = staged("layers", store, **changes)
    ids = [int(row[0]) for row in query("select id from building order by id")]  # in the order of the file
    check_same("rows by their number", [(zone, str(ids[int(row) - 1])) for zone, row in result.selection()],
               pairs(WITHIN.format("zipcode", "building", "b.boundary")))
    check(result["/selection/id"].min() >= 1, "rows are counted from 1")
    fid = dict(changes, buildings__id="fid", buildings__keep="fid, height")
    store_of_fid = stage("fid", both, both, **fid)
    check_same("the feature's number", staged("fid", store_of_fid, **fid).selection(), result.selection())
    check_same("the ids that the store knows",
               staged("own", store_of_fid, **dict(fid, zones__id=None, buildings__id=None)).selection(),
               result.selection())
    done = rooftally("run", write_job("named", source={"kind": "store", "path": store}, **JOB), "-o",
                     path_of("named.h5"), status=2)
    check("'row'" in done.stderr and "id = row" in done.stderr, "the store's own id", done.stderr)
    subprocess.run(["ogrinfo", both, "-sql", "delete from houses where fid % 3 = 0 or fid < 500"], check=True,
                   stdout=subprocess.DEVNULL)
    store = stage("gaps", both, both, **changes)
    with h5py.File(store) as file:
        rows = numpy.sort(file["/buildings/id"][()])
        check((rows == numpy.arange(1, len(rows) + 1)).all(), "rows are counted without gaps")
    check(bytes_of(stage("gaps3", both, both, ranks=3, **changes)) == bytes_of(store), "gaps, staged on 3 ranks")
    with sqlite3.connect(both) as database:  # a count that hides the gaps
        database.execute("update gpkg_ogr_contents set feature_count = (select max(fid) - min(fid) + 1 from houses) "
                         "where table_name = 'houses'")
    check(bytes_of(stage("stale3", both, both, ranks=3, **changes)) == bytes_of(stage("stale", both, both, **changes)),
          "a count that is wrong, staged on 3 ranks")
    nc = path_of("house.nc")
    ogr2ogr("-f", "netCDF", nc, "PG:", "-sql", "select height, boundary from building where height is not null and "
            "GeometryType(boundary) = 'POLYGON' and ST_NumInteriorRings(boundary) = 0", "-nln", "house",
            "-nlt", "POLYGON", "-dsco", "FORMAT=NC4")
    changes = dict(changes, buildings__layer=None, buildings__fields="height", buildings__keep="row",
                   statistics={"buildings": "count", "tallest": "max(height)"})
    with open(nc, "rb") as file:
        check(file.read(4) == b"\x89HDF", "a netCDF file that is HDF5")
    result = staged("nc", stage("nc", both, nc, **changes), **changes)
    check(result["/buildings"].sum() > 500, "buildings from netCDF-4", result["/buildings"].sum())


def refusals():
    zones, buildings = make_files("shp")
    bare = shutil.copy(buildings, path_of("bare.shp"))
    for part in ("shx", "dbf"):
        shutil.copy(buildings[:-3] + part, path_of("bare." + part))
    flagged = export("house", HOUSES, "gpkg")
    short = path_of("short.gpkg")
    with open(export("zone", "select zip, state, boundary from zipcode", "gpkg"), "rb") as file:
        with open(short, "wb") as out:
            out.write(file.read(20000))
    for what, pair, changes, words in (
            ("no CRS of one", (zones, bare), {}, ["bare.shp", "no CRS", "EPSG:4326", "a_srs"]),
            ("cut off", (short, buildings), {}, ["short.gpkg"]),
            ("no such file", (zones, path_of("nowhere.fgb")), {}, ["nowhere.fgb"]),
            ("no such field", (zones, buildings), {"buildings__where": "heigth > 10"}, ["heigth", "'height'"]),
            ("no such id", (zones, buildings), {"zones__id": "zipp"}, ["zipp", "'zip'"]),
            ("an id that is a date", (zones, buildings), {"buildings__id": "day", "buildings__keep": "day"}, ["'day'", "Date"]),
            ("an id that is a boolean", (zones, flagged), {"buildings__id": "flag", "buildings__keep": "flag"},
             ["'flag' is of type Boolean"]),
            ("no zones", (zones, buildings), {"zones__where": "state = 'XX'"}, ["where: leaves no zones of", "zone.shp: "]),
            ("no path", (zones, None), {}, ["[buildings]", "path", "missing"]),
            ("a database", ("PG:host=/nowhere password=hunter2", buildings), {}, ["[zones] ***"])):
        done = stage("refused", *pair, status=2, **changes)
        check(done.returncode == 2 and done.stderr.count("\n") == 1, what, done.returncode, done.stderr)
        check(done.stderr.startswith("rooftally: ") and "hunter2" not in done.stderr, what, done.stderr)
        for word in words:
            check(word in done.stderr, what, "does not tell of", word, done.stderr)
    check(not glob.glob(path_of("refused.store*")), "leftovers")
    for path, which in ((zones, "zones"), (buildings, "buildings")):
        before = bytes_of(path)
        os.symlink(path, path_of("link"))
        for output in (path, path_of("link")):
            for options in ((), ("--force",)):
                done = rooftally("stage", write_job("refused", **dict(JOB, source={"kind": "vector"}, zones__path=zones,
                                                                      buildings__path=buildings)),
                                 "-o", output, *options, status=2)
                check(f"{output} is the file that {which} are read from" in done.stderr, "its input:", done.stderr)
        check(bytes_of(path) == before, "its input is untouched")
        os.remove(path_of("link"))
    job = write_job("vector", source={"kind": "vector"}, zones__path=zones, buildings__path=buildings, **JOB)
    for command in ("run", "plan"):
        for ranks in (1, 3) if command == "run" else (1,):
            done = rooftally(command, job, "-o", path_of("x.h5"), ranks=ranks, status=2)
            check("rooftally stage " in done.stderr and "source.kind=store" in done.stderr, command, done.stderr)
    # Neither has one: a plane in metres, and a warning.
    for path in (zones, buildings):
        os.remove(path[:-3] + "prj")
    store = path_of("plane.store.h5")
    done = rooftally("stage", job, "-o", store, "--force")
    check("event=no_crs" in done.stderr, "a warning that there is no CRS", done.stderr)
    result = staged("plane", store)
    check(0 < result["/zones/area_m2"].max() < 10, "coordinates as metres", result["/zones/area_m2"].max())


def cut_off():
    """A FlatGeobuf that ends anywhere before its end is refused, in zones and in buildings."""
    zones, buildings = make_files("fgb")
    cut = path_of("cut.fgb")
    for which, path in (("zones", zones), ("buildings", buildings)):
        whole = bytes_of(path)
        n = len(whole)
        # in the header, within the index that follows it, between features, within the last one
        for n_bytes in (100, 1000, 2000, n // 5, n // 2, n - 1000, n - 1):
            with open(cut, "wb") as file:
                file.write(whole[:n_bytes])
            done = stage("cut", *((cut, buildings) if which == "zones" else (zones, cut)), status=None)
            check(done.returncode in (1, 2) and done.stderr.count("\n") == 1
                  and f"rooftally: [{which}] {cut}" in done.stderr, f"{n_bytes} of {n}:", done.returncode, done.stderr)
        check(not glob.glob(path_of("cut.store*")), "leftovers")


def cambridge():
    """Real parcels and zip codes, through a GeoPackage."""
    data = os.path.join(SOURCE_DIR, "../shared/data")
    if not os.path.exists(os.path.join(data, "load.sql")):
        print(f"left out: no real data in {data}")
        return
    subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", "load.sql"], cwd=data, check=True,
                   stdout=subprocess.DEVNULL, env=dict(environment, PGOPTIONS="-c client_min_messages=warning"))
    zones = export("zipcode", "select zip, state, boundary from cambridge.zipcode", "gpkg")
    buildings = export("parcel", "select * from cambridge.building", "gpkg", "-nlt", "GEOMETRY")
    changes = dict(buildings__fields="height, size, year_built, use", buildings__keep="id, height, use",
                   statistics={"buildings": "count", "total": "sum(size)", "built_up": "coverage"})
    store = stage("cambridge", zones, buildings, **changes)
    for predicate in ("within", "intersects", "centroid"):
        changes["buildings__predicate"] = predicate
        wanted = run("server", zones__table="cambridge.zipcode", buildings__table="cambridge.building",
                     **{**JOB, **changes})
        check(len(wanted["/selection/id"]) > 10000, "a selection worth comparing")
        check_same_bits(f"cambridge, {predicate}", staged("store", store, **changes), wanted)


def without_gdal():
    """Built without GDAL, or far from the module, the program says what to install."""
    lonely = shutil.copy(ROOFTALLY, path_of("rooftally"))
    job = write_job("lonely", source={"kind": "vector"}, zones__path="z", buildings__path="b", **JOB)
    done = subprocess.run([lonely, "stage", job, "-o", path_of("x.h5")], stderr=subprocess.PIPE, encoding="utf-8",
                          env=environment)
    check(done.returncode == 2 and "libgdal-dev" in done.stderr, "without the module", done.stderr)
    build = path_of("build")
    for option, there in (("OFF", False), ("ON", True)):
        subprocess.run(["cmake", "-S", SOURCE_DIR, "-B", build, f"-DROOFTALLY_GDAL={option}"], check=True,
                       stdout=subprocess.DEVNULL)
        targets = subprocess.run(["cmake", "--build", build, "--target", "help"], check=True,
                                 stdout=subprocess.PIPE, encoding="utf-8").stdout
        check(("rooftally_vector" in targets) == there, f"ROOFTALLY_GDAL={option}: the module's target")
    libraries = subprocess.run(["ldd", ROOFTALLY], stdout=subprocess.PIPE, encoding="utf-8").stdout
    check("libgdal" not in libraries and "libhdf5_serial" not in libraries, "the program itself needs no GDAL")


def installed():
    """Where it is installed it finds its module."""
    prefix = path_of("prefix")
    subprocess.run(["cmake", "--install", os.environ["BUILD_DIR"], "--prefix", prefix], check=True,
                   stdout=subprocess.DEVNULL)
    done = subprocess.run([os.path.join(prefix, "bin/rooftally"), "--version"], stdout=subprocess.PIPE,
                          encoding="utf-8", env=environment)
    check("  GDAL " in done.stdout, "the installed program's GDAL", done.stdout)


use_database("vector")
generate(20, 4000, 5)
query(EXTRAS)
formats()
crs()
refusals()
cut_off()
layers()
nameless()
kinds()
cambridge()
without_gdal()
installed()
finish()
