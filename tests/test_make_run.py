"""`make run`: both programs come up and go down together, and every way it can fail is said in plain words."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import load
from tests.servers.run import free_port

pytestmark = pytest.mark.processes

REPOSITORY = Path(__file__).parents[1]
LIMIT_SECONDS = 30

# Plays both programs: answers 200 on every path until it is told to stop, and notes which commands were run.
FAKE = """
import http.server, os, pathlib, signal, sys, tomllib
words = sys.argv[1:]
notes = pathlib.Path(os.environ["NOTES"])
with notes.open("a") as file:
    file.write(" ".join(words[:1]) + "\\n")
if words[0] in os.environ.get("FAILING", "").split():
    sys.exit(f"{words[0]}: the well is dry")
if "--config" in words:
    settings = tomllib.loads(pathlib.Path(words[words.index("--config") + 1]).read_text())
    port = settings["server"]["port"]
else:
    port = int(words[words.index("--port") + 1])
if words[0] == "migrate":
    pathlib.Path(settings["database"]["url"].removeprefix("sqlite:///")).touch()
elif words[0] == "demo":
    print("sign in as chu-tich")
else:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
        def log_message(self, *words):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()
"""


class Bench:
    """One folder to run in, with two free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "run"
        self.notes = folder / "notes"
        self.fake = folder / "fake.py"
        self.fake.write_text(FAKE)
        self.port, self.sim_port = free_port(), free_port()
        self.started: list[subprocess.Popen[str]] = []

    def start(self, failing: str = "") -> subprocess.Popen[str]:
        self.notes.write_text("")
        fake = f"{sys.executable} {self.fake}"
        command = [sys.executable, "-m", "tests.simulator.with_service", "--port", str(self.port)]
        options = ["--sim-port", str(self.sim_port), "--folder", str(self.folder), "--loa", fake, "--simulator", fake]
        process = subprocess.Popen(
            [*command, *options],
            cwd=REPOSITORY,
            env={**os.environ, "NOTES": str(self.notes), "FAILING": failing},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def start_and_wait(self) -> tuple[subprocess.Popen[str], str]:
        process = self.start()
        assert process.stdout
        said = ""
        while "Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, process.communicate()
            said += line
        return process, said

    def stop(self, process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> int:
        process.send_signal(number)
        process.communicate(timeout=LIMIT_SECONDS)
        return process.returncode

    def failure(self, failing: str = "") -> str:
        """Start, expect exit code 1 and return what stderr says."""
        process = self.start(failing)
        _, complaint = process.communicate(timeout=LIMIT_SECONDS)
        assert process.returncode == 1
        assert "Traceback" not in complaint
        return complaint

    def answers(self, port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return True
        except OSError:
            return False

    def commands(self) -> list[str]:
        return [word for word in self.notes.read_text().split() if not word.startswith("--")]

    @property
    def configuration(self) -> Path:
        return self.folder / "config.toml"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    for process in bench.started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=LIMIT_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_both_come_up_and_go_down_together(bench: Bench, number: signal.Signals) -> None:
    process, said = bench.start_and_wait()
    assert f"http://127.0.0.1:{bench.port}" in said
    assert f"http://127.0.0.1:{bench.sim_port}" in said
    assert "sign in as chu-tich" in said
    assert bench.answers(bench.port)
    assert bench.answers(bench.sim_port)
    assert bench.stop(process, number) == 0
    assert not bench.answers(bench.port)
    assert not bench.answers(bench.sim_port)


def test_only_the_first_start_prepares_the_database_and_later_ones_still_tell_the_sign_ins(bench: Bench) -> None:
    for commands in (["migrate", "demo", "serve"], ["serve"]):
        process, said = bench.start_and_wait()
        bench.stop(process)
        assert bench.commands() == commands
        assert "sign in as chu-tich" in said


def test_a_deleted_database_is_prepared_anew_with_a_fresh_simulator(bench: Bench) -> None:
    process, _ = bench.start_and_wait()
    bench.stop(process)
    (bench.folder / "simulator.json").write_text("{}")
    (bench.folder / "loa.db").unlink()
    process, _ = bench.start_and_wait()
    bench.stop(process)
    assert bench.commands() == ["migrate", "demo", "serve"]
    assert not (bench.folder / "simulator.json").exists()


def test_the_configuration_is_private_and_keeps_its_key_and_edits_when_ports_move(bench: Bench) -> None:
    process, _ = bench.start_and_wait()
    bench.stop(process)
    assert stat.S_IMODE(bench.configuration.stat().st_mode) == 0o600
    before = tomllib.loads(bench.configuration.read_text())
    assert len(before["security"]["secret_key"]) >= 32
    edited = bench.configuration.read_text().replace('"embedded"', '"redis://127.0.0.1:6379/0"')
    bench.configuration.write_text(edited)
    bench.port, bench.sim_port = free_port(), free_port()
    process, _ = bench.start_and_wait()
    bench.stop(process)
    after = tomllib.loads(bench.configuration.read_text())
    assert after["security"] == before["security"]
    assert after["queue"]["url"] == "redis://127.0.0.1:6379/0"
    assert after["server"]["public_url"] == f"http://127.0.0.1:{bench.port}"
    assert after["zalo"]["api_url"] == f"http://127.0.0.1:{bench.sim_port}"


def test_the_service_accepts_the_configuration(bench: Bench) -> None:
    process, _ = bench.start_and_wait()
    bench.stop(process)
    assert load(bench.configuration, {}).server.port == bench.port


@pytest.mark.parametrize(("attribute", "variable"), [("port", "PORT"), ("sim_port", "SIM_PORT")])
def test_a_taken_port_names_the_way_out(bench: Bench, attribute: str, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        setattr(bench, attribute, taken.getsockname()[1])
        complaint = bench.failure()
    assert re.fullmatch(rf"Port \d+ cannot be used .*: make run {variable}=\d+\n", complaint)


@pytest.mark.parametrize("command", ["migrate", "demo", "serve", "--port"])
def test_a_part_that_cannot_start_is_named_with_its_last_words(bench: Bench, command: str) -> None:
    complaint = bench.failure(failing=command)
    assert "the well is dry" in complaint
    assert not bench.answers(bench.port)
    assert not bench.answers(bench.sim_port)


def test_an_unreadable_configuration_is_said(bench: Bench) -> None:
    bench.folder.mkdir()
    bench.configuration.write_text("[server\n")
    assert "cannot be read" in bench.failure()


def test_when_one_part_dies_the_other_is_stopped(bench: Bench) -> None:
    process, _ = bench.start_and_wait()
    log_owner = _child_with(bench, "serve")
    os.kill(log_owner, signal.SIGKILL)
    _, complaint = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 1
    assert "The service ended with exit code -9" in complaint
    assert not bench.answers(bench.sim_port)


def _child_with(bench: Bench, word: str) -> int:
    """Return the process id of the fake that plays this part."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(bench.fake).encode() in words and word.encode() in words and b"-m" not in words:
                return int(folder.name)
    raise AssertionError(f"no child with {word}")
