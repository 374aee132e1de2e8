#!/usr/bin/python3
"""What plan counts in a store is what a run then looks at, and info tells what the store holds."""

import os
import subprocess
import sys

import h5py

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from verdict import *  # noqa: E402,F403

STORE = os.path.join(folder, "state.store.h5")
JOB = os.path.join(SOURCE_DIR, "jobs/demo.ini")


def call(*arguments, status=0):
    done = subprocess.run([ROOFTALLY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          stdin=subprocess.DEVNULL, env=environment)
    check(done.returncode == status, arguments, "ended with", done.returncode, done.stderr)
    return done.stdout


call("generate", STORE, "--zones", "30", "--buildings", "60000", "--seed", "7", "--quiet")
source = ["--set", f"source.path={STORE}"]
for name, changes in (("plain", []), ("all", ["buildings.where="]), ("rare", ["buildings.where=height > 150"]),
                      ("never", ["buildings.where=height > 1e9"]), ("centroid", ["buildings.predicate=centroid"]),
                      ("skip", ["buildings.invalid=skip"]), ("intersects", ["buildings.predicate=intersects"]),
                      ("some", ["zones.where=zip < '01010'"]), ("little", ["limits.memory=8 MiB"])):
    options = source + [word for change in changes for word in ("--set", change)]
    plan = call("plan", JOB, *options)
    values = dict(line.split(" = ") for line in call("plan", JOB, *options, "--values").splitlines())
    output = os.path.join(folder, name + ".h5")
    call("run", JOB, *options, "-o", output, "--quiet")
    with h5py.File(output) as file:
        candidates = file["/telemetry/zone/candidates"][()]
        read = int(file["/telemetry/zone/bytes"][()].sum())
        grid = int(file["/telemetry/rank/peak_grid"][()].max())
        batch = int(file["/telemetry/rank/peak_batch"][()].max())
    check(int(values["candidates"]) == candidates.sum(), name, values, candidates.sum())
    line = [line for line in plan.splitlines() if line.startswith("  candidates")][0]
    check("about" not in line and f" {candidates.sum():,} " in line and f" {candidates.max():,} " in line,
          name, line, candidates.sum(), candidates.max())
    check("  reads " in plan and "  time " in plan and "  ranks " in plan and "of the store" in plan, name, plan)
    left_out = [int(line.split()[2].replace(",", "")) for line in plan.splitlines() if line.startswith("    left out  ")]
    check(bool(left_out) == (name in ("never", "rare")), name, plan)
    check(all(n == candidates.sum() if name == "never" else n < candidates.sum() for n in left_out), name, left_out)
    words = [line for line in plan.splitlines() if line.startswith("  reads       at most ")][0].split()[1:]
    size = {"bytes": 1, "B": 1, "KiB": 2 ** 10, "MiB": 2 ** 20}
    least = float(words[2]) * size[words[3].strip(",")]
    most = least + float(words[words.index("most", 4) + 1]) * size[words[words.index("most", 4) + 2]]
    check(0.5 * least <= read <= 1.1 * most + 2 ** 20, name, "reads", read, "planned", least, most)
    words = [line for line in plan.splitlines() if line.startswith("    grid ")][0].split()
    planned = float(words[1]) * size[words[2]]
    check(grid / 1.5 <= planned <= 1.5 * grid, name, "a grid of", grid, "planned", planned)
    rows = [line.split() for line in plan.splitlines() if line.startswith("    batch ")]
    planned = sum(float(words[1]) * size[words[2]] for words in rows)
    check(len(rows) == 2 and batch / 1.5 <= planned <= 1.5 * batch, name, "batches of", batch, "planned", planned)

info = call("info", STORE)
with h5py.File(STORE) as file:
    blocks = len(file["/blocks/first"])
    year = file["/buildings/year_built"][()][file["/valid/buildings/year_built"][()] == 1]
    n_null = int((file["/valid/buildings/height"][()] == 0).sum())
    xmin = file["/buildings/xmin"][()].min()
for part in ("synthetic state: 30 zones, 60000 buildings, seed 7", "WGS 84 (SRID 4326), longitude and latitude",
             f"extent      {xmin:.9g} to ", f"  blocks      {blocks} of ", "  zones       30, ", "  buildings   60000, ",
             "id                   integer, the id", f"year_built           integer, {year.min()} to {year.max()}, ",
             f", {n_null} null", "use                  text, 11 words"):
    check(part in info, "info does not tell", part, info)
finish()
