"""A machine of the test's own: its processes, mounts, network and host name are seen by nobody
else, and are gone when the test ends, however it ends. Makes no sense of what runs in it."""

import os
import subprocess
import sys

FLAGS = ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
if os.getuid() != 0:
    FLAGS += ["--user", "--map-root-user"]

# The first process reaps what daemons leave behind, which Python would not.
INIT = '"$@" & wait $!'


def enter(skip, folder):
    """Returns inside. Outside, runs this very program inside, and ends as it ended."""
    if os.environ.get("SANDBOX_FOLDER"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["hostname", "head"], check=True)
        return
    try:
        tried = subprocess.run(["unshare", *FLAGS, "ip", "link", "set", "lo", "up"],
                               stderr=subprocess.PIPE, encoding="utf-8")
        why = tried.stderr if tried.returncode else ""
    except FileNotFoundError:
        why = "no unshare"
    if why:
        skip(f"no namespaces here: {why.strip()}")
    inside = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "unshare", *FLAGS, "sh", "-c", INIT, "sh",
         sys.executable, *sys.argv],
        env=dict(os.environ, SANDBOX_FOLDER=folder), stdin=subprocess.DEVNULL)
    try:
        status = inside.wait()
    finally:
        inside.kill()
    sys.exit(status)
