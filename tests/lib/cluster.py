"""A Slurm cluster of several virtual nodes, inside a sandbox: a slurmd for each, with a host name,
network interface, processes, /dev/shm and a scratch folder of its own. Its own munge, too; no port or
file but in the sandbox and in `folder`."""

import os
import shutil
import subprocess
import time

CONFIGURATION = """
ClusterName=test
SlurmctldHost=head(192.0.2.1)
SlurmctldPort=26817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
# no cgroups and no binding: one machine plays them all
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MpiDefault=none
ReturnToService=2
KillWait=10
SlurmdTimeout=60
MessageTimeout=10
MailProg=/bin/true
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=10
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=20 PreemptMode=OFF
"""

# What a node is besides its slurmd. Slurm's PMIx makes a folder of the job's name on every node, so
# that they cannot share one for it.
NODE = """hostname "$1" && mount -t tmpfs -o mode=1777 tmpfs "$2/tmp" &&
mount -t tmpfs -o mode=1777 tmpfs /dev/shm || exit
until ip link show up eth0 2>/dev/null | grep -q eth0; do sleep 0.05; done
slurmd -D -c -N "$1" -f "$2/slurm.conf" & wait $!"""

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "sinfo")


def missing():
    """The first program that is not installed."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    for name in PROGRAMS:
        if not any(os.access(os.path.join(part, name), os.X_OK) for part in path.split(":")):
            return name
    return ""


class Cluster:
    def __init__(self, folder, environment, nodes=3, cpus=8):
        self.folder, self.cpus = folder, cpus
        self.environment = dict(environment, SLURM_CONF=f"{folder}/slurm.conf",
                                TMPDIR=f"{folder}/tmp",
                                PATH=environment["PATH"] + ":/usr/sbin:/sbin")
        self.names = [f"node{i + 1}" for i in range(nodes)]
        self.daemons = {}
        self.write_files()
        # no spanning tree to wait for
        self.do("ip", "link", "add", "eth0", "type", "bridge", "forward_delay", "0")
        self.do("ip", "addr", "add", "192.0.2.1/24", "dev", "eth0")
        self.do("ip", "link", "set", "eth0", "up")
        self.start("munged", "munged", "-F", "--force", f"--socket={folder}/munge.socket",
                   f"--key-file={folder}/munge/key", f"--log-file={folder}/munge/log",
                   f"--pid-file={folder}/munge/pid", f"--seed-file={folder}/munge/seed")
        self.await_(lambda: os.path.exists(f"{folder}/munge.socket"), "munged's socket")
        self.start("slurmctld", "slurmctld", "-D", "-c", "-f", f"{folder}/slurm.conf")
        for name in self.names:
            self.start_node(name)
        self.await_(self.is_idle, "three idle nodes")

    def write_files(self):
        os.makedirs(self.folder, mode=0o755)
        for name in ("state", "tmp", "munge"):
            os.makedirs(f"{self.folder}/{name}", mode=0o700)
        with open(os.open(f"{self.folder}/munge/key", os.O_WRONLY | os.O_CREAT, 0o600),
                  "wb") as file:
            file.write(os.urandom(128))
        with open(f"{self.folder}/slurm.conf", "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(folder=self.folder))
            for i, name in enumerate(self.names):
                file.write(f"NodeName={name} NodeHostname={name} NodeAddr=192.0.2.{11 + i} "
                           f"Port={26818 + i} CPUs={self.cpus} RealMemory=8000\n")
        with open(f"{self.folder}/cgroup.conf", "w", encoding="ascii") as file:
            file.write("CgroupAutomount=no\nIgnoreSystemd=yes\n")
        with open(f"{self.folder}/mpi.conf", "w", encoding="ascii") as file:
            file.write(f"PMIxCliTmpDirBase={self.folder}/tmp\n")

    def start(self, name, *command):
        with open(f"{self.folder}/{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                                  stderr=out, env=self.environment)

    def start_node(self, name):
        self.start(name, "unshare", "--net", "--uts", "--mount", "--pid", "--fork",
                   "--kill-child", "--mount-proc", "sh", "-c", NODE, "sh", name, self.folder)
        first, own = self.daemons[name].pid, os.readlink("/proc/self/ns/net")
        self.await_(lambda: os.readlink(f"/proc/{first}/ns/net") != own, f"network of {name}")
        inside = ("nsenter", "-t", str(first), "--net", "ip")
        self.do("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0",
                "netns", str(first))
        self.do("ip", "link", "set", f"to-{name}", "master", "eth0", "up")
        self.do(*inside, "link", "set", "lo", "up")
        self.do(*inside, "addr", "add", f"192.0.2.{11 + self.names.index(name)}/24", "dev", "eth0")
        self.do(*inside, "link", "set", "eth0", "up")

    def cut(self, name):
        """Packets vanish; nobody is told."""
        self.do("ip", "link", "set", f"to-{name}", "nomaster")

    def heal(self, name):
        self.do("ip", "link", "set", f"to-{name}", "master", "eth0")

    def ranks(self, name):
        """Processes of the program on a node."""
        space = os.readlink(f"/proc/{self.daemons[name].pid}/ns/net")
        n = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                    comm, _, rest = file.read().partition("(")[2].rpartition(")")
                n += (comm == "rooftally" and rest.split()[0] != "Z"
                      and os.readlink(f"/proc/{pid}/ns/net") == space)
            except OSError:
                pass
        return n

    def crash(self, name):
        """As if the power went: all that runs on the node is gone at once, and its own disk."""
        self.daemons[name].kill()
        self.daemons[name].wait()
        shutil.rmtree(f"{self.folder}/spool.{name}", ignore_errors=True)

    def await_(self, condition, what, most_s=30):
        deadline = time.monotonic() + most_s
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"no {what} after {most_s} s:\n{self.logs()}")
            time.sleep(0.1)

    def logs(self):
        text = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith((".log", ".out")):
                with open(f"{self.folder}/{name}", encoding="utf-8", errors="replace") as file:
                    text += f"--- {name}\n" + "".join(file.readlines()[-15:])
        return text

    def do(self, *command):
        subprocess.run(command, check=True, env=self.environment)

    def ask(self, *command, **more):
        """Standard output of a command beside the cluster; "" where it failed."""
        done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              timeout=60, **more)
        return done.stdout if done.returncode == 0 else ""

    def is_idle(self):
        return len(self.ask("sinfo", "-h", "-N", "-p", "main", "-t", "idle", "-o", "%N").split()) \
            == len(self.names)

    def state(self, name):
        return self.ask("sinfo", "-h", "-N", "-p", "main", "-n", name, "-o", "%T").strip()

    def is_up(self, name):
        """A node that was gone may have to be told that it is back."""
        state = self.state(name)
        if state not in ("idle", "mixed", "allocated"):
            self.ask("scontrol", "update", f"nodename={name}", "state=resume")
        return state == "idle"

    def job(self, number):
        """What Slurm knows of a job: {"JobState": "RUNNING", ...}"""
        text = self.ask("scontrol", "show", "job", str(number))
        return dict(word.split("=", 1) for word in text.split() if "=" in word)
