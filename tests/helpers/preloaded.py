"""Starts ``python -m MODULE`` in processes that have imported the package's libraries already.

Importing torch, pandas and matplotlib takes seconds, several hundred times in a run of the
tests. Here one process imports them and forks for every command. The fork has a process
group, streams, folder, environment and exit of its own, so that it can be killed like any
other command. ``python preloaded.py`` is that one process, for all among which pytest-xdist
spreads the tests; the socket where they connect is its standard input.
"""

import atexit
import gc
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import cache

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NO_MATTER = {"OPTUNA_STORAGE", "PYTEST_CURRENT_TEST", "http_proxy", "https_proxy"}
NO_MATTER |= {"PYTHONUNBUFFERED"}  # a fork has streams of its own
LIBRARIES = ("torch", "pandas", "seaborn", "scipy.stats", "joblib", "alembic.command", "tqdm")
LIBRARIES += ("optuna.storages._rdb.storage", "optuna.samplers._tpe.sampler", "optuna._gp.gp")
LIBRARIES += ("optuna.importance", "filelock", "sqlalchemy.dialects.sqlite")


class Process:
    """A started command, with the methods of ``subprocess.Popen`` that the tests use."""

    def __init__(self, arguments, folder, env, stdout, stderr):
        self.args, self.returncode = arguments, None
        self.stdout, out = _stream(stdout)
        self.stderr, err = _stream(stderr)
        self._ends, theirs = socket.socketpair()
        request = {"argv": arguments[2:], "folder": str(folder), "env": env}
        with open(os.devnull) as nothing, theirs:
            fds = [nothing.fileno(), out, err, theirs.fileno()]
            _server().ask(request, fds)
        for stream, fd in ((self.stdout, out), (self.stderr, err)):
            if stream is not None:
                os.close(fd)
        self.pid = int(self._ends.recv(16))

    def poll(self):
        """The exit status, or None while it runs."""
        return self._status(None, socket.MSG_DONTWAIT)

    def wait(self, timeout=None):
        """The exit status, when it has ended."""
        try:
            return self._status(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(self.args, timeout) from None

    def communicate(self, timeout=None):
        """What it prints until it ends."""
        found = {}
        threads = [
            threading.Thread(target=lambda s=s: found.update({s: s.read()}), daemon=True)
            for s in (self.stdout, self.stderr)
            if s is not None
        ]
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join(timeout)
            if thread.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout)
        for stream in found:
            stream.close()
        return found.get(self.stdout), found.get(self.stderr)

    def send_signal(self, number):
        """As long as it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self):
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout, flags=0):
        if self.returncode is None:
            self._ends.settimeout(timeout)
            try:
                self.returncode = int(self._ends.recv(16, flags))
            except BlockingIOError:
                return None
            self._ends.close()
        return self.returncode


def _stream(wanted):
    """The end to read of a pipe, or None, and the command's end or the file that it is given."""
    if wanted != subprocess.PIPE:
        return None, wanted if isinstance(wanted, int) else wanted.fileno()
    ours, theirs = os.pipe()
    return open(ours, encoding="utf-8", errors="replace"), theirs


def can_start(arguments, env, popen):
    """Whether a fork is as good as a process that begins from nothing."""
    changed = {k for k in env.keys() | os.environ.keys() if env.get(k) != os.environ.get(k)}
    plain = list(map(str, arguments[:2])) == [sys.executable, "-m"]
    own = str(arguments[2]).split(".")[0] in ("study", "tests") if plain else False
    needed = changed - NO_MATTER or popen.keys() - {"stdout", "stderr"} or env.get(FRESH)
    return own and sys.platform == "linux" and not needed


FRESH = "STUDY_TESTS_FRESH"  # set: start every command from nothing


class _Server:
    """The process that forks, as long as a process of this run of the tests is connected."""

    def __init__(self):
        self.lock, self.process = threading.Lock(), None
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")
        name = f"\0study-tests-{run}"  # in no folder, and gone with the last who has it open
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            with suppress(OSError):  # another process of this run has the name
                listening.bind(name)
                listening.listen()
                self.process = subprocess.Popen(
                    [sys.executable, __file__], stdin=listening, cwd=ROOT, start_new_session=True
                )
            self.ours = _connected(name)
        atexit.register(self.close)

    def ask(self, request, fds):
        with self.lock:
            self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            socket.send_fds(self.ours, [json.dumps(request).encode()], fds)

    def close(self):
        self.ours.close()
        if self.process is not None:
            self.process.wait()


def _connected(name):
    """A connection; who has bound the name listens in a moment."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for _ in range(1_000):
        with suppress(ConnectionRefusedError):
            connection.connect(name)
            return connection
        time.sleep(0.01)
    raise ConnectionRefusedError(name)


_only = cache(_Server)
_asking = threading.Lock()


def _server():
    """The one of this process: of two, the first to close would wait for the other's end."""
    with _asking:
        return _only()


def serve():
    """Fork for every request; returns in the fork, with its arguments."""
    _import()
    listening, ended = socket.socket(fileno=os.dup(0)), os.pipe2(os.O_NONBLOCK)
    signal.set_wakeup_fd(ended[1])
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children, clients, selector = {}, set(), selectors.DefaultSelector()
    selector.register(listening, selectors.EVENT_READ)
    selector.register(ended[0], selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listening:
                _accept(listening, clients, selector)
                continue
            if key.fileobj == ended[0]:
                os.read(ended[0], 4096)
                _reap(children)
                continue
            message, fds, *_ = socket.recv_fds(key.fileobj, 1 << 20, 4)
            if not message:
                _let_go(key.fileobj, clients, selector)
                continue
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for fd in (*ended, *children.values()):
                    os.close(fd)
                for connection in (listening, *clients):
                    connection.close()
                selector.close()
                return _become(json.loads(message), fds)
            for fd in fds[:3]:
                os.close(fd)
            children[pid] = fds[3]


def _accept(listening, clients, selector):
    """Take one more process of this run of the tests, and nobody else's: the name is no secret."""
    client, _ = listening.accept()
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack(
        "3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    if user != os.getuid():
        client.close()
        return
    clients.add(client)
    selector.register(client, selectors.EVENT_READ)


def _let_go(client, clients, selector):
    """End with the last one."""
    selector.unregister(client)
    clients.remove(client)
    client.close()
    if not clients:
        os._exit(0)


def _import():
    import study

    for name in LIBRARIES:
        __import__(name)
    for found in pkgutil.walk_packages(study.__path__, "study."):
        if not found.name.endswith("__main__"):
            __import__(found.name)
    gc.collect()
    gc.freeze()


def _reap(children):
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        os.write(children[pid], str(os.waitstatus_to_exitcode(status)).encode())
        os.close(children.pop(pid))


def _become(request, fds):
    os.setsid()
    for fd, number in zip(fds[:3], range(3), strict=True):
        os.dup2(fd, number)
        os.close(fd)
    sys.stdin, sys.stdout, sys.stderr = map(_reopened, range(3), "rww", (None, None, 1))
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.path[0] = request["folder"]
    interrupts = sys.modules["study.interrupts"]
    interrupts.end_at_once()  # as study/__init__.py does when a command starts
    os.write(fds[3], str(os.getpid()).encode())
    os.close(fds[3])
    return request["argv"]


def _run(module):
    """The status that ``python -m MODULE`` would end with."""
    if not hasattr(sys.modules.get(module), "__path__"):
        sys.modules.pop(module, None)  # it is __main__ alone
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _leave(status):
    """End as an interpreter does, but don't take down four thousand modules one by one."""
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = 120
    os._exit(status)


def _reopened(fd, mode, buffering):
    binary = os.fdopen(fd, f"{mode}b", closefd=False)
    errors = "backslashreplace" if buffering else "strict"
    return io.TextIOWrapper(binary, errors=errors, line_buffering=bool(buffering))


if __name__ == "__main__":
    module, *options = serve()
    sys.argv = [module, *options]
    sys.orig_argv = [sys.executable, "-m", module, *options]
    _leave(_run(module))
