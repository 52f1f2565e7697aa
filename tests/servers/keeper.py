"""Keep one server alive exactly as long as the pytest run that started it, even when that run is killed.

Started by path, so it imports nothing of ours: keeper.py ALIVE_FILE PID_FILE USER_ID COMMAND...
The run holds an exclusive lock on ALIVE_FILE; the kernel lets go of it however the run ends.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


def stop_when_run_ends(alive_file: Path, server: subprocess.Popen[bytes]) -> None:
    """Wait for the run's lock to be free or its file gone, then ask the server to stop."""
    with contextlib.suppress(FileNotFoundError), alive_file.open() as alive:
        fcntl.flock(alive, fcntl.LOCK_SH)
    with contextlib.suppress(ProcessLookupError):
        server.send_signal(signal.SIGINT)


def main() -> None:
    """Run the server; end with its exit code when it ends."""
    alive_file, pid_file, user_id, *command = sys.argv[1:]
    owner = int(user_id) if user_id else None
    pid_file_path = Path(pid_file)
    pid_file_path.write_text(str(os.getpid()))
    try:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, user=owner, group=owner, extra_groups=[] if owner else None
        )
        watcher = threading.Thread(target=stop_when_run_ends, args=(Path(alive_file), server), daemon=True)
        watcher.start()
        code = server.wait()
    finally:
        pid_file_path.unlink(missing_ok=True)
    os._exit(code)  # the watcher may still sit in a lock call that cannot be interrupted


if __name__ == "__main__":
    main()
