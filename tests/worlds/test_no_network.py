"""The suite itself cannot reach the network."""

from __future__ import annotations

import socket
import urllib.request

import pytest


def test_a_connection_raises() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as plug, pytest.raises(AssertionError, match="network"):
        plug.connect(("192.0.2.1", 80))


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(AssertionError, match="network"):
        urllib.request.urlopen("http://example.invalid/", timeout=1)
