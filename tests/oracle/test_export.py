#!/usr/bin/python3
"""Ids and words that mean harm are data everywhere: in statements, result, terminal, CSV and
GeoJSON."""

import csv
import json
import os
import pty
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

use_database("export")
WORDS = ["'; drop table building; --", '"', "a,b", "two\nlines\r\n", "\x1b]0;owned\x07\x1b[31m",
         "e\u0301\u0300", "\u202eexe", "\u009b31m", "=cmd|' /C calc'!A0", "-1+1", "-12.5", "@x",
         "+1", "\t=1", "\uff1d1", "</script><b>", "\\", "%s%n", "\U0001f3e0", "x" * 900]
FORMULAS = [word for word in WORDS if word[0] in "=+-@\t\uff1d" and word not in ("-12.5", "+1")]


def literal(text):
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


query("create table zone (id text, shape geometry(polygon, 4326));"
      "create table building (id text, word text, size float8, shape geometry(polygon, 4326));")
for i, word in enumerate(WORDS):
    # zone i has i + 1 buildings; the first one's id and all their words are word i
    query(f"insert into zone values ({literal(word)}, ST_MakeEnvelope({i}, 0, {i} + 1, 1, 4326));"
          "insert into building select case k when 0 then " + literal(word) + " else "
          f"k || '/{i}' end, {literal(word)}, 900 - k, "
          f"ST_MakeEnvelope({i}.1 + k / 100.0, 0.1, {i}.105 + k / 100.0, 0.2, 4326) "
          f"from generate_series(0, {i}) k")

result = run("harm", ranks=2, zones={"table": "zone", "id": "id", "geometry": "shape"},
             buildings={"table": "building", "id": "id", "geometry": "shape",
                        "fields": "word, size", "keep": "id, word"},
             statistics={"n": "count", "word": "mode(word)", "words": "frequency(word)",
                         "largest": "top(size, 1)", "least": "min(size)", "h":
                         "histogram(size, 880, 900.5, 2)"})
check(int(query("select count(*) from building")[0][0]) == sum(range(len(WORDS) + 1)),
      "a table is gone")
order = sorted(WORDS, key=lambda word: word.encode())
check(result.zones == order, "zone ids:", result.zones)
path = result.path


def exported(*options):
    done = subprocess.run([ROOFTALLY, "export", path, *options], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=environment)
    check(done.returncode == 0 and not done.stderr, "export", options, done.stderr)
    return done.stdout.decode()


for options, prefix in (((), "'"), (("--raw",), "")):
    rows = list(csv.DictReader(io.StringIO(exported(*options), newline="")))
    check(len(rows) == len(WORDS), len(rows), "rows")
    for word, row in zip(order, rows):
        shown = prefix + word if word in FORMULAS else word
        n = WORDS.index(word) + 1
        check(row["zone"] == shown and row["word"] == shown and row["largest_id=1"] == shown,
              "a cell of", repr(word), row["zone"], row["word"])
        check(row["n"] == str(n) and row["words=" + word] == str(n), "counts of", repr(word))
        check(float(row["least"]) == 900 - n + 1 and float(row["largest=1"]) == 900)
        check(int(row["h=880..890.25"]) + int(row["h=890.25..900.5"]) == n, "bins of", repr(word))
        check(all(row["words=" + other] == "0" for other in WORDS if other != word))

collection = json.loads(exported("--format", "geojson"))
check(len(collection["features"]) == len(WORDS), "features")
for word, feature in zip(order, collection["features"]):
    i = WORDS.index(word)
    check(feature["id"] == word and feature["properties"]["zone"] == word, repr(word))
    check(feature["properties"]["words=" + word] == i + 1, repr(word))
    check(feature["geometry"] == {"type": "Polygon", "coordinates": [
        [[i, 0], [i + 1, 0], [i + 1, 1], [i, 1], [i, 0]]]} or
        sorted(map(tuple, feature["geometry"]["coordinates"][0][1:])) == sorted(
            [(i, 0), (i + 1, 0), (i + 1, 1), (i, 1)]), "polygon of", repr(word))
for ending, first in ((".json", b"{"), (".GeoJSON", b"{"), (".JSON", b"{"), (".CSV", b'"'), (".geojson.csv", b'"')):
    name = os.path.join(folder, "ending" + ending)
    rooftally("export", path, "-o", name)
    check(open(name, "rb").read(1) == first, ending, "is written as the other format")
if shutil.which("ogrinfo"):
    name = os.path.join(folder, "harm.geojson")
    rooftally("export", path, "-o", name)
    said = subprocess.run(["ogrinfo", "-ro", "-so", "-al", name], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", errors="replace").stdout
    check(f"Feature Count: {len(WORDS)}" in said and "Polygon" in said, "ogrinfo:", said[:500])
else:
    print("not looked at: ogrinfo is not there")

# dates and timestamps are such, whatever statistic they come from; what no calendar has is a number
query("""create table year (id text, shape geometry(polygon, 4326));
  insert into year select chr(65 + n), ST_MakeEnvelope(n, 0, n + 1, 1, 4326) from generate_series(0, 2) n;
  create table event (id int, day date, moment timestamp, shape geometry(point, 4326));
  insert into event values (1, '1350-03-01', '2300-01-01', 'srid=4326; point(0.5 0.5)'),
    (2, '1350-03-02', '2300-01-01 00:00:01', 'srid=4326; point(0.5 0.5)'),
    (3, '9999-12-31', '1969-12-31 23:59:59.999999', 'srid=4326; point(1.5 0.5)'),
    (4, '12026-01-01', '11000-01-01', 'srid=4326; point(1.5 0.5)')""")
dated = run("dated", zones={"table": "year", "id": "id", "geometry": "shape"},
            buildings={"table": "event", "id": "id", "geometry": "shape", "fields": "day, moment"},
            statistics={"first": "min(day)", "middle": "median(day)", "usual": "mode(day)", "days": "range(day)",
                        "days_iqr": "iqr(day)", "last": "top(day, 2)", "days_n": "variety(day)",
                        "begin": "min(moment)", "end": "max(moment)", "half": "median(moment)", "us": "range(moment)"})
DATED = {"A": ["1350-03-01", "1350-03-01T12:00:00", "1350-03-01", 1, 0.5, "1350-03-02", "1350-03-01", 2,
               "2300-01-01T00:00:00", "2300-01-01T00:00:01", "2300-01-01T00:00:00.500000", 1000000],
         "B": ["9999-12-31", 3302887.5, "9999-12-31", 739983, 369991.5, 3672879, "9999-12-31", 2,
               "1969-12-31T23:59:59.999999", 284959296000000000, "6484-12-31T00:00:00", 284959296000000000],
         "C": [None] * 12}
NAMES = ["first", "middle", "usual", "days", "days_iqr", "last=1", "last=2", "days_n", "begin", "end", "half", "us"]
rows = csv.DictReader(io.StringIO(rooftally("export", dated.path).stdout, newline=""))
cells = {row["zone"]: [row[name] for name in NAMES] for row in rows}
check({zone: [float(cell) if "-" not in cell and cell else cell or None for cell in row]
       for zone, row in cells.items()} == DATED, "dates:", cells)
features = json.loads(rooftally("export", dated.path, "--format", "geojson").stdout)["features"]
cells = {feature["id"]: [feature["properties"][name] for name in NAMES] for feature in features}
check(cells == DATED, "dates:", cells)
shown = rooftally("info", dated.path).stdout
for span in ("1350-03-01 to 9999-12-31", "1350-03-01T12:00:00 to 3302887.5", "1 to 739983",
             "1969-12-31T23:59:59.999999 to 2300-01-01T00:00:00", "2300-01-01T00:00:01 to 2.84959296e+17"):
    check(f"  {span}\n" in shown, "info:", span, "is not in", shown)

# what stands for a missing number is a category like any other
query("alter table event add number bigint; update event set number = -9223372036854775806 + id % 2")
numbered = run("numbered", zones={"table": "year", "id": "id", "geometry": "shape"},
               buildings={"table": "event", "id": "id", "geometry": "shape", "fields": "number"},
               statistics={"of": "frequency(number)"})
head = rooftally("export", numbered.path).stdout.splitlines()[0]
check("\"of=-9223372036854775806\",\"of=-9223372036854775805\"" in head, "categories:", head)

# nothing of it steers a terminal
for arguments in (["export", path], ["export", path, "--format", "geojson"], ["info", path],
                  ["plan", os.path.join(folder, "harm.ini")]):
    ours, theirs = pty.openpty()
    done = subprocess.Popen([ROOFTALLY, *arguments], stdin=subprocess.DEVNULL, stdout=theirs,
                            stderr=theirs, env=environment)
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    check(done.wait() == 0, arguments, "ended with", done.returncode)
    text = seen.decode()
    check(len(text) > 300, arguments, "said little:", text)
    check(not any(ord(c) < 32 and c not in "\r\n" or 127 <= ord(c) < 160 or c == "\u202e"
                  for c in text), arguments, "writes control characters")
    os.close(ours)

held = os.path.join(folder, "held.so")  # fsync says that it is reached, and waits
subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", held], check=True, encoding="utf-8",
               input="#include <fcntl.h>\n#include <unistd.h>\n"
                     f'int fsync(int f) {{ (void)f; close(creat("{held}.here", 0600));'
                     f'for (int i = 0; i < 6000 && access("{held}.go", 0); i++) usleep(10000); return 0; }}')

# an output is whole, new, or not touched
name = os.path.join(folder, "out.csv")
rooftally("export", path, "-o", name)
before = open(name, "rb").read()
check("--force" in rooftally("export", path, "-o", name, status=2).stderr, "no word of --force")
rooftally("export", os.path.join(folder, "harm.ini"), "-o", name, "--force", status=2)
check(open(name, "rb").read() == before, "a failed export changed its output")
done = subprocess.run([ROOFTALLY, "export", path], stdout=open("/dev/full", "w"),
                      stderr=subprocess.PIPE, env=environment)
check(done.returncode == 1 and done.stderr.count(b"\n") == 1, "full disk:", done.stderr)
for itself in (path, os.path.join(folder, "link.h5")):
    if itself != path:
        os.link(path, itself)
    done = rooftally("export", path, "-o", itself, "--force", status=2)
    check("the result itself" in done.stderr, "onto itself:", done.stderr)
    check(h5py.is_hdf5(path), "the result is gone")
mode = os.umask(0o027)
rooftally("export", path, "-o", name, "--force")
os.umask(mode)
check(open(name, "rb").read() == before and os.stat(name).st_mode & 0o777 == 0o640, "replaced")
check(not glob.glob(name + ".partial*"), "a partial file is left")


def start_held(output):
    """An export that has written all, and whose file has no name yet."""
    if os.path.exists(held + ".here"):
        os.unlink(held + ".here")
    process = subprocess.Popen(
        [ROOFTALLY, "export", path, "-o", output], stderr=subprocess.PIPE, encoding="utf-8",
        env=dict(environment, LD_PRELOAD=held, ASAN_OPTIONS="verify_asan_link_order=0"))
    until = time.time() + 20
    while not os.path.exists(held + ".here") and time.time() < until:
        time.sleep(0.02)
    check(os.path.exists(held + ".here"), "the export was not held")
    return process


# killed in its middle, by whatever signal, it leaves nothing
for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
    killed = os.path.join(folder, "killed.csv")
    done = start_held(killed)
    done.send_signal(signal_number)
    check(done.wait() == -signal_number, "ended with", done.returncode)
    check(not glob.glob(killed + "*"), "left", glob.glob(killed + "*"))

# what has come into being in its middle stays
late = os.path.join(folder, "late.csv")
done = start_held(late)
for file_name in (late, held + ".go"):
    with open(file_name, "w", encoding="ascii") as file:
        file.write("precious")
stderr = done.communicate(timeout=60)[1]
check(done.returncode == 1 and "--force" in stderr, "made meanwhile:", done.returncode, stderr)
check(open(late, encoding="ascii").read() == "precious", "it is gone")
check(glob.glob(late + "*") == [late], "left", glob.glob(late + "*"))
finish()
