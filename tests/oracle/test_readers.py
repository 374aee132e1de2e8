#!/usr/bin/python3
"""The result opens in xarray (h5netcdf), h5py and ncdump, described as the contract says."""

import os
import subprocess
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

import xarray  # noqa: E402

STATISTICS = {
    "buildings": "count", "total": "sum(size)", "oldest": "min(year_built)",
    "common": "mode(use)", "heights": "histogram(height, 0, 100, 20)",
    "uses": "frequency(use)", "tallest": "top(height, 5)",
}
DIMENSIONS = {
    "buildings": ("zone",), "total": ("zone",), "oldest": ("zone",), "common": ("zone",),
    "heights": ("zone", "heights_bin"), "uses": ("zone", "uses_category"),
    "tallest": ("zone", "tallest_rank"), "tallest_id": ("zone", "tallest_rank"),
}
# One building that cannot be decided.
REJECTED = """
alter table building alter boundary type geometry(Geometry, 4326);
insert into building (id, height, boundary)
  select 1000000, 20, ST_Collect(p, ST_Expand(p, 1e-5)) from (
    select ST_PointOnSurface(boundary) as p from zipcode limit 1) q"""


def groups(file):
    found = ["/"]
    file.visititems(lambda path, item: found.append("/" + path)
                    if isinstance(item, h5py.Group) else None)
    return found


def with_xarray(result):
    path = result.path
    with xarray.open_dataset(path, engine="h5netcdf") as dataset:
        check(dataset.sizes["zone"] == len(result.zones), "dimension zone")
        check([text.decode() if isinstance(text, bytes) else text
               for text in dataset["zone"].values] == result.zones, "coordinate zone")
        for name, dims in DIMENSIONS.items():
            check(dataset[name].dims == dims, name, "has dimensions", dataset[name].dims)
        check(dataset["total"].values.dtype.kind == "f", "total is real")
    for group in groups(result.file):
        with xarray.open_dataset(path, engine="h5netcdf", group=group) as dataset:
            dataset.load()
            for name, variable in result.file[group].items():
                if isinstance(variable, h5py.Dataset) and not is_bare_dimension(variable):
                    check(name in dataset.variables, "xarray does not show", group, name)


def is_bare_dimension(dataset):
    name = dataset.attrs.get("NAME", b"")
    return name.startswith(b"This is a netCDF dimension but not a netCDF variable")


def with_h5py(file):
    def visit(path, item):
        if not isinstance(item, h5py.Dataset):
            return
        kind = item.id.get_type().get_class()
        check(kind not in (h5py.h5t.COMPOUND, h5py.h5t.VLEN), path, "is of a plain type")
        check(not h5py.check_string_dtype(item.dtype)
              or h5py.check_string_dtype(item.dtype).length is not None,
              path, "has texts of a fixed length")
        check(not item.id.get_create_plist().get_obj_track_times(), path, "has times")
        check(item.ndim == 0 or h5py.h5ds.is_scale(item.id)
              or all(len(axis) == 1 for axis in item.dims), path, "lacks a scale on an axis")
        if not is_bare_dimension(item):
            check(item.attrs.get("long_name"), path, "has no long_name")
            check(item.dtype.kind in "Su" or item.attrs.get("units") or item.dtype == "u1"
                  or path.startswith(("zones/", "selection/id", "rejected/id")),
                  path, "has no units")

    file.visititems(visit)
    for group in map(file.get, groups(file)):
        for name in group:
            check(group.id.links.get_info(name.encode()).corder_valid, group, name,
                  "was made in no known order")
    for name, dims in DIMENSIONS.items():
        if dims[0] == "zone" and file[name].dtype.kind in "if" and name != "zone":
            check(file[name].attrs["_FillValue"].dtype == file[name].dtype, name, "has no _FillValue")
    check(file["buildings"].dtype == "<i8" and file["total"].dtype == "<f8", "types")
    for attribute in ("job", "ranks", "start", "end", "snapshot", "source"):
        check(attribute in file["provenance"].attrs, "/provenance lacks", attribute)
    for version in ("program", "mpi", "hdf5", "geos", "proj", "libpq"):
        check(any(map(str.isdigit, file["provenance"].attrs[version].decode())), version)
    check(file["provenance"].attrs["ranks"] >= 1, "ranks is a number")


def with_ncdump(result):
    done = subprocess.run(["ncdump", "-h", result.path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8")
    if check(done.returncode == 0, "ncdump:", done.stdout):
        check(f"zone = {len(result.zones)} ;" in done.stdout, "ncdump: dimension zone")
        for name, dims in DIMENSIONS.items():
            check(f" {name}({', '.join(dims)}) ;" in done.stdout, "ncdump:", name)
        for group in groups(result.file)[1:]:
            check(f"group: {group.split('/')[-1]} {{" in done.stdout, "ncdump: group", group)


def with_info(result):
    shown = rooftally("info", result.path).stdout
    for name in STATISTICS:
        check(name in shown, "info does not tell of", name)


warnings.simplefilter("error", xarray.SerializationWarning)
use_database("readers")
generate(20, 5000, 5)
query(REJECTED)
JOB = dict(statistics=STATISTICS, buildings__keep="id, height, use, year_built")
def with_dates():
    """Values of time are times to xarray, on every axis and in the selection."""
    query("""alter table building add built date, add seen timestamp;
      update building set built = '1999-12-30'::date + (id % 5)::int, seen = '2026-11-22 10:38:40'::timestamp + id % 3 * interval '1 hour';
      update building set built = 'infinity' where id % 50 = 1; update building set built = '-infinity', seen = '-infinity' where id % 50 = 2;
      update building set seen = 'infinity' where id % 50 = 3""")
    result = run("dates", buildings__fields="built, seen", buildings__keep="id, built, seen",
                 statistics={"built_on": "frequency(built)", "seen_at": "frequency(seen)",
                             "last": "max(built)", "usual": "mode(seen)",
                             "latest": "top(built, 2)", "span": "range(built)",
                             "areas": "histogram(area_m2, 0, 1000, 4)"})
    for name, unit in (("areas", b"1"), ("areas_bin", b"m2"), ("areas_edges", b"m2")):
        check(result.file[name].attrs["units"] == unit, name, "is in", result.file[name].attrs["units"])
    times = []

    def look_at_units(path, item):
        if b"since" in item.attrs.get("units", b""):
            times.append(path)
        check(item.attrs.get("calendar") == (b"proleptic_gregorian" if path in times[-1:] else None),
              path, "has calendar", item.attrs.get("calendar"))

    result.file.visititems(look_at_units)
    check_same("datasets of times", times, ["built_on_category", "seen_at_category", "last", "usual", "latest",
                                            "selection/built", "selection/seen"])
    with xarray.open_dataset(result.path, engine="h5netcdf") as dataset:
        for axis, column in (("built_on", "built"), ("seen_at", "seen")):
            values = dataset[f"{axis}_category"].values
            wanted = [row[0].replace(" ", "T") for row in
                      query(f"select distinct {column} from building b join zipcode z on ST_Within(b.boundary, z.boundary) where isfinite({column}) order by 1")]
            check([str(value)[:len(wanted[0])] for value in values] == wanted, axis, values, wanted)
        for name in ("last", "usual", "latest"):
            check(dataset[name].dtype.kind == "M", name, "is no time to xarray")
        check(str(dataset["last"].max().values)[:10] == "2000-01-03", "the last day", dataset["last"].max().values)
    with xarray.open_dataset(result.path, engine="h5netcdf", group="/selection") as dataset:
        for name in ("built", "seen"):
            check(dataset[name].dtype.kind == "M", name, "is no time to xarray")
            check(numpy.isnat(dataset[name].values).sum() > 20, name, "infinite ones are missing")
    return result


def with_long_spans():
    """More than 292 years are a number to xarray, and not another one in nanoseconds."""
    query("""create table span as select b.id, b.boundary, case b.id % 2 when 0 then '1700-01-01' else '2100-01-01' end::timestamp as moment
             from building b; alter table span add day date; update span set day = moment::date""")
    result = run("spans", buildings__table="span", buildings__fields="day, moment",
                 statistics={"days": "range(day)", "us": "range(moment)", "some": "iqr(day)"})
    with xarray.open_dataset(result.path, engine="h5netcdf") as dataset:
        for name in ("days", "us", "some"):
            check(dataset[name].dtype.kind == "f", name, "is no number to xarray:", dataset[name].dtype)
            check(numpy.array_equal(dataset[name].values, result.file[name][()], equal_nan=True), name, "by xarray")
        check(dataset["days"].max() == 146097 and dataset["us"].max() == 146097 * 86400e6, "the longest span")


def with_infinite_dates():
    """No calendar has them: what is put out takes them for NULL; filters see them as they are."""
    finite = with_dates()
    store = os.path.join(folder, "dates.store.h5")
    rooftally("stage", write_job("dates_stage", buildings__fields="built, seen"), "-o", store, "--quiet")
    job = dict(buildings__fields="built, seen", buildings__keep="id, built, seen",
               statistics={"n": "count(built)", "last": "max(built)", "first": "min(seen)", "top": "top(seen, 3)"})
    for where, n in (("built > '2000-01-01'", "built > '2000-01-01'"), ("seen < '2000-01-01'", "seen < '2000-01-01'")):
        wanted = pairs(f"select zip, b.id from zipcode z join building b on ST_Within(b.boundary, z.boundary) where {n}")
        first = None
        for changes in (dict(source__fetch="index"), dict(source__fetch="scan"),
                        dict(source={"kind": "store", "path": store})):
            result = run("infinite", **{**job, **changes}, buildings__where=where)
            first = first or result
            check_same(where, result.selection(), wanted)
            check(contents(result) == contents(first), where, changes, "another result")
    for row in query("""select zip, max(built) - date '1970-01-01', count(*) from zipcode z join building b
          on ST_Within(b.boundary, z.boundary) where isfinite(built) group by 1"""):
        check(str(finite["/last"][finite.zones.index(row[0])]) in (row[1], row[1] + ".0"), "max of the finite", row)


for ranks in (1, 3):
    for where in ("height > 10", "height < 0"):  # the second: nothing is selected
        result = run("readers", ranks, buildings__where=where, **JOB)
        with_xarray(result)
        with_h5py(result.file)
        with_ncdump(result)
        with_info(result)
with_long_spans()
with_infinite_dates()
finish()
