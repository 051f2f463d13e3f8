"""Processes for tests: programs that leave others behind, and waiting for what they do."""

import signal
import sys
import time
from pathlib import Path

# Starts a child that ignores the polite signal, in a session of its own where told so, and so out of the program's
# process group; then writes its parent's, its own and the child's number, and waits, or with "ends" does not.
FAMILY = """
import os, signal, subprocess, sys, time
from pathlib import Path
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session="away" in sys.argv)
child.stdout.readline()
path = Path(sys.argv[1])
path.with_suffix(".part").write_text(f"{os.getppid()} {os.getpid()} {child.pid}")
path.with_suffix(".part").rename(path)
"ends" in sys.argv or time.sleep(600)
"""


def python(code, *arguments):
    return [sys.executable, "-c", code, *map(str, arguments)]


def alive(pid):
    """Whether a process runs; a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition, process=None, seconds=600.0):
    """Wait for something to happen, on a busy machine for long, but not for a process that has ended."""
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None or condition(), process.communicate()
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def pids(path, process=None):
    """Numbers of a family, once it has written them: supervisor, program, child."""
    wait_for(path.exists, process)
    return [int(word) for word in path.read_text().split()]


def hear_ctrl_c():
    """Undo what a shell does to what it starts in the background: there SIGINT is ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
