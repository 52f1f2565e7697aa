"""Start the service with demo data and the simulator beside it, for trying out: what `make run` runs.

Everything lives in var/run: the configuration, the database, files, the simulator's memory and both logs. The
configuration may be edited there; only its ports follow PORT= and SIM_PORT=. Standard library only.
"""

import argparse
import contextlib
import hashlib
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import time
import tomllib
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulator.processes import REPOSITORY, Child, StartError, Stopping, last_lines, wait_until_ready

HOST = "127.0.0.1"

CONFIGURATION = """\
# Made by `make run` for trying out. Edit what you like; the ports below follow PORT= and SIM_PORT=.
# config.example.toml explains every key.

[server]
host = "{host}"
port = {port}
public_url = "{service_url}"

[database]
url = {database}

[queue]
url = {queue}

[security]
secret_key = {secret_key}
spool = {spool}

[zalo]
app_id = "1111222233334444555"
app_secret = "demo-app-secret"
api_url = "{simulator_url}"
template_url = "{simulator_url}"
oauth_url = "{simulator_url}"
media_hosts = ["{host}"]

[telegram]
api_url = "{simulator_url}"

[files]
url = {files}
"""


@dataclass(frozen=True)
class Plan:
    """What to run, where to listen and where to keep things."""

    port: int
    sim_port: int
    folder: Path
    loa: list[str]
    simulator: list[str]

    @property
    def service_url(self) -> str:
        """Return the address of the console and the webhooks."""
        return f"http://{HOST}:{self.port}"

    @property
    def simulator_url(self) -> str:
        """Return the address of the phones and the fake platform."""
        return f"http://{HOST}:{self.sim_port}"

    @property
    def configuration(self) -> Path:
        """Return the path of the service's configuration."""
        return self.folder / "config.toml"

    @property
    def state(self) -> Path:
        """Return the path of the simulator's memory."""
        return self.folder / "simulator.json"


def write_configuration(plan: Plan) -> None:
    """Write config.toml unless it is there with the same ports; the secret key and chosen servers are kept."""
    old = read_configuration(plan)
    addresses = old.get("server", {}).get("port"), *(old.get(name, {}).get("api_url") for name in ("zalo", "telegram"))
    if addresses == (plan.port, plan.simulator_url, plan.simulator_url):
        return
    text = CONFIGURATION.format(
        host=HOST,
        port=plan.port,
        service_url=plan.service_url,
        simulator_url=plan.simulator_url,
        database=_kept(old, "database", "url", f"sqlite:///{plan.folder}/loa.db"),
        queue=_kept(old, "queue", "url", "embedded"),
        secret_key=_kept(old, "security", "secret_key", secrets.token_urlsafe(48)),
        spool=_kept(old, "security", "spool", str(plan.folder / "spool")),
        files=_kept(old, "files", "url", f"file://{plan.folder}/files"),
    )
    plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(plan.configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - opened by descriptor for its mode
        file.write(text)


def read_configuration(plan: Plan) -> dict[str, Any]:
    """Return what config.toml says, nothing when there is none yet. Raises StartError when it cannot be read."""
    try:
        return tomllib.loads(plan.configuration.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StartError(
            f"{plan.configuration} cannot be read ({error}). Correct it, or delete it for a new one"
        ) from error


def forget_old_world(plan: Plan) -> None:
    """Drop the simulator's memory when the database is gone: its spent tokens would not fit the new one."""
    url = _database_url(plan)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        plan.state.unlink(missing_ok=True)


def _database_url(plan: Plan) -> str:
    return str(read_configuration(plan).get("database", {}).get("url", ""))


def _kept(old: dict[str, Any], section: str, key: str, otherwise: str) -> str:
    """Return a TOML text: the value of the old configuration, else the given one."""
    return json.dumps(old.get(section, {}).get(key, otherwise), ensure_ascii=False)


def prepare(plan: Plan) -> str:
    """Bring the schema and the demo data up to date and return what `loa demo` said about signing in.

    Both take seconds, so they are left out when nothing they depend on has changed since the last time.
    """
    said, stamp = plan.folder / "demo.txt", plan.folder / "prepared"
    fingerprint = _fingerprint(plan)
    if fingerprint and stamp.exists() and stamp.read_text() == fingerprint:
        return said.read_text(encoding="utf-8")
    _loa(plan, "migrate")
    said.touch(mode=0o600)
    said.write_text(_loa(plan, "demo"), encoding="utf-8")
    stamp.write_text(_fingerprint(plan))
    return said.read_text(encoding="utf-8")


def _fingerprint(plan: Plan) -> str:
    """Describe migrations, demo data and database file; empty when the database is no file or not there yet."""
    url = _database_url(plan)
    database = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not database.is_file():
        return ""
    watched = sorted(path for name in ("bot/demo", "bot/store/migrations") for path in (REPOSITORY / name).rglob("*.*"))
    states = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in watched if path.suffix != ".pyc"]
    return hashlib.sha256(repr([url, database.stat().st_ino, states]).encode()).hexdigest()


def _loa(plan: Plan, command: str) -> str:
    """Run one command of the service to its end and return its output. Raises StartError with its last lines."""
    arguments = [*plan.loa, command, "--config", str(plan.configuration)]
    outcome = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise StartError(f"loa {command} failed. Its last lines:\n{last_lines(outcome.stdout + outcome.stderr)}")
    return outcome.stdout


def check_ports(plan: Plan) -> None:
    """Raise StartError when a port is taken."""
    if plan.port == plan.sim_port:
        raise StartError(f"PORT and SIM_PORT are both {plan.port}; give them different numbers")
    for variable, port in (("PORT", plan.port), ("SIM_PORT", plan.sim_port)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except (OSError, OverflowError) as error:
                raise StartError(
                    f"Port {port} cannot be used ({error}). Choose another: make run {variable}={port + 10}"
                ) from error


def run(plan: Plan, stopping: Stopping) -> None:
    """Run both until told to stop. Raises StartError when one cannot start or ends."""
    began = time.monotonic()
    check_ports(plan)
    write_configuration(plan)
    forget_old_world(plan)
    with contextlib.ExitStack() as cleanup:
        simulator, service = _children(plan)
        _start(simulator, cleanup)
        sign_ins = prepare(plan)
        if stopping.asked:
            return
        _start(service, cleanup)
        wait_until_ready([simulator, service], stopping)
        if not stopping.asked:
            _announce(plan, sign_ins, time.monotonic() - began)
        while not stopping.wait(0.5):
            service.check()
            simulator.check()
        sys.stdout.write("\nStopping\n")


def _children(plan: Plan) -> tuple[Child, Child]:
    options = ["--port", str(plan.sim_port), "--service", plan.service_url, "--state", str(plan.state)]
    log = plan.folder / "simulator.log"
    simulator = Child("simulator", [*plan.simulator, *options], f"{plan.simulator_url}/sim/health", log)
    serve = [*plan.loa, "serve", "--config", str(plan.configuration)]
    service = Child("service", serve, f"{plan.service_url}/readyz", plan.folder / "service.log")
    return simulator, service


def _start(child: Child, cleanup: contextlib.ExitStack) -> None:
    child.start()
    cleanup.callback(child.stop)


def _announce(plan: Plan, sign_ins: str, seconds: float) -> None:
    sys.stdout.write(
        f"\nReady in {seconds:.1f} s\n\n"
        f"  Console    {plan.service_url}\n"
        f"  Simulator  {plan.simulator_url}   (phones on Zalo; on Telegram: {plan.simulator_url}/telegram)\n\n"
        f"{textwrap.indent(sign_ins.strip(), '  ')}\n\n"
        f"Configuration, data and logs: {plan.folder}\n"
        "Ctrl-C stops both.\n"
    )
    sys.stdout.flush()


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator.with_service", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8080, help="of the console and the webhooks")
    parser.add_argument("--sim-port", type=int, default=8090, help="of the simulator")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "var" / "run", help="where everything is kept")
    parser.add_argument("--loa", default=f"{sys.executable} -m bot", help="the service's command")
    parser.add_argument("--simulator", default=f"{sys.executable} -m tests.simulator", help="the simulator's command")
    given = parser.parse_args()
    folder = given.folder.resolve()
    return Plan(given.port, given.sim_port, folder, shlex.split(given.loa), shlex.split(given.simulator))


def main() -> int:
    """Run until Ctrl-C, SIGTERM or the terminal's end; exit code 1 with an explanation when something fails."""
    stopping = Stopping()

    def stop(_number: int, _frame: types.FrameType | None) -> None:
        stopping.asked = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        run(_plan(), stopping)
    except StartError as error:
        if stopping.asked:  # Ctrl-C reached what we were waiting for, too
            return 0
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
