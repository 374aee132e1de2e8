"""What the tests against PostGIS share: databases, runs of the program, results, verdicts."""

import csv
import glob
import io
import subprocess
import sys

import h5py
import numpy

from verdict import *  # noqa: F403

FILL_INTEGER = -9223372036854775806
NULL = "\\N"  # a NULL in the rows of query(): texts are told from it

if "PGHOST" not in os.environ:
    skip("no PGHOST: run under jobs/cluster")

# Databases -----------------------------------------------------------------------------------


def query(sql):
    """Rows of a statement, as lists of texts; a NULL is "\\N"."""
    done = subprocess.run(
        ["psql", "-XqtA", "--csv", "-P", f"null={NULL}", "-v", "ON_ERROR_STOP=1"],
        input=sql, stdout=subprocess.PIPE, encoding="utf-8",
        env=dict(environment, PGOPTIONS="-c client_min_messages=warning"))
    if done.returncode:
        raise RuntimeError(f"psql ended with {done.returncode} on: {sql[:300]}")
    return list(csv.reader(io.StringIO(done.stdout, newline="")))


def pairs(sql):
    """(zone, building) rows; numbers as text, so that any id type compares."""
    return [tuple(row) for row in query(sql)]


def use_database(name):
    """A new database of this test's own: PGDATABASE points to it until the test ends."""
    name = f"{name}_{os.getpid()}"
    query(f'create database "{name}"')
    environment["PGDATABASE"] = name
    query("create extension if not exists postgis")
    atexit.register(subprocess.run, ["dropdb", "--force", name],
                    env=environment)


def generate(zones, buildings, seed, *more):
    rooftally("generate", "--postgres", "", "--zones", str(zones), "--buildings",
              str(buildings), "--seed", str(seed), "--quiet", *more)


class Hold:
    """A lock in the database, held until release(): see make_held_view."""

    def __init__(self):
        self.session = subprocess.Popen(
            ["psql", "-XqtA"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            encoding="utf-8", env=environment)
        self.session.stdin.write("select pg_advisory_lock(4711), 'held';\n")
        self.session.stdin.flush()
        assert "held" in self.session.stdout.readline()

    def release(self):
        self.session.communicate()


def make_held_view(view, table):
    """A view of a building table whose rows wait while a Hold exists: a job can be stopped in
    the middle of its work, after it took its snapshot."""
    query(f"""
        create function held(x float8) returns float8 language plpgsql volatile as
          $$begin perform pg_advisory_lock_shared(4711);
                  perform pg_advisory_unlock_shared(4711); return x; end$$;
        create view {view} as select id, held(height) as height, size, year_built, use, notes,
          boundary from {table}""")


def n_held():
    return int(query("""select count(*) from pg_locks l join pg_stat_activity using (pid)
                        where locktype = 'advisory' and not granted
                        and datname = current_database()""")[0][0])


# Runs ----------------------------------------------------------------------------------------


def write_job(name, text="", **changes):
    """Write a job file: the plain job on public.zipcode and public.building, with sections
    replaced (statistics={...}) or keys changed (buildings__where="height > 10"; None: no
    such key). `text` comes after it as it is."""
    job = {
        "job": {"title": name},
        "source": {"kind": "postgres"},
        "zones": {"table": "public.zipcode", "id": "zip", "geometry": "boundary"},
        "buildings": {"table": "public.building", "id": "id", "geometry": "boundary",
                      "fields": "height, size, year_built, use"},
        "statistics": {"buildings": "count"},
        "limits": {"memory": "64 MiB"},
    }
    for key, value in changes.items():
        section, _, name_of_key = key.partition("__")
        if name_of_key:
            job.setdefault(section, {})[name_of_key] = value
        else:
            job[section] = value
    path = os.path.join(folder, f"{name}.ini")
    with open(path, "w", encoding="utf-8") as file:
        for section, keys in job.items():
            file.write(f"[{section}]\n")
            for key, value in keys.items():
                if value is not None:
                    file.write(f"{key} = {value}\n")
        file.write(text)
    return path


def run(name, ranks=1, options=(), **changes):
    """Write the job, run it, open its result."""
    job = write_job(name, **changes)
    output = os.path.join(folder, f"{name}.h5")
    rooftally("run", job, "-o", output, "--force", "--quiet", *options, ranks=ranks)
    return Result(output)


def leftovers(name):
    """Files that a run left beside its output."""
    return [os.path.basename(path) for path in glob.glob(os.path.join(folder, f"{name}.h5*"))]


# Results -------------------------------------------------------------------------------------


def texts(values):
    """Ids as text, whatever they are stored as."""
    if values.dtype.kind == "S":
        return [value.decode() for value in values]
    return [str(value) for value in values]


class Result:
    def __init__(self, path):
        self.path = path
        self.file = h5py.File(path, "r")
        self.zones = texts(self["/zone"])

    def __getitem__(self, name):
        return self.file[name][()]

    def selection(self):
        """(zone, building) of every selected building, in the file's order."""
        offset, ids = self["/selection/offset"], texts(self["/selection/id"])
        check(len(offset) == len(self.zones) + 1 and offset[0] == 0 and offset[-1] == len(ids),
              "offsets of the selection")
        return [(zone, ids[i]) for z, zone in enumerate(self.zones)
                for i in range(offset[z], offset[z + 1])]

    def rejected(self):
        """(zone, building, reason)"""
        return list(zip(texts(self["/rejected/zone"]), texts(self["/rejected/id"]),
                        texts(self["/rejected/reason"])))

    def check_accounts(self, what):
        """candidates = selected + outside + filtered + rejected, decided + refined besides."""
        count = {name: self[f"/telemetry/zone/{name}"] for name in
                 ("candidates", "selected", "outside", "filtered", "rejected", "decided",
                  "refined")}
        check((count["candidates"] == count["selected"] + count["outside"] + count["filtered"]
               + count["rejected"]).all(), what, "accounting of the candidates")
        check((count["selected"] == numpy.diff(self["/selection/offset"])).all(),
              what, "selected against the selection")
        check(count["rejected"].sum() == len(self["/rejected/id"]), what, "rejected")
        check((count["decided"] + count["refined"] <= count["candidates"]).all(),
              what, "decided and refined")


def contents(result):
    """Type, shape and bytes by path, without what tells of the run."""
    found = {}

    def visit(path, item):
        if isinstance(item, h5py.Dataset) and not path.startswith(("telemetry", "provenance")):
            found[path] = (item.dtype.str, item.shape, item[()].tobytes())

    result.file.visititems(visit)
    return found
