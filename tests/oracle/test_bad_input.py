#!/usr/bin/python3
"""Bad input: the exit status, one line that names what and what to do, nothing left behind."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

TABLES = """
create table long_ids as select id, case when zip = '01003' then repeat('z', 1025) else zip end zip,
       boundary from zipcode;
create table twice as select * from zipcode union all select * from zipcode where zip = '01003';
create table nameless as select id, nullif(zip, '01003') as zip, boundary from zipcode;
create table anonymous as select id, case zip when '01003' then '' else zip end as zip, boundary from zipcode;
create table planar as select id, zip, ST_Transform(boundary, 3857) as boundary from zipcode;
create table lines as select id, zip, ST_Boundary(boundary) as boundary from zipcode;
create table points as select id, zip, ST_PointOnSurface(boundary)::geometry(Point, 4326) as boundary
  from zipcode;
create table "none" as select * from zipcode where false;
create table secret as select * from building;
do $$begin
  if not exists (select from pg_roles where rolname = 'pauper') then create role pauper login; end if;
  if not exists (select from pg_roles where rolname = 'single') then
    create role single login connection limit 2; end if;
end$$;
grant select on zipcode, building to pauper, single;
grant select on building to pauper;
create table partly as select * from building;
grant select (id, boundary, use) on partly to pauper;
"""
BARE = f"bare_{os.getpid()}"  # a database without PostGIS
B, Z = "buildings__", "zones__"
# name: (changes of the job, words that the line must have); all end with 2
JOBS = {
    "no building table": ({B + "table": "public.bulding"}, ["public.bulding", "public.building", "bad.ini:"]),
    "no zone table": ({Z + "table": "public.zipcod"}, ["public.zipcod", "public.zipcode", "bad.ini:"]),
    "no name of a table": ({Z + "table": "public.zip code"}, ["'public.zip code'", "bad.ini:"]),
    "no zone id column": ({Z + "id": "zipp"}, ["zipp", "'zip'", "bad.ini:"]),
    "no building id column": ({B + "id": "idd"}, ["idd", "'id'", "bad.ini:"]),
    "no zone geometry": ({Z + "geometry": "boundry"}, ["boundry", "'boundary'", "bad.ini:"]),
    "no building geometry": ({B + "geometry": "boundry"}, ["boundry", "'boundary'", "bad.ini:"]),
    "no field column": ({B + "fields": "heigth"}, ["heigth", "'height'"]),
    "no column in where": ({B + "where": "heigth > 10"}, ["heigth", "'height'", "bad.ini:"]),
    "no column in zones where": ({Z + "where": "stat = 'MA'"}, ["stat", "'state'"]),
    "a kept field called id": ({B + "fields": "id = height * 2", B + "keep": "id"},
                               ["keep", "the name 'id' itself"]),
    "a kept name that is none to netCDF": ({B + "fields": '" x" = height * 2', B + "keep": '" x"'},
                                     ["keep", "' x' cannot be the name of a dataset", "another one"]),
    "no kept field": ({B + "keep": "id, heigth"}, ["heigth", "'height'"]),
    "no permission": ({"source__connection": "user=pauper", B + "table": "secret"},
                      ["secret", "permission"]),
    "no permission for a field": ({"source__connection": "user=pauper", B + "table": "partly", B + "fields": "height"},
                                  ["[buildings] fields: no permission to select column 'height'"]),
    "no permission for a column": ({"source__connection": "user=pauper", B + "table": "partly", B + "fields": None,
                                    B + "where": "height > 10"},
                                   ["[buildings] where: no permission to select column 'height'"]),
    "geometry is a text": ({B + "geometry": "use"}, ["use", "text", "geometry", "bad.ini:"]),
    "zones are points": ({Z + "table": "points"}, ["olygon", "bad.ini:"]),
    "zones are lines": ({Z + "table": "lines"}, ["olygon", "bad.ini:"]),
    "no table like it": ({Z + "table": "zzzz.qqqqqqq"}, ["no table 'zzzz.qqqqqqq': check its name and schema"]),
    "SRIDs differ": ({Z + "table": "planar"}, ["3857", "4326"]),
    "zone ids too long": ({Z + "table": "long_ids"}, ["[zones] id", "1025 bytes", "1024"]),
    "duplicate zone ids": ({Z + "table": "twice"}, ["01003", "bad.ini:"]),
    "zone id is null": ({Z + "table": "nameless"},
                        ["bad.ini:7: [zones] id: a zone's id is null", "[zones] where = ... is not null"]),
    "zone id is empty": ({Z + "table": "anonymous"},
                         ["bad.ini:7: [zones] id: a zone's id is empty", "[zones] where = ... <> ''"]),
    "no zones": ({Z + "table": '"none"'}, ["is empty", "bad.ini:"]),
    "unknown statistic": ({"statistics__x": "maen(size)"}, ["maen", "mean"]),
    "no statistic like it": ({"statistics__x": "nosuch(size)"}, ["unknown statistic 'nosuch': the README lists them"]),
    "sum of a geometry": ({"statistics__x": "sum(boundary)"},
                          ["column 'boundary' is of type geometry", "a view can cast it"]),
    "unknown field": ({"statistics__x": "mean(heigth)"}, ["heigth", "height"]),
    "no argument": ({"statistics__x": "mean"}, ["mean"]),
    "mean of a text": ({"statistics__x": "mean(use)"}, ["use"]),
    "a bad quantile": ({"statistics__x": "quantile(size, 1.5)"}, ["1.5"]),
    "a bad histogram": ({"statistics__x": "histogram(size, 5, 5, 3)"}, ["histogram"]),
    "a name of the result": ({"statistics__zone": "count"}, ["zone"]),
    "a text for a number": ({B + "where": "height > 'tall'"}, ["height", "tall"]),
    "not a condition": ({B + "where": "height + 1"}, ["where"]),
    "a second statement": ({B + "where": "true; drop table building"}, [";"]),
    "an unknown function": ({B + "where": "pg_sleep(10) is null"}, ["pg_sleep"]),
    "unknown key": ({B + "feilds": "height"}, ["feilds", "fields"]),
    "unknown section": ({"statistcs__x": "count"}, ["statistcs", "statistics"]),
    "unknown predicate": ({B + "predicate": "witin"}, ["witin", "within"]),
    "unknown rule": ({B + "invalid": "ignore"}, ["ignore"]),
    "unknown kind": ({"source__kind": "postgre"}, ["postgre", "postgres"]),
    "little memory": ({"limits__memory": "1 MiB"}, ["memory"]),
    "no size": ({"limits__memory": "lots"}, ["lots"]),
    "no retries": ({"limits__retries": "-1"}, ["retries"]),
    "no table given": ({Z + "table": None}, ["table"]),
    "no server": ({"source__connection": "host=/nowhere"}, ["/nowhere", "bad.ini:5: [source] connection: "]),
    "no database": ({"source__connection": "dbname=nowhere"}, ["nowhere"]),
    "no such service": ({"source__connection": "service=nowhere"}, ["nowhere"]),
    "bad conninfo": ({"source__connection": "hots=x"}, ["hots"]),
    "no PostGIS": ({"source__connection": f"dbname={BARE}"}, ["PostGIS"]),
}

# What only reading the zones shows; staging and a scan say the same of it.
OF_ZONES = ("zones are lines", "duplicate zone ids", "zone id is null", "zone id is empty", "no zones")


def run_bad(what, arguments, words, ranks, statuses=(2,), output=None):
    start = time.monotonic()
    done = rooftally(*arguments, ranks=ranks, status=None, timeout=60)
    wall_s = time.monotonic() - start
    lines = done.stderr.splitlines()
    ours = [line for line in lines if line.startswith("rooftally: ")]
    what = f"{what}, {ranks} ranks:"
    check(done.returncode in statuses, what, "ends with", done.returncode)
    check(len(ours) == 1, what, len(ours), "lines", done.stderr)
    if ranks == 1:  # mpirun adds words of its own
        check(lines == ours or all(line.startswith("level=") for line in lines
                                   if line not in ours), what, "more lines", done.stderr)
    n_most = 260 + max([0, *(len(word) - 100 for word in arguments)])
    check(all(len(line) < n_most for line in ours), what, "a long line", ours)
    check(done.stdout == "" or ranks > 1, what, "writes", done.stdout)
    for word in words:
        check(any(word in line for line in ours), what, f"does not tell of {word!r}:", ours)
    check(wall_s < 20, what, f"took {wall_s:.0f} s")
    if output:
        check(not os.path.exists(output), what, "left a result")
        check(leftovers(os.path.basename(output)[:-3]) == [], what, "left",
              leftovers(os.path.basename(output)[:-3]))


def jobs():
    for n, (what, (changes, words)) in enumerate(JOBS.items()):
        for ranks in (1, 3) if n % 3 == 0 else (1,):  # starting mpirun takes its time
            output = os.path.join(folder, "bad.h5")
            run_bad(what, ["run", write_job("bad", **changes), "-o", output], words, ranks,
                    output=output)
        if not what.startswith("no such service"):
            run_bad(f"plan with {what}", ["plan", write_job("bad", **changes)], words, 1)
        if what in OF_ZONES:
            run_bad(f"stage with {what}", ["stage", write_job("bad", **changes), "-o", output], words, 1,
                    output=output)
            run_bad(f"scan with {what}", ["run", write_job("bad", **changes), "--set", "source.fetch=scan", "-o",
                                          output], words, 1, output=output)


def outputs():
    job = write_job("good")
    there = os.path.join(folder, "there.h5")
    with open(there, "wb") as file:
        file.write(b"what was there")
    for ranks in (1, 3):
        for what, path, words in (
                ("a result is there", there, [there, "--force"]),
                ("no such folder", os.path.join(folder, "nowhere/x.h5"), ["nowhere"]),
                ("a folder that takes no files", "/proc/x.h5", ["/proc"]),
                ("a folder as output", folder, [folder]),
                ("no room for longer names", os.path.join(folder, "x" * 249), ["too long", ".partial-"]),
                ("too long itself", os.path.join(folder, "x" * 256), ["too long"])):
            run_bad(what, ["run", job, "-o", path], words, ranks)
        with open(there, "rb") as file:
            check(file.read() == b"what was there", "the older result is untouched")
        check(leftovers("there") == ["there.h5"], "left", leftovers("there"))
    rooftally("run", job, "-o", there, "--force", "--quiet")
    check(len(Result(there).zones) == 5, "--force replaces")
    for name in ("x" * 249, "x" * 256):
        path = os.path.join(folder, name)
        run_bad("a store without room", ["stage", job, "-o", path], ["too long", ".partial"], 1)
        run_bad("an export without room", ["export", there, "-o", path], ["too long", ".partial-"], 1)


def links_of(path):
    """The path itself, a symbolic and a hard link."""
    links = [path, path + ".symbolic", path + ".hard"]
    os.symlink(links[0], links[1])
    os.link(links[0], links[2])
    return links


def inputs_as_outputs():
    """A job never replaces what it reads, whatever name that goes by."""
    store = os.path.join(folder, "input.store.h5")
    rooftally("stage", write_job("good"), "-o", store, "--quiet")
    job = write_job("of_store", source={"kind": "store", "path": store})
    server = write_job("of_server", source={"kind": "postgres", "path": store})
    for path, which in ((store, "the store"), (job, "the job file")):
        with open(path, "rb") as file:
            before = file.read()
        for link in links_of(path):
            for option in ("--quiet", "--force", "--resume"):
                run_bad(f"its input, {option}", ["run", job, "-o", link, option], [link, which], 1)
        for arguments in (["run", job, "-o", path, "--force"],
                          ["run", job, "--set", f"job.output={path}", "--force"]):
            run_bad("its input", arguments, [path, which], 3 if arguments[2] == "-o" else 1)
        with open(path, "rb") as file:
            check(file.read() == before, "its input is untouched")
    check(sorted(os.path.basename(path) for path in glob.glob(os.path.join(folder, "*input*")))
          == [f"input.store.h5{end}" for end in ("", ".hard", ".symbolic")], "leftovers")
    run_bad("stage onto its job", ["stage", job, "-o", job + ".hard", "--force"], ["the job file"], 1)
    rooftally("stage", server, "-o", store, "--force", "--quiet")  # which it does not read


def command_lines():
    job = write_job("good")
    for arguments, words in (
            (["run"], ["job file"]), (["run", "nowhere.ini"], ["nowhere.ini"]),
            (["run", job, "more"], ["more"]), (["run", job, "--ste", "a.b=c"], ["--ste"]),
            (["run", job, "--set", "buildings.wehre=true"], ["wehre", "where"]),
            (["run", job, "--set", "nonsense"], ["section.key=value"]), (["run", job, "-o"], ["-o"]),
            (["run", job, "--set", "job.output="], ["output"]),
            (["rum", job], ["rum", "run"]), ([], ["help"]), (["plan"], ["job file"]),
            (["info"], []), (["info", "/nowhere.h5"], ["/nowhere.h5"]), (["info", job], [job]),
            (["generate"], ["--postgres"]),
            (["generate", "--postgres", "", "--zones", "x", "--buildings", "1"], ["zones", "x"]),
            (["generate", "--postgres", "", "--zones", "5", "--buildings", "10"],
             ["zipcode", "--force"])):
        ranks = (1, 3) if arguments[:1] == ["run"] else (1,)
        for n in ranks:
            run_bad(f"rooftally {' '.join(arguments)}", arguments, words, n)


def connections():
    """Three ranks need three connections, the role has two: nothing is started."""
    output = os.path.join(folder, "bad.h5")
    job = write_job("bad", source__connection="user=single")
    run_bad("too few connections", ["run", job, "-o", output], ["connection"], 5, (1, 2), output)
    query("alter role single connection limit 0")
    run_bad("no connection", ["run", job, "-o", output], ["connection"], 1, (1, 2), output)


def ranks_apart():
    """Ranks that were started with different files or options make no result of several jobs."""
    output, other_output = (os.path.join(folder, name) for name in ("bad.h5", "other.h5"))
    stores = [os.path.join(folder, f"{name}.store.h5") for name in ("first", "second")]
    for i, store in enumerate(stores):
        rooftally("generate", store, "--zones", "5", "--buildings", "500", "--seed", str(i), "--quiet")
    job, other = write_job("bad"), write_job("other", buildings__where="height > 50")
    kinds = [["--set", "source.kind=store", "--set", f"source.path={store}"] for store in stores]
    for what, first, last, words in (
            ("jobs", ["run", job, "-o", output], ["run", other, "-o", output],
             ["rank 2", "another job", "[buildings] where", "50"]),
            ("an option", ["run", job, "-o", output], ["run", job, "-o", output, "--set",
                                                       "statistics.n=count(size)"],
             ["rank 2", "[statistics] n", "count(size)"]),
            ("outputs", ["run", job, "-o", output], ["run", job, "-o", other_output],
             ["rank 2", "[job] output", other_output[-20:]]),
            ("stores", ["run", job, "-o", output, *kinds[0]], ["run", job, "-o", output, *kinds[1]],
             ["source.path", "rank 2", "the same store"]),
            ("jobs of a store", ["stage", job, "-o", output], ["stage", other, "-o", output],
             ["rank 2", "another job", "[buildings] where"])):
        run_bad(f"{what} apart", [*first, ":", "-n", "1", ROOFTALLY, *last], words, 2, output=output)
    empty = os.path.join(folder, "empty.ini")
    with open(empty, "w", encoding="ascii"):
        pass
    run_bad("an empty job", ["run", empty], ["empty.ini", "it is empty"], 1)


use_database("bad_input")
generate(5, 1000, 1)
query(TABLES)
query(f"create database {BARE} template template0")
jobs()
outputs()
inputs_as_outputs()
command_lines()
ranks_apart()
connections()
query(f"drop database {BARE}")
query("drop owned by pauper, single; drop role pauper, single")
finish()
