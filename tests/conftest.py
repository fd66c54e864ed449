"""For the whole suite: no network, one place for shared data, and how hard the generators try."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# test modules are imported by path (importlib mode); what they share lives in packages beside this file
sys.path.insert(0, str(Path(__file__).resolve().parent))

_slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]
settings.register_profile("dev", max_examples=40, deadline=None, suppress_health_check=_slow)
settings.register_profile("ci", max_examples=120, deadline=None, suppress_health_check=_slow, derandomize=True, database=None)
settings.register_profile("nightly", max_examples=5000, deadline=None, suppress_health_check=_slow, print_blob=True)
PROFILE = os.environ.get("ELIGIBILITY_PROFILE", "ci")
settings.load_profile(PROFILE)


class NetworkUse(AssertionError):
    """Some code tried to reach the network; this program never does."""


def _refuse(*_args: Any, **_kwargs: Any) -> Any:
    raise NetworkUse("a socket was opened for a connection: nothing here may use the network")


class _NoSocket(socket.socket):
    """A socket that connects nowhere. Local pairs (event loops, worker pools) still work."""

    def connect(self, address: Any) -> None:
        if self.family != getattr(socket, "AF_UNIX", None):
            _refuse(address)
        super().connect(address)

    def connect_ex(self, address: Any) -> int:
        if self.family != getattr(socket, "AF_UNIX", None):
            _refuse(address)
        return super().connect_ex(address)


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Any:
    patch = pytest.MonkeyPatch()
    patch.setattr(socket, "socket", _NoSocket)
    patch.setattr(socket, "create_connection", _refuse)
    patch.setattr(socket, "getaddrinfo", _refuse)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def shared() -> Callable[..., Path]:
    """A path of the reference folder that stands beside the repository; skips, saying so, where it is not there."""

    def find(*parts: str) -> Path:
        path = SHARED.joinpath(*parts)
        if not path.exists():
            pytest.skip(f"reference data not here: {Path('..', 'shared', *parts)}")
        return path

    return find


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare with a golden file beside the test; ``ELIGIBILITY_REGENERATE=1`` writes it anew, and the diff is yours to read."""
    folder = request.path.parent / "golden"

    def compare(name: str, got: str) -> None:
        path = folder / name
        if os.environ.get("ELIGIBILITY_REGENERATE") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_text(got, encoding="utf-8")
        assert got == path.read_text(encoding="utf-8")

    return compare
