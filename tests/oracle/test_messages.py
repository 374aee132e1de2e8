#!/usr/bin/python3
"""What a run, a stop and a mistake say, where no server is needed: one line, which names what is
wrong, where, and what to do."""

import fcntl
import os
import re
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import h5py  # noqa: E402
from verdict import *  # noqa: E402,F403

STORE = os.path.join(folder, "state.store.h5")
RESULT = os.path.join(folder, "result.h5")
JOB = os.path.join(SOURCE_DIR, "jobs/demo.ini")
RUN = ("run", JOB, "--set", f"source.path={STORE}")


def says(wanted, *arguments, ranks=1, status=2, **more):
    """The program's one line, behind its name, matches."""
    done = subprocess.run(command(*arguments, ranks=ranks), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          stdout=more.pop("stdout", subprocess.PIPE), encoding="utf-8", env=environment, **more)
    lines = [line for line in done.stderr.splitlines() if line.startswith("rooftally: ")]
    check(done.returncode == status, arguments, "ended with", done.returncode, done.stderr)
    check(len(lines) == 1 and re.fullmatch("rooftally: " + wanted, lines[0]), arguments, "says", done.stderr,
          "and not", wanted)
    return lines[0] if lines else ""


def mistakes():
    place = re.escape(JOB)
    says(f"{place} is neither a result nor a store of rooftally, or it is damaged", "info", JOB)
    says(f"{re.escape(folder)} is not a file", "info", folder)
    says(f"{RESULT}: an HDF5 file, not a job file: rooftally info tells what it is", "plan", RESULT)
    says(f"run: takes one job file, and '{place}' is one more; type rooftally run JOB", "run", JOB, JOB)
    for path in (folder, folder + "/", ""):
        says(f"generate: store '{path}' is not the name of a file: choose another", "generate", path, "--zones", "2",
             "--buildings", "10", "--force")
    for number, (target, *options) in enumerate((("/dev/null", "--force"), (".", "--force"), ("nowhere",))):
        link = os.path.join(folder, f"link{number}")
        os.symlink(target, link)
        is_dangling = target == "nowhere"
        says(f"generate: store {link} is there already: --force replaces it" if is_dangling else
             f"generate: store '{link}' is not the name of a file: choose another", "generate", link, "--zones", "2",
             "--buildings", "10", *options)
        says(f"output {link} is there already: --force replaces it" if is_dangling else
             f"output {link} is there and not a file: choose another output", *RUN, "-o", link, *options)
        check(os.readlink(link) == target and not os.path.exists(os.path.join(folder, "nowhere")), "link to", target)
    for name, what in (("run", "no job file given"), ("plan", "no job file given"), ("info", "takes one file"),
                       ("export", "takes one result"), ("report", "takes one result")):
        says(f"{name}: {what}; type rooftally {name} .*", name, "")
    says("-o or --set job.output: not one line of UTF-8 text", "run", JOB, "-o", "a\nb.h5")
    says("[^ ]*:7: .source. kind = store: it is staged already: run the job as it is", "stage", JOB, "-o", "x.h5")
    says("info: unknown option --al; .*", "info", "--al", RESULT)
    for ranks in (1, 3):
        says("no command given; see rooftally --help", ranks=ranks)
        says("unknown command 'rum': did you mean run; see rooftally --help", "rum", JOB, ranks=ranks)
    says("unknown command '-v'; see rooftally --help", "-v")
    for name, letters in (("run", "-qxf"), ("plan", "-xo"), ("stage", "-fqx"), ("export", "-fx"), ("report", "-xf")):
        says(f"{name}: unknown option -x; see rooftally {name} --help", name, JOB, letters)
    for word in ("-f", "--force", "--force=1", "--zz=hush"):
        says(f"plan: unknown option {word.split('=')[0]}; see rooftally plan --help", "plan", JOB, word)
    for name, word in (("run", "--force"), ("plan", "--values"), ("generate", "--quiet"), ("export", "--raw"),
                       ("info", "--help")):
        says(f"{name}: {word} takes no value; see rooftally {name} --help", name, JOB, word + "=1")
    says("run: unknown option --forse: did you mean --force; see rooftally run --help", "run", JOB, "--forse=1")
    says(f"export: {STORE} is a store, not a result: .*", "export", STORE)
    says("--set zones.where: leaves no zones of .*: correct or remove it", *RUN, "-o", RESULT + "2",
         "--set", "zones.where=zip = 'x'")
    says("--set zones.where: leaves no zones of .*", "plan", *RUN[1:], "--set", "zones.where=zip = 'x'")
    says("--set limits.memory: the system has no 1000.0 TiB of address space: lower it", *RUN, "-o", RESULT + "2",
         "--set", "limits.memory=1000 TiB")
    says("--set source.path: store nowhere: No such file or directory: check its path", "plan", JOB, "--set", "source.path=nowhere")
    says("--set zones.id: the store's id is 'zip', not 'x': write id = zip", "plan", *RUN[1:], "--set", "zones.id=x")
    says("[^ ]*:8: .source. path: store build/.*: No such file or directory: check its path", "plan", JOB, cwd=folder)


def make_zones():
    path = os.path.join(folder, "zones.geojsonl")
    with open(path, "w", encoding="ascii") as file:
        file.write('{"type":"Feature","properties":{"zip":"1","state":"MA"},"geometry":{"type":"Polygon","coordinates":'
                   '[[[0,0],[1,0],[1,1],[0,0]]]}}\n')
    return path


def vectors():
    """The commands that stage files first can be pasted, and go as far as the files."""
    for name in ("run", "plan"):
        line = says("--set source.kind = vector: files have to be staged first: .*", name, JOB,
                    "--set", "source.kind=vector", "--set", "buildings.where=use = 'house'")
        pasted = line.split("first: ")[1].replace("rooftally ", ROOFTALLY + " ")
        done = subprocess.run(["sh", "-c", pasted], cwd=folder, stderr=subprocess.PIPE, encoding="utf-8", env=environment)
        check(done.stderr == f"rooftally: {JOB}: [zones] path is missing\n", pasted, "says", done.stderr)
    # one that would be cut is none
    says("--set source.kind = vector: files have to be staged first: rooftally stage JOB -o STORE", "run", JOB, "--set",
         "source.kind=vector", "--set", "buildings.where=" + " and ".join(["use <> 'house'"] * 40))
    for name in ("id", "fields"):
        says(f"{re.escape(JOB)}: .buildings. {name}.fgb: .*", "stage", JOB, "-o", folder + "/x", "--set",
             "source.kind=vector", "--set", "zones.path=" + make_zones(), "--set", f"buildings.path={name}.fgb")


def alone():
    """Of many ranks the first does what one can: nothing is said twice, nor written twice."""
    says("plan: unknown option --bogus; .*", "plan", JOB, "--bogus", ranks=3)
    for name in ("info", "export", "report"):
        says(".*absent.h5: No such file or directory: check its path", name, os.path.join(folder, "absent.h5"),
             *(["-o", os.path.join(folder, "page.html")] if name == "report" else []), ranks=3)
    for arguments in (("export", RESULT), ("info", RESULT), ("plan", *RUN[1:], "--values"), ("--version",), ("help",)):
        one, three = [subprocess.run(command(*arguments, ranks=ranks), stdin=subprocess.DEVNULL, check=True,
                                     stdout=subprocess.PIPE, env=environment).stdout for ranks in (1, 3)]
        check(one and one == three, arguments, "gives", len(one), "bytes alone, and by three", len(three))
    page = os.path.join(folder, "page.html")
    check(subprocess.run(command("report", RESULT, "-o", page, ranks=3), env=environment).returncode == 0
          and os.path.exists(page), "a report by three")


def exports():
    says("standard output cannot be written: No space left on device: free some space there, or choose another disk", "export", RESULT, status=1,
         stdout=open("/dev/full", "w"))
    for form in ("csv", "geojson"):
        path = os.path.join(folder, "out." + form)
        says(f"{path} cannot be (written|put on disk): File too large: raise the limit on the size of files .ulimit -f.", "export", RESULT, "-o", path, status=1,
             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        check(not os.path.exists(path), path, "is there")
    says("zone .*[.]spool/rank-0.1 cannot be written: File too large.*", *RUN, "-o", RESULT + "4", status=1,
         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)))
    check(not os.path.exists(RESULT + "4"), "a result that is too large is there")


def damaged():
    """A store of another version, and one that is cut; a spool whose manifest says nothing."""
    other = os.path.join(folder, "other.store.h5")
    shutil.copy(STORE, other)
    with h5py.File(other, "r+") as file:
        file.attrs["format_version"] = 1
    says(f"store {other}: it is of version 1, this program reads version \\d+: stage it again", "info", other)
    spool = RESULT + "3.spool"
    os.mkdir(spool)
    for text in ("", "rooftally spool 4\n", "rooftally spool 4\ncrc32c 00000000\n"):
        with open(spool + "/manifest", "w", encoding="utf-8") as file:
            file.write(text)
        says(f"{spool}: its manifest is damaged .*: start anew with --force", *RUN, "-o", RESULT + "3", "--resume")
    with open(spool + "/manifest", "w", encoding="utf-8") as file:
        file.write("rooftally spool 1\n")
    says(f"{spool} holds zones of version 1, .* --force", *RUN, "-o", RESULT + "3", "--resume")
    with open(spool + "/rank-0.1", "w", encoding="utf-8") as file:
        file.write("RTZ1" * 100)
    says(f"{spool} holds 0 finished zones and 400 bytes that are damaged, or of another version: start anew with --force",
         *RUN, "-o", RESULT + "3")
    os.unlink(spool + "/manifest")
    says(f"{spool}: its manifest is missing, .* its 0 finished zones and 400 bytes .*: start anew with --force alone",
         *RUN, "-o", RESULT + "3", "--resume")


def last_child(pid):
    """Of mpirun: its last rank."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return int(file.read().split()[-1])


def stopped(wanted, spool, number, ranks, *arguments):
    shutil.rmtree(spool or folder + "/none", ignore_errors=True)
    process = subprocess.Popen(command(*arguments, ranks=ranks), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, encoding="utf-8", env=environment)
    until = time.monotonic() + 30
    while spool and not os.path.exists(f"{spool}/rank-{ranks - 1}.1") and process.poll() is None \
            and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(0.3)
    os.kill(process.pid if ranks == 1 else last_child(process.pid), number)
    stderr = process.communicate()[1]
    lines = [line for line in stderr.splitlines() if line.startswith("rooftally: ")]
    check(process.returncode == 75, arguments[0], number, "on", ranks, "ended with", process.returncode, stderr)
    check(len(lines) == 1 and re.fullmatch("rooftally: " + wanted, lines[0]), arguments[0], number, "on", ranks,
          "says", stderr)


def stops():
    output = os.path.join(folder, "stopped.h5")
    options = ("-o", output, "--force", "--quiet", "--set", "buildings.invalid=skip", "--set", "buildings.where=")
    how = r"; (\d+ of 100 zones are finished: rooftally run --resume goes on|no zone is finished: start it again)"
    for name in ("SIGTERM", "SIGINT", "SIGUSR1"):
        stopped(f"stopped by {name}{how}", output + ".spool", getattr(signal, name), 1, *RUN, *options)
    stopped(f"stopped by SIGTERM( on rank 2)?{how}", output + ".spool", signal.SIGTERM, 3, *RUN, *options)
    stopped("stopped by SIGINT; nothing is kept: start it again", "", signal.SIGINT, 1, "generate",
            os.path.join(folder, "large.h5"), "--zones", "1000", "--buildings", "20000000", "--seed", "1", "--quiet")
    check(not os.path.exists(os.path.join(folder, "large.h5")), "a store is there")
    os.makedirs(output + ".spool", exist_ok=True)
    with open(output + ".spool/lock", "w", encoding="ascii") as lock:  # before the spool has been looked at
        fcntl.flock(lock, fcntl.LOCK_EX)
        stopped("stopped by SIGTERM; no further zone is finished: rooftally run --resume goes on", "", signal.SIGTERM, 1,
                *RUN, "-o", output, "--resume", "--quiet")


def unstarted():
    """Ranks that find no common start: the first one says so."""
    library = os.path.join(folder, "unstarted.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-xc", "-", "-o", library], check=True, encoding="ascii",
                   input="int MPI_Gather(void) { return 16; }")
    before = dict(environment)
    environment.update(LD_PRELOAD=library,
                       ASAN_OPTIONS=environment.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
    says("MPI_Gather: .*", *RUN, ranks=3, status=1)
    environment.clear()
    environment.update(before)


def unread():
    """A reader that has gone ends what is there to be read, and no work."""
    job, anew = RUN[1:], os.path.join(folder, "unread.store.h5")
    for arguments, status in (((*RUN, "-o", RESULT + "5"), 0),
                              (("generate", anew, "--zones", "2", "--buildings", "10"), 0),
                              (("plan", *job), -signal.SIGPIPE), (("info", RESULT), -signal.SIGPIPE)):
        reading, writing = os.pipe()
        os.close(reading)
        ended = subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, stdout=writing, stderr=writing,
                               env=environment).returncode
        os.close(writing)
        check(ended == status, arguments, "unread, ended with", ended)


rooftally("generate", STORE, "--zones", "100", "--buildings", "900000", "--seed", "3", "--quiet")
rooftally(*RUN, "-o", RESULT, "--quiet")
mistakes()
vectors()
alone()
exports()
damaged()
stops()
unstarted()
unread()
finish()
