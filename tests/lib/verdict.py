"""What the tests of the program share: a scratch folder, verdicts, runs."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile

ROOFTALLY = os.environ.get("ROOFTALLY", "rooftally")
SOURCE_DIR = os.path.realpath(
    os.environ.get("SOURCE_DIR", os.path.join(os.path.dirname(__file__), "../..")))


def is_sanitized():
    """Whether the program keeps memory that it has freed, for the sanitizers to look at."""
    with open(ROOFTALLY, "rb") as file:
        return b"__asan_init" in file.read()


# Scratch files of this test, gone when it ends.
folder = os.environ.get("SANDBOX_FOLDER")  # of the program that runs this one inside
if not folder:
    folder = tempfile.mkdtemp(prefix="rooftally-test.")
    atexit.register(shutil.rmtree, folder, True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends in order, too
environment = dict(os.environ, LC_ALL="C.UTF-8")
if os.getuid() == 0:
    environment.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def skip(why):
    print("skipped:", why)
    sys.exit(77)


# Verdicts ------------------------------------------------------------------------------------

n_checks = 0
n_failures = 0


def check(condition, *what):
    """Count a check; say aloud what failed. Returns the condition."""
    global n_checks, n_failures
    n_checks += 1
    if not condition:
        n_failures += 1
        print("FAILED:", *what, flush=True)
    return bool(condition)


def check_same(what, seen, wanted):
    """Two collections of rows: the same ones, in any order; shows some that differ."""
    seen, wanted = sorted(seen), sorted(wanted)
    if seen == wanted:
        return check(True)
    more, less = set(seen) - set(wanted), set(wanted) - set(seen)
    return check(False, f"{what}: {len(seen)} rows, {len(wanted)} wanted;",
                 f"too many {sorted(more)[:5]}, missing {sorted(less)[:5]}")


def figure(*what):
    """Tell what the test has counted: tests/run shows it beside ctest's summary."""
    print(*what, flush=True)
    if "ROOFTALLY_FIGURES" in os.environ:
        with open(os.environ["ROOFTALLY_FIGURES"], "a", encoding="utf-8") as file:
            print(*what, file=file)


def finish():
    if n_checks == 0:
        print("FAILED: nothing was checked")
    print(f"{n_checks} checks, {n_failures} failed")
    sys.exit(1 if n_failures or n_checks == 0 else 0)


# Runs ----------------------------------------------------------------------------------------


def command(*arguments, ranks=1):
    """The program alone, or under mpirun."""
    before = ["mpirun", "-n", str(ranks), "--oversubscribe"] if ranks > 1 else []
    return before + [ROOFTALLY, *arguments]


def rooftally(*arguments, ranks=1, status=0, timeout=600):
    """Run the program; a status other than the one wanted fails the test at once."""
    done = subprocess.run(command(*arguments, ranks=ranks), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          errors="replace", env=environment, timeout=timeout)
    if status is not None and done.returncode != status:
        print(f"FAILED: {' '.join(arguments)} on {ranks} ranks ended with {done.returncode}, "
              f"{status} wanted:\n{done.stdout}{done.stderr}")
        sys.exit(1)
    return done
