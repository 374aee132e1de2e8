#!/usr/bin/python3
"""What a run says of its progress: one line that fits the terminal, with the share of the work, its
rate, the time that is left and peak memory; a line every 10 s where there is no terminal; nothing
when it is to be quiet."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from verdict import *  # noqa: E402,F403

STORE = os.path.join(folder, "state.store.h5")
OUTPUT = os.path.join(folder, "out.h5")
JOB = os.path.join(SOURCE_DIR, "jobs/demo.ini")
# GEOS looks at every building, so that there is something to be seen
RUN = ("run", JOB, "-o", OUTPUT, "--force", "--set", f"source.path={STORE}", "--set", "buildings.invalid=skip",
       "--set", "buildings.where=")
SHARE, RATE, ETA = r"\d+ %", r"\d+\.\d+ M/s", r"ETA (\d+:\d+|\?)"
PEAK = r"peak (\d+\.\d MiB|0 bytes)"  # 0: no worker has told yet
ZONES, BUILDINGS, BAR = r"\d+/100 zones", r"[\d,]+ buildings", r"\[#*\.*\]"


def on_terminal(columns, *arguments, ranks=1):
    """The lines that the program shows one over the other, on a terminal of so many columns."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command(*arguments, ranks=ranks), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=side, env=environment)
    os.close(side)
    shown = b""
    try:
        while piece := os.read(main, 65536):
            shown += piece
    except OSError:  # its end
        pass
    os.close(main)
    stdout = process.stdout.read()
    check(process.wait() == 0, "ended with", process.returncode, shown)
    check(not shown or shown.endswith(b"\r\x1b[K"), "the line is not cleared at the end:", shown[-80:])
    return [line.replace("\x1b[K", "") for line in shown.decode().split("\r") if line != "\x1b[K"], stdout


def check_terminal(columns, wanted, unwanted=()):
    lines = [line for line in on_terminal(columns, *RUN)[0] if line]
    check(len(lines) >= 3, columns, "columns:", len(lines), "lines")
    check(max(map(len, lines), default=0) < columns, columns, "columns are too few for", lines)
    work = [line for line in lines if "written" not in line]
    pattern = re.compile("[, ]+".join(wanted))
    check(work and all(pattern.search(line) for line in work), columns, "columns: not all of", wanted, "in", work)
    for part in unwanted:
        check(not any(re.search(part, line) for line in work), columns, "columns:", part, "in", work)


def check_no_terminal():
    """Its clock goes on while it is stopped: after 10 s a line is due, and no more than one in 10 s."""
    since = time.monotonic()
    process = subprocess.Popen(command(*RUN), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               encoding="utf-8", env=environment)
    until = time.monotonic() + 30
    while not os.path.exists(f"{OUTPUT}.spool/rank-0.1") and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(0.2)
    process.send_signal(signal.SIGSTOP)
    time.sleep(10.5)
    process.send_signal(signal.SIGCONT)
    stderr = process.communicate()[1]
    pattern = ", ".join((ZONES, BUILDINGS, RATE, ETA, PEAK))
    lines, seconds = stderr.splitlines(), time.monotonic() - since
    check(1 <= len(lines) <= seconds / 10
          and all(re.fullmatch(f"progress: +({SHARE} {pattern}|{SHARE} written, {ETA})", line) for line in lines),
          "without a terminal:", lines, "in", seconds, "s")


rooftally("generate", STORE, "--zones", "100", "--seed", "3", "--quiet",
          "--buildings", "100000" if is_sanitized() else "600000")
check_terminal(200, (BAR, SHARE, ZONES, BUILDINGS, RATE, ETA, PEAK))
check_terminal(80, (BAR, SHARE, ZONES, RATE, ETA, PEAK), (BUILDINGS,))
check_terminal(40, (SHARE, RATE, ETA, PEAK), (BUILDINGS, ZONES, BAR))
check_no_terminal()
for ranks in (1, 3):
    lines, stdout = on_terminal(80, *RUN, "--quiet", ranks=ranks)
    check(lines in ([], [""]) and stdout == b"", "--quiet on", ranks, "ranks says", lines, stdout)
finish()
