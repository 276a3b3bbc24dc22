"""What there is to break: the servers, our processes, the proxies between them, disks and clocks."""

import mmap
import os
import struct
import sys
from pathlib import Path

from ops.admin import ensure_admin
from ops.embedded import postgres
from ops.embedded.environment import ADMIN_EMAIL, child_environment
from ops.embedded.plan import ListenerOption, StackOptions
from ops.embedded.ports import free_port
from ops.embedded.processes import Program
from ops.embedded.stack import Stack
from ops.load.access import ApiAccess
from schemas.settings import Settings
from sinks.kafka.topics import ensure_topics
from sinks.postgres.migrate import known_migrations, migrate_up
from sinks.postgres.pool import connect
from tests.faults.runner.deck import Topology
from tests.faults.runner.disk import Disk, FileLimit, MemoryDisk
from tests.faults.runner.process import OwnProcess
from tests.faults.runner.proxy import Link

FOLLOWERS = "notifications,audit,deliveries"
API_SHUTDOWN_DELAY_S = "1"
_LAUNCHER = Path(__file__).with_name("launcher.py")


class Clock:
    """A process's wall clock, which can be moved while it runs."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(struct.pack("d", 0.0))
        with path.open("r+b") as file:
            self._ahead = mmap.mmap(file.fileno(), 8)
        self.path = path

    def jump(self, ahead_s: float) -> None:
        """Be so many seconds ahead of the true time, or behind it."""
        struct.pack_into("d", self._ahead, 0, ahead_s)


class Scene:
    """The whole pipeline, every part of it within reach. ``start`` and ``stop`` each once."""

    def __init__(self, folder: Path, there: Topology, *, partitions: int, mounts: bool) -> None:
        self.there = there
        self.folder = folder
        listeners = tuple(ListenerOption(_listener(name), proxied=True) for name in there.own)
        self._options = StackOptions(brokers=len(there.brokers), partitions=partitions, small=True, listeners=listeners)
        self.stack = Stack(folder, self._options)
        self.processes: dict[str, OwnProcess] = {}
        self.api_ports: dict[str, int] = {}
        self.links: dict[str, Link] = {}
        self.disks: dict[str, Disk] = {}
        self.clocks: dict[str, Clock] = {}
        self._mounts = mounts

    @property
    def settings(self) -> Settings:
        """How the runner itself reaches the servers: without a proxy."""
        return self.stack.settings()

    def access(self, api: str) -> ApiAccess:
        """An API process, as an admin."""
        return ApiAccess(
            api_url=f"http://{self.settings.api_host}:{self.api_ports[api]}",
            admin_email=ADMIN_EMAIL,
            admin_password=self.stack.secrets.admin_password,
        )

    async def start(self) -> None:
        """Servers, proxies, topics, an admin; then our processes."""
        self._lay_disks()
        await self.stack.start()
        connection = await connect(self.settings)
        try:
            await migrate_up(connection, known_migrations())
        finally:
            await connection.close()
        await ensure_topics(self.settings)
        await ensure_admin(self.settings, ADMIN_EMAIL, self.stack.secrets.admin_password)
        for name in self.there.apis:
            port = self.settings.api_port
            self.api_ports[name] = free_port(self.api_ports.values()) if port in self.api_ports.values() else port
        for name in self.there.own:
            environment = await self._lay_links(name)
            self.processes[name] = OwnProcess(self.program(name, environment))
        for process in self.processes.values():
            process.start()

    async def stop(self) -> None:
        """Our processes, the proxies, the servers."""
        for link in self.links.values():
            link.release()
        for process in self.processes.values():
            await process.stop()
        for link in self.links.values():
            await link.stop()
        await self.stack.stop()
        for disk in self.disks.values():
            disk.close()

    def pid(self, name: str) -> int | None:
        """The process of this name that runs now, ours or a server's."""
        if name in self.processes:
            return self.processes[name].pid
        return next((row.pid for row in self.stack.parts.rows() if row.name == name and row.state == "running"), None)

    def log(self, name: str) -> Path:
        """What it says."""
        return self.stack.layout.logs / f"{name}.log"

    def program(self, name: str, environment: dict[str, str]) -> Program:
        """A worker, ``downstream`` or an API process."""
        clock = self.clocks.setdefault(name, Clock(self.folder / f"{name}.clock"))
        environment = {**environment, "CLOCK_FILE": str(clock.path), "AUDIT_CHECKPOINT_INTERVAL_S": "1"}
        command = ["worker", "--agents", ",".join(self.agents(name))]
        if name in self.there.apis:
            command = ["api"]
            environment |= {"API_PORT": str(self.api_ports[name]), "API_SHUTDOWN_DELAY_S": API_SHUTDOWN_DELAY_S}
        return Program(
            name=name,
            # -P: the folder it runs in must not shadow modules.
            arguments=[sys.executable, "-P", str(_LAUNCHER), *command],
            log=self.log(name),
            folder=self.folder,
            environment=environment,
        )

    def agents(self, name: str) -> list[str]:
        """What runs in this process; nothing in an API process."""
        if name in self.there.apis:
            return []
        return FOLLOWERS.split(",") if name == "downstream" else ["transfers"]

    def plain_environment(self) -> dict[str, str]:
        """For a process that reaches the servers without a proxy."""
        return child_environment(os.environ, self.settings, self.stack.secrets)

    async def _lay_links(self, name: str) -> dict[str, str]:
        """Proxies in front of all that this process talks to; the environment that leads it there."""
        listener = _listener(name)
        settings = self.stack.settings(listener)
        routes = {one.advertised_port: one.port for node in self.stack.plan.nodes for one in node.listeners
                  if one.name == listener}  # fmt: skip
        port = free_port([settings.postgres_port, *routes])
        self.links[f"{name}/kafka"] = Link(f"{name}/kafka", routes)
        self.links[f"{name}/postgres"] = Link(f"{name}/postgres", {port: settings.postgres_port})
        for server in ("kafka", "postgres"):
            await self.links[f"{name}/{server}"].start()
        proxied = settings.model_copy(update={"postgres_port": port})
        return child_environment(os.environ, proxied, self.stack.secrets)

    def _lay_disks(self) -> None:
        layout = self.stack.layout
        for name in (*self.there.brokers, "postgres"):
            self.disks[name] = FileLimit(lambda name=name: self.pid(name))  # type: ignore[misc]  # bound now
        if not self._mounts:
            return
        layout.folder.mkdir(parents=True, exist_ok=True)
        layout.logs.mkdir(exist_ok=True)
        plan, secrets = layout.settle_plan(self._options), layout.ensure_secrets()
        log = layout.logs / "postgres.log"
        # Made before it is moved to its disk, since it is put into place by renaming.
        postgres.prepare(
            postgres.Server(layout.postgres, log, plan.postgres_port, secrets.superuser_password, small=True)
        )
        for name in self.there.brokers:
            (layout.folder / name / "data").mkdir(parents=True)
        for name in (*self.there.brokers, "postgres"):
            disk = MemoryDisk(layout.postgres if name == "postgres" else layout.folder / name / "data")
            disk.mount()
            self.disks[name] = disk


def _listener(name: str) -> str:
    """Of the clients' names in the form that Kafka wants: ``WORKER_1``."""
    return name.upper().replace("-", "_")
