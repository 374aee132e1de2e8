#!/usr/bin/python3
"""Open every group of results in h5py, xarray and ncdump; compare the first with the rest,
bit by bit, telemetry and provenance aside."""
import subprocess
import sys
import warnings

import h5py
import numpy
import xarray

# xarray says so of every missing date
warnings.filterwarnings("ignore", message="invalid value encountered in cast")


def walk(path):
    """Every dataset, by path: shape, type and bytes; pure dimensions have no bytes."""
    found, groups = {}, ["/"]
    with h5py.File(path) as file:
        assert file.attrs["consistent"] == 1

        def visit(name, item):
            if isinstance(item, h5py.Group):
                groups.append("/" + name)
                return
            pure = item.attrs.get("NAME", b"").startswith(b"This is a netCDF dimension")
            for axis in range(item.ndim):
                is_scale = item.attrs.get("CLASS") == b"DIMENSION_SCALE"
                assert is_scale or len(item.dims[axis]) == 1, f"{name}: no scale"
            found["/" + name] = (item.shape, item.dtype,
                                 b"" if pure else item[...].tobytes(),
                                 {k: numpy.asarray(item.attrs[k]).tobytes()
                                  for k in ("units", "long_name", "_FillValue")
                                  if k in item.attrs})
        file.visititems(visit)
    return found, groups


def open_everywhere(path, groups):
    subprocess.run(["ncdump", "-h", path], check=True, stdout=subprocess.DEVNULL)
    for group in groups:
        with xarray.open_dataset(path, engine="h5netcdf", group=group) as dataset:
            dataset.load()
            if group == "/":
                assert "zone" in dataset.coords and dataset.sizes["zone"] > 0
                assert "buildings" in dataset.data_vars


def told(name):
    """Whether the run tells it of itself: bytes, too, since what a zone has to read depends on
    the zone that its rank had before."""
    return name.startswith("/telemetry") and name not in (
        "/telemetry/zone/candidates", "/telemetry/zone/selected",
        "/telemetry/zone/outside", "/telemetry/zone/filtered",
        "/telemetry/zone/rejected", "/telemetry/zone/decided",
        "/telemetry/zone/refined")


def main(paths):
    first = None
    for path in paths:
        found, groups = walk(path)
        open_everywhere(path, groups)
        kept = {name: value for name, value in found.items() if not told(name)}
        if first is None:
            first = kept
            continue
        assert first.keys() == kept.keys(), (path, first.keys() ^ kept.keys())
        for name in first:
            assert first[name] == kept[name], f"{path}: {name} differs from {paths[0]}"
    print(f"{len(paths)} results, {len(first)} datasets: the same")


main(sys.argv[1:])
