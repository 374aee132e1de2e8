#!/usr/bin/python3
"""Passwords, and files: a password of a connection string is in no output, file, attribute or
process title; nothing that is made can be written by others, whatever the umask."""

import os
import signal
import stat
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from oracle import *  # noqa: E402,F403

SECRET = "S3CRETpw"
use_database("secrets")
generate(6, 3000, 11)
make_held_view("held_building", "public.building")

host, user, database = (environment[name] for name in ("PGHOST", "PGUSER", "PGDATABASE"))
quoted = urllib.parse.quote(host, safe="")
inputs = tempfile.mkdtemp(prefix="rooftally-inputs.")
atexit.register(shutil.rmtree, inputs, True)
with open(os.path.join(inputs, "service"), "w", encoding="utf-8") as file:
    file.write(f"[hidden]\nhost={host}\nuser={user}\ndbname={database}\npassword={SECRET}\n")
with open(os.path.join(inputs, "passfile"), "w", encoding="utf-8") as file:
    file.write(f"*:*:*:*:{SECRET}\n")
os.chmod(os.path.join(inputs, "passfile"), 0o600)
environment["PGSERVICEFILE"] = os.path.join(inputs, "service")

FORMS = {
    "pairs": f"host={host} dbname={database} password={SECRET}",
    "quotes": f"host='{host}' dbname = {database} password = '{SECRET}'",
    "address": f"postgresql://{user}:{SECRET}@/{database}?host={quoted}",
    "query": f"postgres:///{database}?user={user}&host={quoted}&password={SECRET}",
    "escapes": f"postgres:///{database}?user={user}&host={quoted}&pass%77ord={SECRET}",
    "passfile": f"host={host} dbname={database} passfile={inputs}/passfile",
    "service": "service=hidden",
}
# Connection strings that do not work; every piece of the password stays unsaid.
BROKEN = [
    f"host=/nowhere password={SECRET}",
    f"host=/nowhere password='{SECRET} {SECRET}",
    f"host=/nowhere password=a {SECRET}=b",
    f"host=/nowhere password=a {SECRET}",
    f"host={host} dbname=nosuch password={SECRET}",
    f"host={host} user=nosuch password={SECRET}",
    f"postgresql://{user}:a@{SECRET}@nowhere.invalid/{database}",
    f"postgresql://{user}:a/{SECRET}@nowhere.invalid/{database}",
    f"postgresql://{user}:a?{SECRET}@nowhere.invalid/{database}",
    f"postgresql://{user}:{SECRET}@nowhere.invalid:x/{database}",
    f"postgresql://{user}:{SECRET}@[::/{database}",
    f"postgresql://{user}:%zz{SECRET}@nowhere.invalid/{database}",
    f"host={host};user={user};password={SECRET};dbname={database}",
    f"user={user};password={SECRET};host={host}",
    f"host={host} dbname=nosuch application_name=x;password={SECRET}",
    f"{user}:{SECRET}@{database}",
    f"postgresql://{user}:{SECRET}/{database}",
]
# An address in a place where none belongs.
ADDRESS = f"postgresql://{user}:{SECRET}@nowhere.invalid/{database}"
MISPLACED = [
    ("generate", ADDRESS, "--zones", "1", "--buildings", "1"), ("run", ADDRESS), ("stage", ADDRESS), ("info", ADDRESS),
    ("plan", ADDRESS), ("export", ADDRESS), ("run", "JOB", ADDRESS), ("run", "JOB", "-o", ADDRESS), (ADDRESS,),
    ("stage", "JOB", "-o", ADDRESS), ("plan", "JOB", "--set", f"source.kind={ADDRESS}"),
    ("plan", "JOB", "--set", f"zones.table={ADDRESS}"), ("plan", "JOB", "--set", f"source.kind=PG: password={SECRET}"),
    ("plan", "JOB", "--set", "source.kind=store", "--set", f"source.path={ADDRESS}"),
    ("plan", "JOB", "--set", f"limits.memory={ADDRESS}"), ("plan", "JOB", "--set", f"buildings.where={ADDRESS}"),
    ("plan", "JOB", "--set", f"{ADDRESS}=1"),
    ("run", "JOB", f"postgresql://admin@server:{SECRET}@h/d"), ("info", f"postgresql://u:12'{SECRET}@h/d"),
    ("run", f"postgresql://u:a {SECRET}@h/d"), ("info", f"MSSQL:server=s;PWD={SECRET}"),
    ("plan", "JOB", "--set", f"source.kind=PG: password='a\\'{SECRET} x'"),
]


def check_hidden(what, text):
    if isinstance(text, str):
        text = text.encode()
    at = text.find(SECRET.encode())
    check(at < 0, what, "tells the password:", text[max(at - 60, 0):at + 60])


def check_folder(what, n_least):
    """No file under our folder has the password in it, or can be written by others."""
    n = 0
    for place, folders, files in os.walk(folder):
        for name in files + folders:
            path = os.path.join(place, name)
            mode = stat.S_IMODE(os.lstat(path).st_mode)
            check(mode & 0o022 == 0, what, path, f"has mode {mode:o}")
            if name.endswith(".spool"):
                check(mode & 0o077 == 0, what, path, f"has mode {mode:o}")
            if name in files and not name.endswith(".ini"):
                n += 1
                with open(path, "rb") as file:
                    check_hidden(f"{what}: {path}", file.read())
    check(n >= n_least, what, n, "files were seen,", n_least, "wanted")


def titles():
    """The command lines of all processes of the program, by process."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read()
        except OSError:
            continue
        if os.path.basename(words.split(b"\0")[0]) == b"rooftally":
            found[int(pid)] = words
    return found


def start(*arguments, ranks=1):
    return subprocess.Popen(command(*arguments, ranks=ranks), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                            umask=0, start_new_session=True)


def finish_one(what, process, status):
    output = process.communicate(timeout=120)[0]
    check_hidden(what, output)
    check(process.returncode == status, what, "ended with", process.returncode, output.decode())
    return output.decode()


def check_form(name, connection, held):
    """plan, a run that is stopped in its middle, its resumption, stage, info and export."""
    in_file = {"source__connection": connection} if name != "pairs" else {}
    options = ["--set", f"source.connection={connection}"] if name == "pairs" else []
    job = write_job(name, zones__fields="state", buildings__table="held_building", **in_file)
    output = os.path.join(folder, f"{name}.h5")
    store = os.path.join(folder, f"{name}.store.h5")
    finish_one(f"{name}: plan", start("plan", job, *options), 0)
    if held:
        hold = Hold()
        process = start("run", job, "-o", output, *options, ranks=2)
        until = time.time() + 60
        while n_held() == 0 and time.time() < until and process.poll() is None:
            time.sleep(0.1)
        seen = {pid: words for pid, words in titles().items() if output.encode() in words}
        check(len(seen) == 2, name, "processes seen:", len(seen))
        for pid, words in seen.items():
            check_hidden(f"{name}: process title", words)
        check_folder(f"{name}: while it runs", 2)
        for pid in seen:
            os.kill(pid, signal.SIGTERM)
        finish_one(f"{name}: stopped run", process, 75)
        hold.release()
        check_folder(f"{name}: what a stopped run left", 0)
        finish_one(f"{name}: resumed", start("run", job, "-o", output, "--resume", *options), 0)
    else:
        finish_one(f"{name}: run", start("run", job, "-o", output, *options), 0)
    text = h5py.File(output)["/provenance"].attrs["job"].decode()
    if name not in ("passfile", "service"):
        check("***" in text, name, "the job's text has no stars:", text)
    finish_one(f"{name}: stage", start("stage", job, "-o", store, *options), 0)
    for path in (output, store):
        finish_one(f"{name}: info", start("info", path), 0)
    for kind in ("csv", "geojson"):
        finish_one(f"{name}: export",
                   start("export", output, "-o", os.path.join(folder, f"{name}.{kind}")), 0)
    check_folder(f"{name}: at the end", 4)


for number, (name, connection) in enumerate(FORMS.items()):
    check_form(name, connection, held=number < 3)

for connection in BROKEN:
    job = write_job("broken", source__connection=connection)
    for arguments in (["plan", job], ["run", job, "-o", os.path.join(folder, "broken.h5")],
                      ["generate", "--postgres", connection, "--zones", "4", "--buildings", "9"]):
        done = rooftally(*arguments, status=None)
        check(done.returncode == 2 or done.returncode == 1, connection, "ended with",
              done.returncode)
        check(done.stderr.count("\n") == 1, connection, "is not one line:", done.stderr)
        check_hidden(f"{arguments[0]} of {connection}", done.stdout + done.stderr)
for arguments in (["--set", f"connection=password={SECRET}"],
                  ["--set", f"source.conection=password={SECRET}"],
                  ["--sett", f"source.connection=password={SECRET}"],
                  [f"--sett=source.connection=password={SECRET}"]):
    done = rooftally("plan", job, *arguments, status=2)
    check_hidden(" ".join(arguments), done.stdout + done.stderr)
check_hidden("generate", rooftally("generate", f"--postgress=password={SECRET}",
                                   status=2).stderr)
job = write_job("misplaced")
for arguments in MISPLACED:
    done = rooftally(*(job if word == "JOB" else word for word in arguments), status=None)
    check(done.returncode in (1, 2), arguments, "ended with", done.returncode)
    check_hidden(" ".join(arguments[:2]), done.stdout + done.stderr)
check_folder("after all", 8)
finish()
