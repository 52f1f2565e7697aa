"""Refuse every connection that would leave this machine, so that no test can depend on or disturb the outside.

An audit hook sees what CPython's sockets do, whichever library asks. uvloop does its connecting in C, past the hook;
tests run on the standard loop.
"""

import ipaddress
import sys

CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
RESOLVING = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}

_installed: list[bool] = []


class OutsideConnectionError(AssertionError):
    """A test tried to reach another host. No OSError: the code under test must not take it for a network failure."""


def install() -> None:
    """Refuse foreign hosts from now on in this process; an audit hook cannot be taken out again."""
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_check)


def _check(event: str, arguments: tuple[object, ...]) -> None:
    if event in CONNECTING:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) and address else None
    elif event in RESOLVING:
        host = arguments[0]
    else:
        return
    if not _is_this_machine(host):
        raise OutsideConnectionError(f"a test tried to reach {host!r}; only this machine is allowed")


def _is_this_machine(host: object) -> bool:
    """Say whether a host is loopback. None, an empty name and unix sockets (no host at all) are local too."""
    if isinstance(host, bytes | bytearray):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or host == "":
        return True
    name = host.partition("%")[0].lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
