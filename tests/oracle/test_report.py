#!/usr/bin/python3
"""A result as a page: its numbers, its map and its texts, as a browser would read them."""

import html.parser
import os
import pty
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403
import numpy  # noqa: E402

VOID = {"meta", "input", "br"}  # and those whose end HTML lets one leave out:
OPEN = {"tr", "td", "th", "p"}
KNOWN = VOID | OPEN | {"html", "head", "title", "style", "body", "h1", "h2", "table", "thead", "tbody", "i", "div",
                       "label", "svg", "path", "span", "figure", "figcaption", "rect", "polyline", "text", "code",
                       "pre"}


class Page(html.parser.HTMLParser):
    """Tables by heading, paths by class, and whether all that is opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.headings, self.tables, self.paths, self.labels, self.styles = [], [], {}, [], [], ""
        self.texts = []
        self.feed(text)
        self.close()
        check(not self.open, "left open:", self.open)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        check(tag in KNOWN, "an unknown tag", tag)
        check(not any(name.startswith("on") or name in ("href", "src", "action") for name in attributes),
              "an attribute that acts:", attributes)
        if tag not in VOID | OPEN:
            self.open.append(tag)
        if tag == "h2":
            self.headings.append("")
        elif tag == "tr":
            self.tables.setdefault(self.headings[-1] if self.headings else "", []).append([])
        elif tag in ("td", "th"):
            self.tables[self.headings[-1] if self.headings else ""][-1].append("")
        elif tag == "label":
            self.labels.append("")
        elif tag == "path" and "d" in attributes and re.match("[a-z][0-9n]", attributes.get("class", "")):
            self.paths.append([attributes["class"].split(), attributes["d"], ""])

    def handle_endtag(self, tag):
        if tag in OPEN:
            return
        check(self.open and self.open[-1] == tag, "closed:", tag, self.open[-3:])
        self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)
        last = self.open[-1] if self.open else ""
        if last == "style":
            self.styles += data
        elif last == "h2":
            self.headings[-1] += data
        elif last == "label":
            self.labels[-1] += data
        elif self.open[-2:] == ["path", "title"] and self.paths:
            self.paths[-1][2] += data
        elif last in ("tbody", "thead", "i"):
            table = self.tables.get(self.headings[-1] if self.headings else "")
            if table and table[-1]:
                table[-1][-1] += data.rstrip("\n")


def page_of(path, *options):
    name = path[:-3] + ".html"
    rooftally("report", path, "-o", name, *options)
    with open(name, encoding="utf-8") as file:
        return file.read()


def shown(value, is_real):
    """A number as the page has it."""
    if numpy.isnan(value):
        return ""
    return f"{value:.6g}" if is_real and abs(value) < 1e6 else f"{round(value):,}"


use_database("report")
generate(60, 6000, 11)
result = run("page", ranks=3, buildings__where="height > 8", buildings__fields="height, size, year_built, use",
             statistics={"n": "count", "total": "sum(size)", "oldest": "min(year_built)", "spread": "stddev(height)",
                         "commonest": "mode(use)", "uses": "frequency(use)", "bins": "histogram(height, 0, 60, 12)",
                         "tallest": "top(height, 2)"})
text = page_of(result.path)
page = Page(text)
check("<script" not in text and "default-src 'none'" in text, "it is no page without scripts")
check(page.headings == ["Map", "Statistics", "Distributions", "Ranks", "Memory over time", "Slowest zones", "Zones",
                        "Provenance", "Job"], "parts:", page.headings)

# candidates
rows = {row[0]: int(row[1].replace(",", "")) for row in page.tables[""]}
telemetry = {name: int(result[f"/telemetry/zone/{name}"].sum())
             for name in ("candidates", "selected", "outside", "filtered", "rejected", "refined")}
check(rows == telemetry, "candidates:", rows, telemetry)

# statistics, and the classes of the map: sevenths of the zones
NUMBERS = [("n", False), ("total", True), ("oldest", True), ("spread", True)]
check(page.labels == [name for name, _ in NUMBERS], "on the map:", page.labels)
check(len(page.paths) == 60, len(page.paths), "zones are drawn")
rows = {row[0]: row for row in page.tables["Statistics"][1:]}
check(list(rows) == ["n", "total", "oldest", "spread", "commonest", "uses", "bins", "tallest", "tallest_id"], rows)
for k, (name, is_real) in enumerate(NUMBERS):
    values = result[f"/{name}"].astype(float)
    there = numpy.sort(values[~numpy.isnan(values)])
    wanted = [shown(value, is_real) for value in (there[0], numpy.median(there), there[-1])]
    if not is_real:
        wanted[1] = f"{int(numpy.median(there)):,}"
    check(rows[name][3:] == [str(len(there)), *wanted], name, "comes to", rows[name], wanted)
    breaks = []
    for seventh in range(1, 7):
        at = there[len(there) * seventh // 7]
        if at > (breaks[-1] if breaks else there[0]):
            breaks.append(at)
    letter = "abcdefghijkl"[k]
    for zone, value, (classes, _, title) in zip(result.zones, values, page.paths):
        word = "n" if numpy.isnan(value) else str(sum(value >= at for at in breaks))
        check(classes[k] == letter + word, name, "of zone", zone, value, "is", classes[k], "of", breaks)
        line = title.split("\n")[1 + k]
        check(title.split("\n")[0] == zone and line == f"{name}: {shown(value, is_real) or 'none'}", "title", title)
    for i in range(len(breaks) + 1):
        check(f"#m{k}:checked~svg .{letter}{i}{{fill:#" in page.styles, "no colour for", letter, i)

# where the zones are drawn: a cosine makes degrees of longitude as long as they are
boxes = numpy.array([result[f"/zones/{side}"] for side in ("xmin", "ymin", "xmax", "ymax")]).T
west, north = boxes[:, 0].min(), boxes[:, 3].max()
middle = (boxes[:, 1].min() + north) / 2
scale = 2000 / (boxes[:, 2].max() - west)
for zone, box, (_, d, _) in zip(result.zones, boxes, page.paths):
    x, y, xs, ys = 0, 0, [], []
    for letter, numbers in re.findall("([MlhvHVz])([-0-9 ]*)", d):
        numbers = [int(number) for number in numbers.split()]
        if letter == "M":
            x, y = numbers
            xs.append(x), ys.append(y)
        elif letter == "l":
            for dx, dy in zip(numbers[::2], numbers[1::2]):
                x, y = x + dx, y + dy
                xs.append(x), ys.append(y)
    wanted = [(box[0] - west) * scale, (box[2] - west) * scale,
              (north - box[3]) * scale / numpy.cos(numpy.radians(middle)),
              (north - box[1]) * scale / numpy.cos(numpy.radians(middle))]
    got = [min(xs), max(xs), min(ys), max(ys)]
    check(max(abs(a - b) for a, b in zip(got, wanted)) <= 1, "zone", zone, "is drawn at", got, wanted)

# counts of all zones
for name, keys in (("uses", "category"), ("bins", None)):
    total = result[f"/{name}"].sum(axis=0)
    if keys:
        categories = texts(result["/uses_category"])
        wanted = sorted(zip(categories, total), key=lambda pair: -pair[1])
        rows = [(row[0], int(row[2].replace(",", ""))) for row in page.tables["Distributions"]]
        check(sorted(rows) == sorted((a, int(b)) for a, b in wanted) and [n for _, n in rows] == sorted(
            (n for _, n in rows), reverse=True), "uses:", rows, wanted)
    else:
        wanted = [f"{5 * i}..{5 * i + 5}: {n:,}" for i, n in enumerate(total)]
        check(all(line in page.texts for line in wanted), "bins:", wanted)

# ranks, slowest zones, all zones, the job
check([row[0] for row in page.tables["Ranks"][1:]] == ["0", "1", "2"], "ranks:", page.tables["Ranks"])
seconds = result["/telemetry/zone/seconds"]
slowest = [result.zones[i] for i in numpy.argsort(-seconds, kind="stable")[:10]]
check([row[0] for row in page.tables["Slowest zones"][1:]] == slowest, "slowest:", slowest)
rows = page.tables["Zones"]
check(rows[0] == ["zone", "n", "total", "oldest", "spread", "commonest"] and len(rows) == 61, "zones:", rows[0])
for zone, word, row in zip(result.zones, texts(result["/commonest"]), rows[1:]):
    check(row[0] == zone and row[5] == word, "zone", zone, word, row)
check(any("histogram(height, 0, 60, 12)" in part for part in page.texts), "the job is not on it")

# words that mean harm are text
HARM = ["'; drop table building; --", "<script>alert(1)</script>", "</title><img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)", "&lt;b&gt;", "\u202eexe", "\u009b31m", "two\nlines", "\x1b]0;owned\x07"]
query("create table harm (id text, shape geometry(polygon, 4326));")
for i, word in enumerate(HARM):
    literal = "E'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"
    query(f"insert into harm values ({literal}, ST_MakeEnvelope({i}, 0, {i} + 1, 1, 4326))")
harm = run("harm", zones={"table": "harm", "id": "id", "geometry": "shape"},
           buildings={"table": "harm", "id": "id", "geometry": "shape", "fields": "word = id", "keep": "id"},
           job={"title": HARM[2]}, statistics={"n": "count", "word": "mode(word)", "words": "frequency(word)"})
page = Page(page_of(harm.path))
clean = {re.sub("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", "\ufffd", word) for word in HARM}
check({row[0] for row in page.tables["Zones"][1:]} == clean, "ids:", page.tables["Zones"])
check({row[-1] for row in page.tables["Zones"][1:]} == clean, "words:", page.tables["Zones"])
check({title.split("\n")[0] for _, _, title in page.paths} == clean, "titles")
check({row[0] for row in page.tables["Distributions"]} == clean, "categories")

# dates are dates in tables, under the pointer and in legends
query("""create table day (id text, day date, shape geometry(polygon, 4326));
  insert into day select n, date '1350-03-01' + n, ST_MakeEnvelope(n, 0, n + 1, 1, 4326) from generate_series(0, 7) n""")
day = run("day", zones={"table": "day", "id": "id", "geometry": "shape"}, statistics={"first": "min(day)"},
          buildings={"table": "day", "id": "id", "geometry": "shape", "fields": "day", "keep": "id"})
page = Page(page_of(day.path))
days = [f"1350-03-0{n + 1}" for n in range(8)]
check(page.tables["Statistics"][1][4:] == [days[0], "1350-03-04T12:00:00", days[7]], page.tables["Statistics"])
check([row[1] for row in page.tables["Zones"][1:]] == days, page.tables["Zones"])
check([(classes[0], title) for classes, _, title in page.paths]
      == [(f"a{min(n, 6)}", f"{n}\nfirst: {d}") for n, d in enumerate(days)], page.paths)
check([part for part in page.texts if " to " in part and "1350" in part]
      == [*(f"{days[n]} to below {days[n + 1]}" for n in range(6)), f"{days[6]} to {days[7]}"], "legend", page.texts)

# an output is whole, new, or not touched
name = result.path[:-3] + ".html"
check("--force" in rooftally("report", result.path, "-o", name, status=2).stderr, "no word of --force")
rooftally("report", os.path.join(folder, "page.ini"), "-o", name, "--force", status=2)
with open(name, encoding="utf-8") as file:
    check(file.read() == text, "a failed report changed its output")
done = rooftally("report", result.path, "-o", result.path, "--force", status=2)
check("the result itself" in done.stderr, "onto itself:", done.stderr)
check("takes one result" in rooftally("report", status=2).stderr, "no result")
store = os.path.join(folder, "store.h5")
rooftally("generate", store, "--zones", "2", "--buildings", "50", "--seed", "1", "--quiet")
check("is a store, not a result" in rooftally("report", store, "-o", name + "x", status=2).stderr, "a store")
done = subprocess.run([ROOFTALLY, "report", result.path], stdout=open("/dev/full", "w"), stderr=subprocess.PIPE,
                      env=environment)
check(done.returncode == 1 and done.stderr.count(b"\n") == 1, "full disk:", done.stderr)
done = subprocess.run([ROOFTALLY, "report", result.path], stdout=subprocess.PIPE, env=environment)
check(done.returncode == 0 and done.stdout.decode() == text, "standard output")
ours, theirs = pty.openpty()
done = subprocess.run([ROOFTALLY, "report", result.path], stdin=subprocess.DEVNULL, stdout=theirs,
                      stderr=subprocess.PIPE, env=environment)
check(done.returncode == 2 and b"-o report.html" in done.stderr, "on a terminal:", done.stderr)
os.close(ours), os.close(theirs)
finish()
