#!/usr/bin/python3
"""A job on a real Slurm of three virtual nodes: submitted with what the plan says, stopped at its
time limit, requeued, resumed and done, by srun and by mpirun, with the bits that mpirun gives; and a
node that is cut off."""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import verdict  # noqa: E402
from verdict import *  # noqa: E402,F403
import sandbox  # noqa: E402
import cluster  # noqa: E402
from stored import JOB  # noqa: E402

IS_LONG = os.environ.get("ROOFTALLY_LONG") == "1"
N_ZONES, N_BUILDINGS = 300, 200000
SLOW_MS = 700  # of every write into a spool, of which a zone takes one or two
# A site without PMIx.
OTHER_SRUN = """#!/bin/sh
[ "$*" = --mpi=list ] && { printf 'MPI plugin types are...\\n\\tnone\\n\\tpmi2\\n' >&2; exit; }
exec /usr/bin/srun "$@"
"""
# Without a trap, without the scripts: the limit comes from Slurm.
OWN_SCRIPT = """#!/bin/sh
#SBATCH --nodes=3 --ntasks=4 --mem-per-cpu=200M --time=1 --output=own.log --open-mode=append
srun --mpi=pmix "$ROOFTALLY" run own.ini --resume
"""


def path_of(name):
    return os.path.join(folder, name)


def write(name, text, mode=0o644):
    os.makedirs(os.path.dirname(path_of(name)), exist_ok=True)
    with open(os.open(path_of(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
              encoding="utf-8") as file:
        file.write(text)


def read(name):
    with open(path_of(name), encoding="utf-8", errors="replace") as file:
        return file.read()


class Job:
    """A job in Slurm that works slowly until hurry()."""

    def __init__(self, name, *command, **variables):
        self.name, self.log, self.number = name, None, 0
        write(f"{name}.ini", JOB.format(name=name))
        write(f"{name}.slow", "")
        self.command = command
        self.environment = dict(
            slurm.environment, LD_PRELOAD=path_of("slow_writes.so"), SLOW_MS=str(SLOW_MS),
            SLOW_PATH=".spool/rank-", SLOW_WHILE=path_of(f"{name}.slow"), **variables)
        self.submit()

    def submit(self):
        done = subprocess.run(self.command, cwd=folder, stdin=subprocess.DEVNULL,
                              env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8")
        number = re.search(r"Submitted batch job (\d+)", done.stdout)
        if not number:
            raise RuntimeError(f"{self.command} ended with {done.returncode}: {done.stdout}")
        self.number = number[1]
        self.log = self.log or self.new_log()

    def new_log(self):
        return f"rooftally-{self.number}.log"

    def hurry(self):
        os.unlink(path_of(f"{self.name}.slow"))

    def known(self, key):
        return slurm.job(self.number).get(key, "")

    def n_spooled(self):
        spool = path_of(f"{self.name}.h5.spool")
        return sum(os.path.getsize(os.path.join(spool, name)) for name in os.listdir(spool)
                   if name.startswith("rank-")) if os.path.isdir(spool) else 0

    def signal(self):
        """What Slurm's --signal=B:USR1 does, when it is wanted."""
        slurm.ask("scancel", "--batch", "--signal=USR1", self.number)

    def await_(self, condition, what, most_s=60):
        try:
            slurm.await_(condition, f"{self.name}: {what}", most_s)
        except RuntimeError:
            print(slurm.ask("scontrol", "show", "job", self.number), read(self.log))
            raise

    def await_work(self):
        n = self.n_spooled()
        self.await_(lambda: self.n_spooled() > n + 2000 and self.known("JobState") == "RUNNING",
                    "zones in the spool")

    def await_requeue(self, n, most_s=60):
        """Slurm lets a requeued job rest for two minutes: its nodes tell the old job from the new
        one by the second in which they were started, and have to clear up after the old one, or they
        refuse to launch. Here it rests for six seconds."""
        self.await_(lambda: self.known("Restarts") == str(n), f"requeue {n}", most_s)
        self.await_(lambda: self.known("JobState") == "PENDING", "pending")
        time.sleep(6)
        slurm.ask("scontrol", "update", f"jobid={self.number}", "starttime=now")

    def await_end(self, most_s=60):
        states = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY")
        self.await_(lambda: self.known("JobState") in states, "end", most_s)
        return self.known("JobState"), self.known("ExitCode")

    def check_done(self, n_starts, n_lines=None):
        ended = self.await_end()
        log = read(self.log)
        check(ended == ("COMPLETED", "0:0"), self.name, "ended", ended, log)
        check(os.path.exists(path_of(f"{self.name}.h5"))
              and not os.path.exists(path_of(f"{self.name}.h5.spool")), self.name, "files", log)
        resumed = [int(n) for n in re.findall(rf"resuming attempt \d+: (\d+) of {N_ZONES}", log)]
        check(len(resumed) == n_starts - 1 and resumed == sorted(resumed)
              and all(0 < n < N_ZONES for n in resumed), self.name, "resumed", resumed, log)
        check(log.count("rooftally: ") == (n_starts - 1 if n_lines is None else n_lines),
              self.name, "says", log)
        print(f"{self.name}: {n_starts} starts, resumed with {resumed} of {N_ZONES} zones",
              flush=True)


def prepare():
    subprocess.run(["cmake", "--install", os.environ["BUILD_DIR"], "--prefix",
                    path_of("installed")], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O2",
                    os.path.join(SOURCE_DIR, "tests/lib/slow_writes.c"), "-o",
                    path_of("slow_writes.so")], check=True)
    rooftally("generate", path_of("state.store.h5"), "--zones", str(N_ZONES), "--buildings",
              str(N_BUILDINGS), "--seed", "7", "--quiet")
    write("bin/srun", OTHER_SRUN, 0o755)
    write("own.sbatch", OWN_SCRIPT)
    write("wanted.ini", JOB.format(name="wanted"))
    subprocess.run(command("run", "wanted.ini", "--quiet", ranks=3), cwd=folder, env=environment,
                   check=True, stdin=subprocess.DEVNULL)


def check_submit(submit):
    """What is printed follows the plan, and gives way to the user."""
    plan = subprocess.run([ROOFTALLY, "plan", "wanted.ini", "--values"], cwd=folder,
                          stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    ranks = re.search(r"^ranks = (\d+)$", plan, re.M)[1]
    for options, job, wanted in (
            ([], ["wanted.ini"],
             f"sbatch --ntasks={ranks} --time=10 --mem-per-cpu=144M PATH/workstation.sbatch "
             "wanted.ini"),
            (["--size=nationwide", "--mem=2G", "--time=9"], ["wanted.ini", "--force"],
             f"sbatch --ntasks={ranks} --time=10 --mem=2G --time=9 PATH/nationwide.sbatch "
             "wanted.ini --force"),
            ([], ["wanted.ini", "--set", "limits.time=20 min", "--set", "limits.memory=1 GiB"],
             f"sbatch --ntasks={ranks} --time=25 --mem-per-cpu=1152M PATH/workstation.sbatch "
             r"wanted.ini --set limits.time=20\ min --set limits.memory=1\ GiB"),
            ([], ["wanted.ini", "--set", "limits.time=7h"],
             f"sbatch --ntasks={ranks} --time=60 --mem-per-cpu=144M PATH/workstation.sbatch "
             "wanted.ini --set limits.time=7h")):
        done = subprocess.run([submit, "--dry-run", *options, *job], cwd=folder,
                              stdout=subprocess.PIPE, encoding="utf-8", env=slurm.environment)
        line = done.stdout.splitlines()[-1].strip()
        check(done.returncode == 0 and line == wanted.replace("PATH", os.path.dirname(submit)),
              "submit prints", done.stdout, "wanted:", wanted)
    for connection in ("host=/tmp user=gis password=s3cret", "postgresql://gis:s3cret@/gis"):
        for words in (["--set", f"source.connection={connection}"], [f"--set=source.connection={connection}"]):
            done = subprocess.run([submit, "--dry-run", "wanted.ini", *words], cwd=folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, encoding="utf-8", env=slurm.environment)
            check(done.returncode == 0 and "source.connection=***" in done.stdout and "s3cret" not in done.stdout
                  and "PGPASSFILE" in done.stderr and "s3cret" not in done.stderr, "a password:", done)
    for wrong in (["no.ini"], []):
        done = subprocess.run([submit, *wrong], stderr=subprocess.PIPE, encoding="utf-8",
                              env=slurm.environment)
        check(done.returncode == 2 and done.stderr.count("\n") == 1, "submit", wrong, done)
    check(slurm.ask("squeue", "-h") == "", "submitted, though only shown")


def crash_node(name, **variables):
    """A node is gone with all its processes: Slurm requeues what srun runs, job.sh the rest."""
    job = Job(name, submit, "--nodes=3", "--time=10", f"{name}.ini", **variables)
    job.await_work()
    since = time.monotonic()
    slurm.crash("node3")
    job.await_(lambda: job.known("Restarts") == "1", "requeue", 120)
    print(f"{name}: requeued after {time.monotonic() - since:.0f} s", flush=True)
    slurm.await_(lambda: slurm.state("node3").startswith("down"), "node3 down", 150)
    slurm.start_node("node3")
    slurm.await_(lambda: slurm.is_up("node3"), "node3")
    job.await_requeue(1)
    job.hurry()
    job.check_done(2, n_lines=read(job.log).count("rooftally: "))
    return name


def cut_node(name):
    """A node is cut off, and Slurm has not noticed: the ranks end on both sides, one says who is
    gone, and the job is requeued."""
    job = Job(name, submit, "--nodes=3", "--ntasks=6", "--time=10", f"{name}.ini")
    job.await_work()
    before = {node: slurm.ranks(node) for node in slurm.names}
    check(all(before.values()), name, "has ranks", before)
    since = time.monotonic()
    slurm.cut("node3")
    job.await_(lambda: not any(slurm.ranks(node) for node in slurm.names), "end of all ranks", 30)
    seconds = time.monotonic() - since
    check(not slurm.state("node3").startswith("down"), name, "Slurm has noticed it")
    job.await_(lambda: job.known("Restarts") == "1", "requeue")
    print(f"{name}: all ranks gone after {seconds:.0f} s, requeued after "
          f"{time.monotonic() - since:.0f} s", flush=True)
    slurm.heal("node3")
    # Slurm asks a node that was away only once a minute whether a job has left it.
    slurm.await_(lambda: slurm.is_up("node3"), "node3", 150)
    job.await_requeue(1)
    job.hurry()
    job.check_done(2)
    log = read(job.log)
    check(re.search(r"^rooftally: rank \d on node node3 has not answered .*--resume", log, re.M), name,
          "says", log)
    return name


def preempt(name):
    """A more urgent job takes the nodes; Slurm requeues the other by itself."""
    job = Job(name, submit, "--nodes=3", "--time=10", f"{name}.ini")
    job.await_work()
    slurm.ask("sbatch", "--partition=urgent", "--nodes=3", "--exclusive", "--mem=0",
              "--output=/dev/null", "--wrap=sleep 1")
    job.await_requeue(1)
    job.hurry()
    job.check_done(2)
    return name


def compare(*names):
    done = subprocess.run(
        ["/usr/bin/python3", os.path.join(SOURCE_DIR, "tests/mpi/compare_results.py"),
         *(path_of(f"{name}.h5") for name in ("wanted", *names))], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8")
    check(done.returncode == 0, done.stdout)
    print(done.stdout, end="")


if cluster.missing():
    skip(f"no {cluster.missing()}: tests/run installs Slurm")
if os.getuid() != 0:
    skip("Slurm's daemons give up groups, which root alone may")
sandbox.enter(skip, folder)
environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
prepare()
slurm = cluster.Cluster(path_of("slurm"), environment)
scripts = path_of("installed/share/rooftally/slurm")
submit = f"{scripts}/submit"
check_submit(submit)
at_limit = ("--nodes=3", "--time=1", "--signal=B:USR1@45")
by_srun = Job("by_srun", submit, *at_limit, "by_srun.ini")
by_mpirun = Job("by_mpirun", "sbatch", *at_limit, "--ntasks=5",
                os.path.join(SOURCE_DIR, "slurm/statewide.sbatch"), "by_mpirun.ini",
                PATH=path_of("bin") + ":" + slurm.environment["PATH"], ROOFTALLY=ROOFTALLY)
own = Job("own", "sbatch", "own.sbatch", ROOFTALLY=ROOFTALLY)
own.log = "own.log"
started = time.monotonic()

# Slurm's own signal, at the limit; then a second one, so that the chain has three links
by_mpirun.await_requeue(1)
by_srun.await_requeue(1)
print(f"stopped at the limit and requeued after {time.monotonic() - started:.0f} s", flush=True)
by_mpirun.hurry()
by_srun.await_work()
by_srun.signal()
by_srun.await_requeue(2)
by_srun.hurry()
by_srun.check_done(3)
by_mpirun.check_done(2)
check(", by srun --mpi=pmix" in read(by_srun.log), read(by_srun.log))
check(", by mpirun" in read(by_mpirun.log), read(by_mpirun.log))

# what is done is not done again, and what is refused is not requeued
by_srun.submit()
ended = by_srun.await_end()
check(ended == ("COMPLETED", "0:0") and "is complete already" in read(by_srun.new_log()),
      "a second time:", ended)
refused = Job("refused", "sbatch", "--ntasks=2", f"{scripts}/nationwide.sbatch", "no.ini")
ended = refused.await_end()
check(ended == ("FAILED", "2:0") and refused.known("Restarts") == "0", "refused:", ended)

# a chain has an end
last = Job("last", "sbatch", "--ntasks=2", f"{scripts}/workstation.sbatch", "last.ini",
           ROOFTALLY_REQUEUES="0")
last.await_work()
last.signal()
ended = last.await_end()
check(ended == ("FAILED", "75:0") and "not again" in read(last.log), "last:", ended,
      read(last.log))

ended = own.await_end()
check(ended == ("FAILED", "75:0") and "stopped by the time limit" in read("own.log"),
      "a script without a trap:", ended, read("own.log"))
own.hurry()
own.submit()
own.check_done(2)
names = ["by_srun", "by_mpirun", "own", cut_node("cut")]
if IS_LONG:
    names += [crash_node("crash_srun"), crash_node("crash_mpirun", ROOFTALLY_LAUNCHER="mpirun"),
              preempt("preempted")]
compare(*names)
if verdict.n_failures:
    print(slurm.logs())
finish()
