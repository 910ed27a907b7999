"""A Slurm of one node, on this machine, for tests: munged, slurmctld and slurmd.

They live in a temporary folder with a key, a socket and ports of their own, so that several can run
at once and beside a real one, and need no systemd. Nothing outlives the process that started them.
"""
import ctypes
import getpass
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None)

CONFIGURATION = """\
ClusterName=retia
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=5
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs={n_cpus} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES PriorityTier=1 GraceTime=30 State=UP
PartitionName=urgent Nodes=ALL PriorityTier=2 State=UP
"""


def missing_programs():
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return [program for program in PROGRAMS if shutil.which(program, path=path) is None]


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until(happened, what, seconds=60, story=lambda: ""):
    """Waits until happened() is true; fails after so many seconds, saying what did not happen."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} seconds{story()}")
        time.sleep(0.1)


def descendants(ancestor):
    """The processes that a process started, and theirs, and so on."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    found, newest = set(), {ancestor}
    while newest:
        newest = {child for child, parent in parents.items() if parent in newest} - found
        found |= newest
    return found


def kill(processes):
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def start_guard():
    """A process that ends what this one has started should it be killed itself."""
    guarded = os.getpid()
    end, kept_open = os.pipe()
    if os.fork() == 0:
        os.close(kept_open)
        os.setsid()
        known = set()
        while not select.select([end], [], [], 0.5)[0]:
            known = descendants(guarded) - {os.getpid()}
        kill(known)
        os._exit(0)
    os.close(end)


class SlurmCluster:
    """Slurm runs between `with SlurmCluster() as slurm:` and the end of the block.

    n_cpus: that its node is said to have, whatever this machine has.
    """

    def __init__(self, n_cpus=2):
        self.n_cpus = n_cpus
        self.daemons = {}

    def __enter__(self):
        start_guard()
        self.before = descendants(os.getpid())
        # So that what Slurm detaches, a job's slurmstepd, is still found and ended with the rest.
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
        if missing := missing_programs():
            raise AssertionError(f"{', '.join(missing)} are not installed: run scripts/setup --tests")
        self.temporary = tempfile.TemporaryDirectory(prefix="slurm-")
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        while left := descendants(os.getpid()) - self.before:
            kill(left)
            for process in left:
                try:
                    os.waitpid(process, os.WNOHANG)
                except ChildProcessError:
                    pass  # a grandchild, which becomes a child
            time.sleep(0.02)
        self.temporary.cleanup()

    def _start(self):
        self.folder = pathlib.Path(self.temporary.name)
        host = socket.gethostname().split(".")[0]
        controller_port, node_port = free_ports(2)
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf"),
                            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        for name in [name for name in os.environ if name.startswith(("SLURM_", "SBATCH_"))]:
            if name != "SLURM_CONF":
                del self.environment[name]
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=host, node="node", user=getpass.getuser(), folder=self.folder,
            controller_port=controller_port, node_port=node_port, n_cpus=self.n_cpus))
        # Or slurmd may ask a plugin for control groups, which few containers let it have.
        (self.folder / "cgroup.conf").write_text("CgroupAutomount=no\n")

        self._daemon("munged", "--foreground", "--force", f"--key-file={key}",
                     f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                     f"--seed-file={self.folder}/munge.seed", f"--log-file={self.folder}/munged.log")
        wait_until((self.folder / "munge.socket").exists, "munged's socket")
        self._daemon("slurmctld", "-D", "-c")
        self.start_node()

    def _daemon(self, name, *arguments):
        parent = os.getpid()

        def die_with_parent():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with open(self.folder / f"{name}.out", "ab") as output:
            self.daemons[name] = subprocess.Popen(
                [name, *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, preexec_fn=die_with_parent)

    def start_node(self):
        """Starts slurmd, first or again, and waits until its node takes jobs."""
        self._daemon("slurmd", "-D", "-N", "node")
        self.wait_for_node("idle", "mixed", "allocated")

    def kill_node(self):
        """Ends slurmd on the spot. Its jobs go on; none begins until it is started again."""
        self.daemons["slurmd"].kill()
        self.daemons["slurmd"].wait()

    def stop_controller(self):
        """Slurm does not answer until it is started again. Killed it would forget its last jobs."""
        self.daemons["slurmctld"].terminate()
        self.daemons["slurmctld"].wait()

    def start_controller(self):
        self._daemon("slurmctld", "-D")

    def wait_for_node(self, *states):
        wait_until(lambda: self.run("sinfo", "-h", "-p", "main", "-o", "%T").stdout.strip() in states,
                   f"the node to be one of {states}", story=self.story)

    def run(self, *words, **options):
        """Runs a command of Slurm's, or one that calls them."""
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, **options)

    def jobs(self, columns="%i|%T"):
        """The jobs that Slurm remembers, ended ones too, as lists of columns."""
        lines = self.run("squeue", "-h", "-r", "--states=all", "-o", columns).stdout.splitlines()
        return [[field.strip() for field in line.split("|")] for line in lines]

    def story(self):
        """The ends of the daemons' outputs."""
        return "".join(f"\n-- {path.name}\n{path.read_text(errors='replace')[-2000:]}"
                       for path in sorted(self.folder.glob("*.out")))
