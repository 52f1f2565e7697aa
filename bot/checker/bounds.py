"""Bound a process that reads what strangers made: memory, time, and that it lets everybody else go first."""

_NICE = 10
THRIFTY = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "8388608"}
"""What has a process give back memory that it has freed, where the system can do that; for its environment."""
OUT_OF_MEMORY = 3
"""The exit code that says so."""
NO_ROOM = 4
"""The exit code that says that a file could not be put aside: it is the machine's fault and not the file's."""


def bound(megabytes: int, seconds: int) -> None:
    """Let this process use no more memory and time, and let everybody else go first, where the system can do that."""
    import signal

    for number in (signal.SIGTERM, signal.SIGINT):  # it is for whoever started it to say when it ends
        signal.signal(number, signal.SIG_IGN)
    try:
        import os
        import resource
    except ImportError:  # Windows
        return
    os.nice(_NICE)
    most = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
