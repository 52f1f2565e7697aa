"""Keep one server alive exactly as long as the pytest run that started it, even when that run is killed.

Started by path, so it imports nothing of ours: keeper.py ALIVE_FILE PID_FILE USER_ID COMMAND...
The run holds an exclusive lock on ALIVE_FILE; the kernel lets go of it however the run ends.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path


def wait_for_end_of_run(alive_file: Path) -> None:
    """Return when the run's lock is free or its file gone."""
    with contextlib.suppress(FileNotFoundError), alive_file.open() as alive:
        fcntl.flock(alive, fcntl.LOCK_SH)


def remove_folders(alive_file: Path) -> None:
    """Remove what a run leaves behind, unless another keeper still needs it."""
    run_folder = alive_file.parent
    if not any(run_folder.glob("*.pid")):
        for folder in (run_folder, Path("/dev/shm") / run_folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Run the server until the run ends, or end with the server's exit code when it ends before."""
    alive_file, pid_file, user_id, *command = sys.argv[1:]
    owner = int(user_id) if user_id else None
    Path(pid_file).write_text(str(os.getpid()))
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a run in the background of a shell inherits it ignored
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, user=owner, group=owner, extra_groups=[] if owner else None
    )
    ended = threading.Event()

    def stop() -> None:
        wait_for_end_of_run(Path(alive_file))
        ended.set()
        server.send_signal(signal.SIGINT)

    threading.Thread(target=stop, daemon=True).start()
    code = server.wait()
    Path(pid_file).unlink(missing_ok=True)
    if ended.is_set():
        remove_folders(Path(alive_file))
    os._exit(code)  # the thread may still sit in a lock call that cannot be interrupted


if __name__ == "__main__":
    main()
