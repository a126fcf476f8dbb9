"""Engines that share one fork server, so that a test of a command does not wait for torch each time."""

from __future__ import annotations

from typing import Any, ClassVar

from engine.process import ForkServer
from engine.supervisor import Engine


class WarmEngine(Engine):
    """An engine in everything but that its fork servers outlive it, for the next one."""

    servers: ClassVar[dict[str, ForkServer]] = {}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.workers._servers = WarmEngine.servers

    def close(self) -> None:
        """End the workers, leave the servers."""
        self.workers._servers = {}
        super().close()

    @classmethod
    def close_servers(cls) -> None:
        """After the last one."""
        for server in cls.servers.values():
            server.close()
        cls.servers.clear()
