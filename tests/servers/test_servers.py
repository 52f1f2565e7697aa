"""The servers behind the tests are real, separate for each test, and end with the run; the network is closed."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio
from playwright.async_api import Page

from tests.servers import run
from tests.servers.browser_fixtures import OpenPage
from tests.servers.network_guard import OutsideConnectionError
from tests.servers.postgres_server import PostgresServer, TemplateFill

REPOSITORY = Path(__file__).parents[2]
ELSEWHERE = "192.0.2.1"  # reserved for documentation (RFC 5737)
VIETNAMESE = "Đường ngõ thôn Kỳ Thuỷ bị ngập: đã sửa xong, cảm ơn bà con"


async def fill_with_a_village(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE village (name text PRIMARY KEY)")
    await connection.execute("INSERT INTO village VALUES ($1)", "Kỳ Thuỷ")
    await connection.close()


def test_the_port_of_a_server_that_was_killed_is_given_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that went out had the port of a service that was about to be started again, now and then."""
    given = [run.free_port() for _ in range(20)]
    assert len(set(given)) == len(given)
    for outgoing in (range(32_768, 61_000), range(16_000, 61_000), range(10_000, 50_000)):
        monkeypatch.setattr(run, "outgoing_ports", lambda outgoing=outgoing: outgoing)
        assert len(run.server_ports()) >= run.FEWEST_PORTS
        assert not set(outgoing) & set(run.server_ports())
    monkeypatch.setattr(run, "outgoing_ports", lambda: range(1_024, 65_536))
    assert run.server_ports(), "there is nowhere else"


class TestPostgres:
    @pytest.fixture
    def postgres_template(self) -> TemplateFill:
        return fill_with_a_village

    async def fetch(self, url: str, query: str) -> list[str]:
        connection = await asyncpg.connect(url)
        try:
            return [row[0] for row in await connection.fetch(query)]
        finally:
            await connection.close()

    @pytest.mark.parametrize("name", ["An Đà", "Cầu Giát"])
    async def test_each_test_changes_only_its_own_copy_of_the_template(self, postgres_url: str, name: str) -> None:
        connection = await asyncpg.connect(postgres_url)
        await connection.execute("INSERT INTO village VALUES ($1)", name)
        await connection.close()
        assert await self.fetch(postgres_url, "SELECT name FROM village ORDER BY name") == sorted([name, "Kỳ Thuỷ"])

    async def test_an_empty_database_has_no_tables(self, postgres_empty_url: str) -> None:
        assert await self.fetch(postgres_empty_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []

    async def test_lower_knows_vietnamese(self, postgres_empty_url: str) -> None:
        assert await self.fetch(postgres_empty_url, "SELECT lower('ĐƯỜNG ỨNG HOÀ')") == ["đường ứng hoà"]

    async def test_it_wants_its_password(self, postgres_server_of_run: PostgresServer) -> None:
        stranger = PostgresServer(postgres_server_of_run.port, "guess")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await self.fetch(stranger.url("postgres"), "SELECT 1")

    def test_a_plain_test_gets_a_database_too(self, postgres_url: str) -> None:
        assert asyncio.run(self.fetch(postgres_url, "SELECT name FROM village")) == ["Kỳ Thuỷ"]


class TestRedis:
    @pytest.mark.parametrize("value", [b"1", b"2"])
    async def test_each_test_starts_empty(self, redis_url: str, value: bytes) -> None:
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            assert await client.dbsize() == 0
            await client.set("key", value)
            assert await client.get("key") == value

    async def test_it_wants_its_password(self, redis_url: str) -> None:
        stranger = redis_url.replace("//:", "//:x")
        with pytest.raises(redis.AuthenticationError):
            async with redis.asyncio.Redis.from_url(stranger) as client:
                await client.ping()


@pytest.mark.browser
class TestChromium:
    async def open(self, browser_page: OpenPage, body: str) -> Page:
        page = await browser_page()
        await page.set_content(f"<!doctype html><meta charset=utf-8><body>{body}")
        return page

    async def test_vietnamese_letters_are_drawn_and_not_replaced_by_boxes(self, browser_page: OpenPage) -> None:
        page = await self.open(browser_page, f"<p style='font:24px sans-serif'>{VIETNAMESE}</p>")
        shapes = "text => new Set([...text].map(draw)).size"
        draw = (
            "const draw = letter => { const c = document.createElement('canvas'); const x = c.getContext('2d');"
            "x.font = '40px sans-serif'; x.fillText(letter, 20, 80); return c.toDataURL(); };"
        )
        letters = "ăâđêôơưắằẳẵặấầẩẫậếềểễệốồổỗộớờởỡợứừửữự"
        assert await page.evaluate(f"text => {{ {draw} return ({shapes})(text) }}", letters) == len(letters)

    async def test_a_script_error_is_noticed(self, browser_page: OpenPage) -> None:
        await self.open(browser_page, "<script>undefined.name</script>")
        assert len(browser_page.problems) == 1
        browser_page.problems.clear()

    async def test_a_page_reaches_no_other_host(self, browser_page: OpenPage) -> None:
        page = await self.open(browser_page, "")
        question = "fetch('https://example.com').then(() => 'reached', () => 'refused')"
        assert await page.evaluate(question) == "refused"


class TestNetworkGuard:
    def test_a_connection_to_another_host_is_refused(self) -> None:
        with socket.socket() as outside, pytest.raises(OutsideConnectionError, match=ELSEWHERE):
            outside.connect((ELSEWHERE, 80))

    def test_so_is_a_datagram(self) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as outside, pytest.raises(OutsideConnectionError):
            outside.sendto(b"x", (ELSEWHERE, 53))

    def test_so_is_asking_for_a_name(self) -> None:
        with pytest.raises(OutsideConnectionError, match="openapi"):
            socket.getaddrinfo("openapi.zalo.me", 443)

    def test_libraries_cannot_pass(self) -> None:
        with pytest.raises(OutsideConnectionError):
            urllib.request.urlopen("http://example.com")

    async def test_nor_can_asyncio(self) -> None:
        with pytest.raises(OutsideConnectionError):
            await asyncio.open_connection(ELSEWHERE, 80)
        with pytest.raises(OutsideConnectionError):
            await asyncio.open_connection("example.com", 80)

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    async def test_this_machine_is_open(self, host: str) -> None:
        async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello")
            writer.close()

        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(host, server.sockets[0].getsockname()[1])
            assert await reader.read() == b"hello"
            writer.close()
            await writer.wait_closed()

    def test_unix_sockets_are_open(self, tmp_path: Path) -> None:
        path = str(tmp_path / "s")
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(path)
            server.listen()
            client.connect(path)


@pytest.mark.processes
class TestRun:
    """A run of its own in another process, with a small server in place of a database."""

    SCRIPT = """
import sys, time
from tests.servers import run
import socket
def ready(port):
    try:
        return not socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
run.begin()
code = "import socket,time,sys; s=socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); time.sleep(999)"
port = run.start_server("small", lambda port: [sys.executable, "-c", code, str(port)], ready)
print(run.directory(), port, flush=True)
if sys.argv[1] == "end":
    run.end()
else:
    time.sleep(999)
"""

    def start(self, how: str) -> tuple[subprocess.Popen[str], Path, int]:
        environment = {name: value for name, value in os.environ.items() if name != run.FOLDER_VARIABLE}
        command = [sys.executable, "-c", self.SCRIPT, how]
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        folder, port = process.stdout.readline().split()
        return process, Path(folder), int(port)

    def is_up(self, port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    def test_its_end_stops_the_server_and_removes_the_folder(self) -> None:
        process, folder, port = self.start("end")
        process.communicate(timeout=30)
        assert process.returncode == 0
        assert not self.is_up(port)
        assert not folder.exists()

    def test_killing_it_stops_the_server_too(self) -> None:
        process, folder, port = self.start("wait")
        assert self.is_up(port)
        process.kill()
        process.communicate(timeout=30)
        deadline = time.monotonic() + 15
        while folder.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not folder.exists()
        assert not self.is_up(port)

    def test_a_server_that_ends_at_once_is_reported_with_its_words(self) -> None:
        with pytest.raises(run.ServerStartError, match="no room"):
            run.start_server("broken", lambda _: [sys.executable, "-c", "print('no room')"], lambda _: False)
