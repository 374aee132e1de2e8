#!/usr/bin/python3
"""Vector files that are unlike others: numbers that no double tells apart, fields of one name, CRS that
only the layer knows, views, what GDAL warns of. Against what the files say themselves."""

import json
import os
import re
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

N = 60
STATISTICS = {"buildings": "count", "total": "sum(h)"}


def path_of(name):
    return os.path.join(folder, name)


def write(name, text):
    with open(path_of(name), "w", encoding="utf-8") as file:
        file.write(text)
    return path_of(name)


def ogr2ogr(*arguments):
    subprocess.run(["ogr2ogr", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return arguments[2]


def square(x, y, width):
    corners = (0, 0), (width, 0), (width, width), (0, width), (0, 0)
    return [[[x + dx, y + dy] for dx, dy in corners]]


def geojson(name, rows):
    features = [{"type": "Feature", "properties": properties,
                 "geometry": {"type": "Polygon", "coordinates": rings} if rings else None}
                for properties, rings in rows]
    return write(f"{name}.geojson", json.dumps({"type": "FeatureCollection", "features": features}))


def wkt(rings):
    return "POLYGON ((" + ", ".join(f"{x} {y}" for x, y in rings[0]) + "))"


def place(i):
    return square(-71.449 + 0.001 * (i % 8), 42.01 + 0.001 * (i // 8), 0.0002)


ZONES = geojson("zones", [({"zip": f"{k}"}, square(-71.5 + 0.05 * k, 42, 0.05)) for k in range(3)])
BUILDINGS = geojson("buildings", [({"no": i, "h": i + 0.5}, place(i)) for i in range(N)])


def stage(name, file, ranks=1, status=0, zones=ZONES, output=None, **changes):
    """The store's path, or the run that was refused, or both: (path, run)."""
    store = output or path_of(f"{name}.{ranks}.store.h5")
    if isinstance(zones, dict):
        changes["zones"] = zones
    job = write_job(name, **{**dict(source={"kind": "vector"}, zones={"path": zones, "id": "zip"},
                                    buildings={"path": file, "fields": "h"}, statistics=STATISTICS), **changes})
    done = rooftally("stage", job, "-o", store, "--force", ranks=ranks, status=status)
    return (store, done) if status == 0 else done


def answer(name, store, **changes):
    return run(name, source={"kind": "store", "path": store}, zones={}, buildings={"fields": "h", "keep": "id, h"},
               **{"statistics": STATISTICS, **changes})


def check_ranks(name, file, n=N, **changes):
    """The same store on any number of ranks, with n buildings; its path."""
    store, _ = stage(name, file, **changes)
    with open(store, "rb") as one:
        wanted = one.read()
    for ranks in (2, 5):
        other, _ = stage(name, file, ranks, **changes)
        with open(other, "rb") as one:
            check(one.read() == wanted, name, "differs on", ranks, "ranks")
    with h5py.File(store) as one:
        check(len(one["/buildings/id"]) == n, name, "has", len(one["/buildings/id"]), "buildings")
    return store


def numbers():
    """Rows are found by numbers of 64 bits, of which a double has 53."""
    for what, fids in (("last", [2**63 - 4 + i for i in range(3)]), ("first", [-2**63 + 1 + i for i in range(4)]),
                       ("beyond 53", [2**53 + i for i in (1, 2, 3, 5)]), ("sparse", [1, 2**62, 2**63 - 1]),
                       ("wide", [-2**62 - 1, -2, 0, 7, 2**62 + 3]), ("dense", list(range(1, 50))),
                       ("far", [1729000000000000000 + 7919 * i % 10**6 for i in range(50)])):
        path = ogr2ogr("-f", "GPKG", path_of(f"fid {what}.gpkg"), BUILDINGS, "-lco", "SPATIAL_INDEX=NO",
                       "-limit", f"{len(fids)}", "-nln", "b")
        with sqlite3.connect(path) as base:
            old = [row[0] for row in base.execute("select fid from b order by fid")]
            base.executemany("update b set fid = ? where fid = ?", [(-10**6 - i, fid) for i, fid in enumerate(old)])
            base.executemany("update b set fid = ? where fid = ?", [(fid, -10**6 - i) for i, fid in enumerate(fids)])
        base.close()
        store = check_ranks("fids", path, len(fids), buildings={"path": path, "id": "fid", "fields": "h"})
        with h5py.File(store) as file:
            check(sorted(file["/buildings/id"][()].tolist()) == sorted(fids), what, "other ids")
        check_ranks("rows", path, len(fids))  # the row's number is the id


def views():
    """A view has no order of its own, and may tell a number twice."""
    path = ogr2ogr("-f", "GPKG", path_of("views.gpkg"), BUILDINGS, "-nln", "b")
    views = {"v_order": "select fid, geom, h from b order by h desc", "v_twice": "select fid, geom, h from b"
             " union all select fid, geom, h from b", "v_some": "select fid, geom, h from b where fid % 3 = 0"}
    with sqlite3.connect(path) as base:
        for name, sql in views.items():
            base.execute(f"create view {name} as {sql}")
            base.execute("insert into gpkg_contents (table_name, identifier, data_type, srs_id)"
                         f" values ('{name}', '{name}', 'features', 4326)")
            base.execute(f"insert into gpkg_geometry_columns values ('{name}', 'geom', 'POLYGON', 4326, 0, 0)")
    base.close()
    for name, n in {"v_order": N, "v_twice": 2 * N, "v_some": N // 3, "b": N}.items():
        store = check_ranks(name, path, n, buildings={"path": path, "layer": name, "fields": "h"})
        with h5py.File(store) as file:
            check(sorted(file["/buildings/id"][()].tolist()) == list(range(1, n + 1)), name, "numbers its rows")


def crs():
    """The driver of MIF tells the CRS of the layer alone; GeoPackage knows two that are none."""
    wanted = answer("wanted", stage("wanted", BUILDINGS)[0])
    check(wanted["/buildings"].tolist() == [0, N, 0], "the squares are in the second zone", wanted["/buildings"])
    for zones, buildings in (("EPSG:4326", "EPSG:26986"), ("EPSG:26986", "EPSG:4326"), ("EPSG:4326", "EPSG:4326")):
        files = [ogr2ogr("-f", "MapInfo File", path_of(f"{name}.{srs[5:]}.mif"), path, "-t_srs", srs)
                 for name, path, srs in (("z", ZONES, zones), ("b", BUILDINGS, buildings))]
        result = answer("mif", stage("mif", files[1], zones=files[0])[0],
                        statistics={**STATISTICS, "area": "sum(area_m2)"})
        check((result["/buildings"] == wanted["/buildings"]).all(), zones, buildings, result["/buildings"])
        check(15000 < result["/area"][1] < 25000, zones, buildings, "in square metres", result["/area"])
    for srs_id in (0, -1):
        path = ogr2ogr("-f", "GPKG", path_of("undefined.gpkg"), BUILDINGS, "-nln", "b", "-overwrite")
        with sqlite3.connect(path) as base:
            for table in ("gpkg_contents", "gpkg_geometry_columns"):
                base.execute(f"update {table} set srs_id = {srs_id}")
        base.close()
        done = stage("undefined", path, status=2)
        check("[buildings]" in done.stderr and "has no CRS" in done.stderr, srs_id, done.stderr)


def fields():
    """Fields of one name, and one that is called as the feature's number is elsewhere."""
    # with what CSV needs to be of a type, and in a CRS
    ogr2ogr("-f", "ESRI Shapefile", path_of("crs.shp"), ZONES)
    files = {}
    for name, head, types, values in (("twice", "h,h,H", "Real,Real,Real", lambda i: f"{i},{1000 + i},{2000 + i}"),
                                      ("numbered", "FID,h", "Integer64,Real", lambda i: f"{5000 + i},{i}")):
        files[name] = write(f"{name}.csv", f"WKT,{head}\n" + "".join(
            f'"{wkt(place(i))}",{values(i)}\n' for i in range(N)))
        write(f"{name}.csvt", f"WKT,{types}\n")
        shutil.copy(path_of("crs.prj"), path_of(f"{name}.prj"))
    result = answer("twice", stage("twice", files["twice"])[0])
    check(result["/total"][1] == sum(range(N)), "the first field of that name", result["/total"])
    numbered = files["numbered"]
    own = dict(buildings={"path": numbered, "id": "FID", "fields": "h", "where": "FID >= 5010"})
    with h5py.File(check_ranks("numbered", numbered, N - 10, **own)) as file:
        check(sorted(file["/buildings/id"][()].tolist()) == list(range(5010, 5000 + N)), "its own numbers")
    shape = ogr2ogr("-f", "ESRI Shapefile", path_of("numbered.shp"), numbered, "-a_srs", "EPSG:4326")
    own["buildings"]["path"] = shape
    with h5py.File(check_ranks("shape", shape, N - 10, **own)) as file:
        check(sorted(file["/buildings/id"][()].tolist()) == list(range(5010, 5000 + N)), "its own numbers")


def virtual():
    """A VRT makes geometry from a field that the job does not name."""
    write("made.csv", "zip,at,h\n" + "".join(f'z{i},"{wkt(place(i))}",{i}\n' for i in range(N)))
    text = """<OGRVRTDataSource><OGRVRTLayer name="made"><SrcDataSource relativeToVRT="1">{}</SrcDataSource>
<GeometryType>wkbPolygon</GeometryType><LayerSRS>EPSG:4326</LayerSRS><GeometryField encoding="WKT" field="at"/>
<Field name="h" type="Real"/><Field name="zip"/></OGRVRTLayer></OGRVRTDataSource>"""
    made = write("made.vrt", text.format("made.csv"))
    result = answer("made", stage("made", made)[0])
    check(result["/buildings"].tolist() == [0, N, 0] and result["/total"][1] == sum(range(N)),
          "geometry from a field", result["/buildings"])
    with h5py.File(stage("made_zones", BUILDINGS, zones=made)[0]) as file:
        check(len(file["/zones/id"]) == N and (file["/zones/vertices"][()] == 5).all(), "zones from a field")
    done = stage("missing", write("missing.vrt", text.format("nowhere.csv")), status=2)
    check("nowhere.csv" in done.stderr, "what GDAL could not open", done.stderr)


def deleted():
    """Records of a Shapefile that are deleted but still there, by itself and behind a virtual layer."""
    shape = ogr2ogr("-f", "ESRI Shapefile", path_of("gaps.shp"), BUILDINGS)
    gone = range(3, N, 5)
    with open(path_of("gaps.dbf"), "r+b") as file:
        head = file.read(12)
        first, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
        for record in gone:
            file.seek(first + width * record)
            file.write(b"*")
    behind = write("gaps.vrt", '<OGRVRTDataSource><OGRVRTLayer name="gaps"><SrcDataSource relativeToVRT="1">gaps.shp'
                   "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>")
    for path in (shape, behind):
        own = {"buildings": {"path": path, "id": "no", "fields": "h"}}
        with h5py.File(check_ranks("gaps", path, N - len(gone), **own)) as file:
            check(sorted(file["/buildings/id"][()].tolist()) == sorted(set(range(N)) - set(gone)), path, "others")


def days():
    """A date that is no day is null, and told of."""
    write("days.csv", "WKT,no,day\n" + "".join(
        f'"{wkt(place(i))}",{i},"{day}"\n' for i, day in enumerate(
            ("2020/02/29", "2021/02/29", "2021/02/30", "2021/04/31", "2000/02/29", "1900/02/29", "2021/12/31"))))
    write("days.csvt", "WKT,Integer,Date\n")
    ogr2ogr("-f", "ESRI Shapefile", path_of("crs.shp"), ZONES)
    shutil.copy(path_of("crs.prj"), path_of("days.prj"))
    files = [path_of("days.csv")]
    shape = ogr2ogr("-f", "ESRI Shapefile", path_of("partial.shp"), geojson("dated", [
        ({"no": i, "day": "2020-05-17"}, place(i)) for i in range(7)]))
    with open(path_of("partial.dbf"), "r+b") as file:
        text = file.read()
        for was, new in ((b"20200517", b"20200500"), (b"20200517", b"20200000"), (b"20200517", b"20201341")):
            text = text.replace(was, new, 1)
        file.seek(0)
        file.write(text)
    for path, n_null in ((files[0], 4), (shape, 3)):
        store, done = stage("days", path, buildings={"path": path, "id": "no", "fields": "day"},
                            statistics={"buildings": "count"})
        check("event=vector_file" in done.stderr and "is no day: taken for null" in done.stderr, path, done.stderr)
        told = rooftally("info", store).stdout
        check(f"{n_null} null" in told, path, "nulls of", told)


def inputs():
    """Nothing that is read is overwritten, not even with --force."""
    shape = ogr2ogr("-f", "ESRI Shapefile", path_of("kept.shp"), BUILDINGS)
    write("kept.vrt", '<OGRVRTDataSource><OGRVRTLayer name="kept"><SrcDataSource relativeToVRT="1">kept.shp'
          "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>")
    subprocess.run([sys.executable, "-m", "zipfile", "-c", "kept.zip", "kept.shp", "kept.dbf", "kept.shx", "kept.prj"],
                   cwd=folder, check=True)
    os.mkdir(path_of("shapes"))
    for end in ("shp", "dbf", "shx", "prj"):
        shutil.copy(path_of(f"kept.{end}"), path_of(f"shapes/kept.{end}"))
    for buildings, output in ((shape, "kept.shp"), (shape, "kept.dbf"), (shape, "kept.prj"), (path_of("kept.vrt"), "kept.shp"),
                              ("/vsizip/" + path_of("kept.zip"), "kept.zip"), (path_of("shapes"), "shapes/kept.dbf"),
                              (BUILDINGS, "zones.geojson")):
        before = os.path.getsize(path_of(output)), os.path.getmtime(path_of(output))
        for ranks in (1, 2):
            done = stage("kept", buildings, ranks, status=2, output=path_of(output))
            check("choose another output" in done.stderr, buildings, output, done.stderr)
            check((os.path.getsize(path_of(output)), os.path.getmtime(path_of(output))) == before, output, "is untouched")
    subprocess.run(["gzip", "-k", path_of("buildings.geojson")], check=True)
    os.chdir(folder)
    for buildings, output in (("/vsigzip/buildings.geojson.gz", "buildings.geojson.gz"), ("/vsizip/kept.zip", "kept.zip"),
                              ("/vsizip/{kept.zip}/kept.shp", "kept.zip")):
        done = stage("kept", buildings, status=2, output=output)
        check("choose another output" in done.stderr, buildings, output, done.stderr)
    stage("kept", shape, output=path_of("kept.h5"))


def unfit():
    """What does not fit its type is changed by GDAL, which says so."""
    big = geojson("big", [({"no": 18446744073709551615 if i == 7 else i, "h": i}, place(i)) for i in range(N)])
    _, done = stage("big", big, buildings={"path": big, "id": "no", "fields": "h"})
    check("event=vector_file" in done.stderr and "lamped" in done.stderr, "a warning", done.stderr)
    _, done = stage("fits", BUILDINGS)
    check("event=vector_file" not in done.stderr, "no warning", done.stderr)


def filtered_zones():
    """A zone that the filter leaves out needs to be no polygon, one that it keeps does."""
    rows = [({"zip": "a", "n": 1}, square(-71.5, 42, 0.1)), ({"zip": None, "n": 2}, square(-71.4, 42, 0.1))]
    mixed = json.loads(open(geojson("mixed", rows), encoding="utf-8").read())
    mixed["features"].insert(0, {"type": "Feature", "properties": {"zip": "p", "n": 3},
                                 "geometry": {"type": "Point", "coordinates": [-71.4, 42]}})
    mixed["features"].append({"type": "Feature", "properties": {"zip": "q", "n": 4},
                              "geometry": {"type": "LineString", "coordinates": [[-71.4, 42], [-71, 42]]}})
    path = write("mixed.geojson", json.dumps(mixed))
    for where, status, word in (("n = 1", 0, ""), ("n <= 2", 2, "no id"), ("n in (1, 3)", 2, "zone 'p': is not a polygon"),
                                ("n in (1, 4)", 2, "zone 'q': is not a polygon"), (None, 2, "zone 'p': is not a polygon")):
        zones = {"path": path, "id": "zip", "where": where}
        for ranks in (1, 2):
            done = stage("mixed", BUILDINGS, ranks, status, zones=zones)
            check(word in (done[1] if status == 0 else done).stderr, where, "tells of", word, done)
        if status == 0:
            with h5py.File(done[0]) as file:
                check([bytes(zone) for zone in file["/zones/id"]] == [b"a"], where, file["/zones/id"][()])


def bare_buildings():
    """A building without geometry is counted where it passes the filter, an empty one as well."""
    rows = [({"no": i, "h": i}, None if i % 5 == 0 else place(i)) for i in range(N)]
    bare = json.loads(open(geojson("bare", rows), encoding="utf-8").read())
    for feature in bare["features"][1::10]:
        feature["geometry"]["coordinates"] = []
    path = write("bare.geojson", json.dumps(bare))
    is_bare = [i % 5 == 0 or i % 10 == 1 for i in range(N)]
    for where, passes in ((None, range(N)), ("h < 21", range(21)), ("h > 90", ()), ("h <> 0", range(1, N))):
        n = sum(is_bare[i] for i in passes)
        for ranks in (1, 2):
            store, done = stage("bare", path, ranks, buildings__where=where)
            told = re.findall(r"(\d+) buildings without geometry", done.stdout)
            check(told == [str(n)] * (n > 0), where, "tells of", told, "and not", n)
            with h5py.File(store) as file:
                check(len(file["/buildings/id"]) == len(passes) - n, where, "keeps", len(file["/buildings/id"]))
    # of one that goes nothing is read but what the filter asks
    rows = [({"no": i, "h": i, "t": "long" * 1000000 if i == 5 else "t"}, None if i == 5 else place(i)) for i in range(9)]
    long = geojson("long", rows)
    for where, n in ((None, 1), ("h < 7", 1), ("h <> 5", 0)):
        _, done = stage("long", long, buildings__fields="h, t", buildings__where=where)
        check(("1 building without geometry" in done.stdout) == (n == 1), where, "of a long one:", done.stdout)
    job = write_job("quiet", source={"kind": "vector"}, zones={"path": ZONES, "id": "zip"},
                    buildings={"path": path, "id": "no", "fields": "h"}, statistics=STATISTICS)
    done = rooftally("stage", job, "-o", path_of("quiet.h5"), "--quiet")
    check(not done.stdout and done.stderr.count("event=left_out n=18 ") == 1, "quiet:", done.stdout, done.stderr)


for test in (numbers, views, crs, fields, virtual, deleted, days, inputs, unfit, filtered_zones,
             bare_buildings):
    test()
finish()
