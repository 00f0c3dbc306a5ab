"""A Python in which the package finds what Windows has, and meets what Windows refuses.

Each interpreter with this folder on its path runs this file as it starts, workers and commands
included. Only the package's own imports lose the modules and names that only POSIX systems have:
the hook looks at who imports, and other packages keep theirs. Files that are open can neither be
removed nor replaced by the package, folders can't be opened, and some names are no file's.

What it can't show is Windows itself: its locks, its consoles, its paths with a drive.
"""

import builtins
import errno
import importlib
import multiprocessing
import os
import re
import sys
import sysconfig
from types import ModuleType

MODULES = {
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "readline",
    "resource",
    "syslog",
    "termios",
    "tty",
}
NAMES = {  # of modules that Windows has too: those that it lacks
    "os": r"""O_(CLOEXEC|DIRECTORY|DSYNC|NOCTTY|NOFOLLOW|NONBLOCK|PATH|SYNC|TMPFILE) W[A-Z]+
        SCHED_\w+ RTLD_\w+ POSIX_\w+ ST_\w+ posix_\w+ sched_\w+ fork\w* wait wait3 wait4 waitid
        getuid geteuid getgid getegid getgroups getpgid getpgrp getsid getloadavg set[a-z]*[gsu]id
        killpg nice chown chroot fchdir fchmod fchown lchown mkfifo mknod openpty pipe2 lockf
        pread pwrite readv writev preadv pwritev fdatasync sync sendfile statvfs fstatvfs pathconf
        sysconf register_at_fork tcgetpgrp tcsetpgrp ttyname uname""",
    "signal": r"""SIG(KILL|HUP|ALRM|USR1|USR2|STOP|CONT|PIPE|CHLD|QUIT|TSTP|TTIN|TTOU) SIG_[BUS]\w+
        pthread_\w+ alarm getitimer setitimer pause sigwait\w* sigpending sigtimedwait""",
    "socket": "AF_UNIX send_fds recv_fds SCM_RIGHTS",
    "time": r"tzset clock_gettime\w* pthread_getcpuclockid",
    "select": r"poll epoll E?POLL\w+",
}
_RESERVED = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.I)
_STANDARD = os.path.dirname(os.__file__) + os.sep
_PACKAGES = sysconfig.get_path("purelib")


class View(ModuleType):
    """A module without some of its names."""

    def __init__(self, name, hidden):
        super().__init__(name)
        self.__dict__.update(
            _module=importlib.import_module(name), _hidden=re.compile("|".join(hidden.split()))
        )

    def __getattr__(self, name):
        if self._hidden.fullmatch(name):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._module, name)


def is_package(frame_globals):
    """Whether code is the package's; of ``python -m study.search`` too."""
    return str((frame_globals or {}).get("__package__")).partition(".")[0] == "study"


views = {name: View(name, "|".join(names.split())) for name, names in NAMES.items()}
real_import = builtins.__import__


def portable_import(name, globals=None, locals=None, fromlist=(), level=0):
    """What an import statement calls."""
    if level == 0 and is_package(globals):
        if name.partition(".")[0] in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in views:
            return views[name]
    return real_import(name, globals, locals, fromlist, level)


def by_package(frame):
    """Whether the package does what a frame does, itself or by the standard library."""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(("<frozen", _STANDARD)) or file.startswith(_PACKAGES):
            return is_package(frame.f_globals)
        frame = frame.f_back
    return False


def is_open(path):
    """Whether this process has a file open, or mapped."""
    real = os.path.realpath(path)
    for fd in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{fd}") == real:
                return True
        except OSError:
            pass
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        return any(line.rstrip("\n").endswith(f" {real}") for line in maps)


def refuse(event, arguments):
    """Raise what Windows would; an audit hook."""
    if event not in ("open", "os.rename", "os.remove", "os.mkdir"):
        return
    paths = [path for path in arguments[: 1 + (event == "os.rename")] if not isinstance(path, int)]
    caller = sys._getframe().f_back  # none where the interpreter opens a script
    if not paths or not by_package(caller):
        return
    for path in map(os.fsdecode, paths):
        if event in ("os.rename", "os.remove") and is_open(path):
            raise PermissionError(errno.EACCES, "is open (as on Windows)", path)
        if event == "open" and is_package(caller.f_globals) and os.path.isdir(path):
            raise PermissionError(errno.EACCES, "is a folder (as on Windows)", path)
        if _RESERVED.search(os.path.basename(path)):
            raise OSError(errno.EINVAL, "is no name for a file (as on Windows)", path)


builtins.__import__ = portable_import
sys.addaudithook(refuse)
multiprocessing.set_start_method("spawn")
