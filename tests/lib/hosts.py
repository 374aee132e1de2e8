"""Several hosts inside a sandbox: each with a network interface, a name and /dev/shm of its own,
all on one bridge; mpirun reaches them as it would by ssh."""

import os
import subprocess

# Stands in for ssh, which hands on no environment either.
AGENT = """#!/bin/sh
while :; do case $1 in -*) shift ;; *) break ;; esac; done
host=$1; shift
exec nsenter -t "$(cat {folder}/$host.pid)" --net --uts --mount --ipc \\
    env -i PATH="$PATH" HOME=/root TMPDIR={folder}/tmp sh -c "cd {folder}; $*"
"""
HOST = """hostname "$1" && mount -t tmpfs -o mode=1777 tmpfs "$2/tmp" &&
mount -t tmpfs -o mode=1777 tmpfs /dev/shm && echo up && exec sleep infinity"""


class Hosts:
    def __init__(self, folder, environment, n=3, slots=2):
        self.folder, self.environment = folder, environment
        self.names = [f"host{i + 1}" for i in range(n)]
        self.holders = {}
        os.makedirs(f"{folder}/tmp")
        with open(f"{folder}/agent", "w", encoding="ascii") as file:
            file.write(AGENT.format(folder=folder))
        os.chmod(f"{folder}/agent", 0o755)
        with open(f"{folder}/hostfile", "w", encoding="ascii") as file:
            file.writelines(f"{name} slots={slots}\n" for name in self.names)
        # no spanning tree to wait for
        self.do("ip", "link", "add", "cables", "type", "bridge", "forward_delay", "0")
        self.do("ip", "link", "set", "cables", "up")
        for i, name in enumerate(self.names):
            self.start(name, f"192.0.2.{11 + i}/24")

    def do(self, *command):
        subprocess.run(command, check=True)

    def start(self, name, address):
        holder = self.holders[name] = subprocess.Popen(
            ["unshare", "--net", "--uts", "--mount", "--ipc", "sh", "-c", HOST, "sh", name,
             self.folder], stdout=subprocess.PIPE)
        holder.stdout.readline()
        first = str(holder.pid)
        with open(f"{self.folder}/{name}.pid", "w", encoding="ascii") as file:
            file.write(first)
        self.do("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0",
                "netns", first)
        self.do("ip", "link", "set", f"to-{name}", "master", "cables", "up")
        inside = ("nsenter", "-t", first, "--net", "ip")
        self.do(*inside, "link", "set", "lo", "up")
        self.do(*inside, "addr", "add", address, "dev", "eth0")
        self.do(*inside, "link", "set", "eth0", "up")

    def mpirun(self, words, ranks, **variables):
        """mpirun on the first host; these variables are in its environment."""
        command = ["env", *(f"{name}={value}" for name, value in variables.items()),
                   "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                   "mpirun", "--hostfile", f"{self.folder}/hostfile", "--map-by", "node",
                   "-n", str(ranks), "--oversubscribe", "--mca", "plm", "rsh",
                   "--mca", "plm_rsh_agent", f"{self.folder}/agent",
                   "--mca", "btl_tcp_if_include", "eth0", "--mca", "oob_tcp_if_include", "eth0",
                   *words]
        return subprocess.Popen([f"{self.folder}/agent", self.names[0], *command],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                                env=self.environment)

    def cut(self, name):
        """Packets vanish; nobody is told."""
        self.do("ip", "link", "set", f"to-{name}", "nomaster")

    def heal(self, name):
        self.do("ip", "link", "set", f"to-{name}", "master", "cables")

    def processes(self, name, of):
        """Pids on a host whose program is `of`."""
        space = os.readlink(f"/proc/{self.holders[name].pid}/ns/net")
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                    comm, _, rest = file.read().partition("(")[2].rpartition(")")
                if os.readlink(f"/proc/{pid}/ns/net") == space and rest.split()[0] != "Z" \
                        and comm == of:
                    found.append(int(pid))
            except OSError:
                pass
        return found
