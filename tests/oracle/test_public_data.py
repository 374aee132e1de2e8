#!/usr/bin/python3
"""The jobs for public data: the commands in their comments do what they say, on small files of the same shape."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

if not shutil.which("ogr2ogr"):
    skip("no ogr2ogr: jobs/setup gdal-bin")
if "no GDAL" in rooftally("--version").stdout:
    skip("built without GDAL: jobs/setup libgdal-dev")

JOBS = os.path.join(SOURCE_DIR, "jobs")
REMOTE = os.path.join(folder, "remote")  # what wget is given instead of the internet
STATES = {"Massachusetts": 800, "RhodeIsland": 200}
os.mkdir(REMOTE)


def polygon(x, y, width, height):
    ring = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def write_zip(name, *paths):
    with zipfile.ZipFile(os.path.join(REMOTE, name), "w", zipfile.ZIP_DEFLATED) as out:
        for path in paths:
            out.write(path, os.path.basename(path))


def write_collection(path, features, **more):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"type": "FeatureCollection", **more, "features": [
            {"type": "Feature", "properties": p, "geometry": g} for p, g in features]}, file)


def make_remote():
    """ZCTAs of TIGER/Line: a zipped Shapefile in NAD83. Footprints: zipped GeoJSON, longitude first, no ids."""
    zones = [({"ZCTA5CE20": f"{1001 + 7 * i:05}", "GEOID20": f"{1001 + 7 * i:05}", "CLASSFP20": "B5", "MTFCC20": "G6350",
               "FUNCSTAT20": "S", "ALAND20": 30000000000 + i, "AWATER20": i, "INTPTLAT20": "+42.1", "INTPTLON20": "-071.5"},
              polygon(-72 + 0.1 * (i % 5), 42 + 0.1 * (i // 5), 0.1, 0.1)) for i in range(25)]
    zones += [({"ZCTA5CE20": "02903"}, polygon(-71.5, 41.5, 0.3, 0.4))]
    path = os.path.join(folder, "zcta.geojson")
    write_collection(path, zones)
    shape = os.path.join(folder, "tl_2020_us_zcta520.shp")
    subprocess.run(["ogr2ogr", "-f", "ESRI Shapefile", shape, path, "-a_srs", "EPSG:4269"], check=True)
    write_zip("tl_2020_us_zcta520.zip", *(shape[:-3] + part for part in ("shp", "shx", "dbf", "prj")))
    generator = random.Random(1)
    for state, n in STATES.items():
        x, y = (-72, 42) if state == "Massachusetts" else (-71.5, 41.5)
        path = os.path.join(folder, f"{state}.geojson")
        write_collection(path, [
            ({"release": 1 + i % 2, "capture_dates_range": "" if i % 2 else "7/24/2018-8/9/2019"},
             polygon(round(x + generator.random() * 0.5, 6), round(y + generator.random() * 0.5, 6),
                     generator.choice([1e-5, 1e-4, 2e-4]), 1.5e-4)) for i in range(n)], name=state)
        write_zip(f"{state}.geojson.zip", path)


def read_commands(name):
    """What the comments of a job file say to type, paragraph by paragraph, with the states and ranks that there are
    here."""
    with open(os.path.join(JOBS, name), encoding="utf-8") as file:
        paragraphs = re.findall(r"((?:^;   .*\n)+)", file.read(), re.M)
    for text in paragraphs:
        text = re.sub(r"^;   ", "", text, flags=re.M)
        text = re.sub(r"in Alabama.*?; do", "in " + " ".join(STATES) + "; do", text, flags=re.S)
        yield re.sub(r"mpirun -n \d+ rooftally", f"mpirun -n 3 --oversubscribe {ROOFTALLY}", text)


def follow(name):
    """Type them in a folder that holds the job file alone. Results and plans, a paragraph each."""
    place = os.path.join(folder, name.split(".")[0])
    os.mkdir(place)
    shutil.copy(os.path.join(JOBS, name), place)
    output = os.path.join(place, name.replace(".ini", ".h5"))
    results = []
    for i, text in enumerate(read_commands(name)):
        script = f'set -e; wget() {{ cp {REMOTE}/${{1##*/}} .; }}; rooftally() {{ {ROOFTALLY} "$@"; }}\n{text}'
        done = subprocess.run(["bash", "-c", script], cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8", env=environment)
        if not check(done.returncode == 0, name, "the commands end with", done.returncode, done.stderr, script):
            finish()
        if os.path.exists(output):
            os.rename(output, f"{output}.{i}")
            results.append((Result(f"{output}.{i}"), done.stdout))
    return place, results


def massachusetts():
    place, results = follow("massachusetts.ini")
    with h5py.File(os.path.join(place, "massachusetts.store.h5")) as store:
        check(store.attrs["srid"] == 4269 and len(store["/zones/id"]) == 25, "zones of one state, in NAD83")
        check(len(store["/buildings/id"]) == 800, "a filter on measures is left to the run")
    check(len(results) == 2, "from the store, and from PostgreSQL", len(results))
    (staged, _), (served, _) = results
    check(400 < staged["/buildings"].sum() < 800, "buildings", staged["/buildings"].sum())
    check_same("the selection", served.selection(), staged.selection())
    seen, wanted = contents(served), contents(staged)
    for path in wanted:
        if not path.startswith("zones/"):  # ogr2ogr makes multipolygons of them
            check(seen.get(path) == wanted[path], "PostgreSQL and the store differ in", path)


def nationwide():
    place, results = follow("nationwide.ini")
    check(len(results) == 1 and len(results[0][0].zones) == 26, "zones of all states")
    result, printed = results[0]
    with h5py.File(os.path.join(place, "nationwide.store.h5")) as store:
        check(len(store["/buildings/id"]) == sum(STATES.values()), "buildings of all states")
    check(result["/selection/id"].min() >= 1 and result["/selection/id"].max() <= sum(STATES.values()), "rows")
    check(result["/buildings"].sum() > 500, "buildings", result["/buildings"].sum())
    check("candidates" in printed and "  reads " in printed, "the plan", printed)


make_remote()
use_database("public_data")
massachusetts()
nationwide()
finish()
