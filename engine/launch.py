"""How a worker comes to life: standard library only, so that any Python can begin here.

Linux: `python -m engine.launch --serve FD` is the fork server. It imports torch and the worker's loop once, then forks a
worker each time the engine asks on a SEQPACKET socket; a worker so made runs after some 10 ms instead of seconds. It never
touches CUDA, so its children may. Elsewhere: `python -m engine.launch --worker`, a plain new process each time.
A worker that is to run foreign code comes with a policy and is confined (engine.confinement) before it hears its first command.

Why not `multiprocessing`'s fork server: it is one per process, tied to one interpreter; it gives no pidfd (so a pid can be
recycled between death and signal), and it reaps children behind the engine's back. Here a dead worker stays a zombie until
the engine has killed what is left of its group and asks for its exit status.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from typing import NoReturn

from engine.confinement import Policy
from engine.confinement.birth import Birth, Keeper, adopting, deliver
from engine.confinement.namespaces import enter
from engine.confinement.worker import confine

PRELOAD = ("torch", "engine.worker.loop")
LENT_VARIABLE = "MODEL_DYNO_MSGSPEC"
"""Where the program's own msgspec lies, for a Python that has none."""
_PR_SET_PDEATHSIG = 1
_BIRTH_SECONDS = 8.0
"""For being confined; the engine itself waits ten."""
_REQUEST_BYTES = 256 * 1024


def borrow_msgspec() -> None:
    """Take the program's msgspec where this Python has none, and nothing else of the program's packages: its torch must not come along.

    Its compiled part fits one minor version of Python: in another one the import fails, and the engine says what to install.
    """
    folder = os.environ.get(LENT_VARIABLE)
    if not folder or "msgspec" in sys.modules or importlib.util.find_spec("msgspec") is not None:
        return
    spec = importlib.util.spec_from_file_location("msgspec", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        return
    module = sys.modules["msgspec"] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        del sys.modules["msgspec"]
        raise ModuleNotFoundError("No module named 'msgspec'", name="msgspec") from error


def run(channel: socket.socket) -> None:
    """Be a worker: obey the engine at the other end of `channel` until it hangs up."""
    borrow_msgspec()
    loop = importlib.import_module("engine.worker.loop")
    loop.obey(channel)


def die_with_parent(parent: int, sig: int = signal.SIGKILL) -> None:
    """Have the kernel send `sig` when `parent` ends; where it cannot, watch the parent's pid from a thread."""
    try:
        refused = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0) != 0
    except (AttributeError, OSError):
        refused = True
    if refused:
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True, name="parent-watch").start()
    if os.getppid() != parent:
        os._exit(1)


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def become_worker(
    channel_fd: int, log_fd: int, parent: int | None, policy: Policy | None = None, line_fd: int | None = None, had: set[str] | None = None
) -> NoReturn:
    """First acts of a worker's life: own session, own signals, no fd but its channel and log, confined where `policy` says so, then obey.

    `parent` is None where a keeper ends it. What holds it is told on `line_fd`; `had` are the namespaces that it already has. Does not return.
    """
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        _redirect(log_fd)
        channel_fd, line_fd = _keep_only(channel_fd, line_fd)
        if parent is not None:
            die_with_parent(parent)
        if policy is not None:
            _confine(policy, had or set(), line_fd)
        run(socket.socket(fileno=channel_fd))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _confine(policy: Policy, had: set[str], line_fd: int | None) -> None:
    """Confine this process and say what holds it; what fails ends the worker before it hears a command."""
    held = confine(policy, had)
    if line_fd is not None:
        os.write(line_fd, json.dumps({"held": held}).encode())
        os.close(line_fd)


def _redirect(log_fd: int) -> None:
    """Standard input reads nothing; whatever libraries print goes to the log and never near the channel."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)


def _keep_only(channel_fd: int, line_fd: int | None = None) -> tuple[int, int | None]:
    """Close every fd above 2 but the channel, which moves to 3, and the line, which moves to 4."""
    if line_fd is None:
        if channel_fd != 3:
            os.dup2(channel_fd, 3)
        os.closerange(4, _highest_fd() + 1)
        return 3, None
    above = _highest_fd() + 1
    os.dup2(line_fd, above)
    if channel_fd != 3:
        os.dup2(channel_fd, 3)
    os.dup2(above, 4)
    os.closerange(5, above + 1)
    return 3, 4


def _highest_fd() -> int:
    try:
        return max(int(name) for name in os.listdir("/proc/self/fd"))
    except (OSError, ValueError):
        return int(os.sysconf("SC_OPEN_MAX"))


class _Server:
    """The fork server's own life: answers `spawn` and `reap` until the engine hangs up."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, Keeper | None] = {}
        """Workers, and of each the keeper of its namespace, if it has one."""

    def serve(self) -> None:
        """Loop until the engine's end of the control socket is closed, then end all workers."""
        signal.signal(signal.SIGTERM, lambda *_: self.leave())
        die_with_parent(os.getppid(), signal.SIGTERM)
        if not self._preload():
            return
        while True:
            request, descriptors, _, _ = socket.recv_fds(self._control, _REQUEST_BYTES, 4)
            if not request:
                self.leave()
            command = json.loads(request)
            if "spawn" in command:
                self._spawn(command["spawn"], *descriptors)
            else:
                self._reap(command["reap"])

    def _preload(self) -> bool:
        try:
            borrow_msgspec()
            for name in PRELOAD:
                importlib.import_module(name)
        except BaseException:
            self._say({"failed": traceback.format_exc()[-8000:]})
            return False
        # A worker's collector need not walk torch's objects: that costs 0.1 s and unshares their pages.
        gc.collect()
        gc.freeze()
        self._say({"ready": [name for name in PRELOAD if name in sys.modules], "pid": os.getpid()})
        return True

    def _spawn(self, policy: object, channel_fd: int, log_fd: int) -> None:
        held: tuple[str, ...] = ()
        try:
            if isinstance(policy, dict):
                pid, pidfd, held = self._fork_confined(Policy.from_wire(policy), channel_fd, log_fd)
            else:
                pid, pidfd = self._fork(channel_fd, log_fd)
        except OSError as error:
            self._say({"refused": str(error)})
            return
        finally:
            os.close(channel_fd)
            os.close(log_fd)
        socket.send_fds(self._control, [json.dumps({"pid": pid, "held": held}).encode()], [pidfd])
        os.close(pidfd)

    def _fork(self, channel_fd: int, log_fd: int) -> tuple[int, int]:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            become_worker(channel_fd, log_fd, server)
        self._children[pid] = None
        return pid, os.pidfd_open(pid)

    def _fork_confined(self, policy: Policy, channel_fd: int, log_fd: int) -> tuple[int, int, tuple[str, ...]]:
        """The worker's pid and handle, and what holds it; raises OSError when it could not be born."""
        server = os.getpid()
        line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server_fd = os.pidfd_open(server)
        birth = Birth(line)
        with adopting():
            first = os.fork()
            if first == 0:
                become = lambda had, kept: become_worker(channel_fd, log_fd, None if kept else server, policy, theirs.fileno(), had)  # noqa: E731
                deliver(theirs, server_fd, become, with_namespaces=policy.layers == "all")
            theirs.close()
            os.close(server_fd)
            was_born = birth.attend(_BIRTH_SECONDS)
            if birth.keeper is not None or not was_born:
                _end(first)
        try:
            pid = birth.worker_pid(was_born)
        except OSError:
            if birth.keeper is not None:
                _end(birth.keeper)
            line.close()
            raise
        self._children[pid] = None if birth.keeper is None else Keeper(birth.keeper, line)
        if birth.keeper is None:
            line.close()
        return pid, birth.handle, birth.held

    def _reap(self, pid: int) -> None:
        keeper = self._children.pop(pid, None)
        try:
            code = keeper.collect(_BIRTH_SECONDS) if keeper else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:
            code = None
        self._say({"reaped": pid, "code": code})

    def _say(self, answer: dict[str, object]) -> None:
        try:
            self._control.send(json.dumps(answer).encode())
        except OSError:
            self.leave()

    def leave(self) -> None:
        """Kill every worker with its group and end."""
        for pid, keeper in self._children.items():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            if keeper is not None:
                keeper.kill()
        os._exit(0)


def _end(child: int) -> None:
    """Kill a child (which may have ended by itself) and collect it."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def main(arguments: list[str]) -> None:
    """`--serve FD`: be the fork server. `--worker CHANNEL LOG [LINE POLICY]`: be one worker of the process that started this one."""
    if arguments[0] == "--serve":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        control = socket.socket(fileno=int(arguments[1]))
        os.set_inheritable(control.fileno(), False)
        _Server(control).serve()
    else:
        _be_one_worker(*arguments[1:])


def _be_one_worker(channel: str, log: str, line: str = "", policy: str = "") -> NoReturn:
    """A worker without a fork server: it enters what namespaces it can by itself, and so no pid namespace, which begins with a child."""
    parent = os.getppid()
    if not policy:
        become_worker(int(channel), int(log), parent)
    wanted = Policy.from_wire(json.loads(policy))
    become_worker(int(channel), int(log), parent, wanted, int(line), enter(("net", "mount", "ipc")) if wanted.layers == "all" else set())


if __name__ == "__main__":
    main(sys.argv[1:])
