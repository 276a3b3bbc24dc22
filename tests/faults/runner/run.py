"""One run: build everything up, put it under load, break it, let it settle, check it."""

import asyncio
import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from hfts_client import AsyncClient, RetryPolicy
from ops.audit.verify import verify_audit
from ops.load.access import ApiAccess
from ops.load.wallets import create_fleet
from ops.reconcile.run import reconcile
from schemas.settings import Settings
from sinks.postgres.pool import connect
from streams.checkpointing import write_checkpoints
from tests.faults.runner.book import Book
from tests.faults.runner.campaign import Tell, keep_schedule, kill_workers
from tests.faults.runner.checker import Verdict, check
from tests.faults.runner.cluster import Replication, replications
from tests.faults.runner.deck import Card, Topology, crash_points, topology
from tests.faults.runner.evidence import gather
from tests.faults.runner.faults.crashes import point_text
from tests.faults.runner.load import Load
from tests.faults.runner.producer import Producer
from tests.faults.runner.release import roll_out
from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Pace, Planned, make_schedule
from tests.faults.runner.stalls import Made, Stall, Times, longest_stalls
from tests.faults.runner.waiting import settle, wait_for_apis, wait_until_given_back, wait_until_told
from tests.faults.runner.watch import Arrivals, watch_outcomes

CRASHES_TIMEOUT_S = 150.0
CALM_S = 3.0
"""Load without faults at the beginning and at the end."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to do. ``crash_points``: lives that end at every point, first; ``kills``: so many instead of a schedule;
    ``release``: one of these instead."""

    seed: int
    duration_s: float
    deck: list[Card]
    brokers: int = 3
    workers: int = 2
    partitions: int = 6
    wallets: int = 100
    rate_kafka: float = 150.0
    rate_http: float = 30.0
    kills: int = 0
    release: bool = False
    crash_points: bool = False
    mounts: bool = False
    pace: Pace = field(default_factory=Pace)
    logs: Path | None = None


@dataclass(slots=True)
class Result:
    """What came of it."""

    options: Options
    verdict: Verdict
    stalls: dict[str, Stall]
    refusals: Counter[str]
    exits: dict[str, Counter[int]]
    """How our processes ended, by name and exit status."""
    replications: dict[str, Replication]
    """Of every topic, when all was over."""
    crash_points: dict[str, bool] = field(default_factory=dict)
    """``worker-1 after_commit:3`` and whether the process ended there."""


async def run(options: Options, tell: Tell) -> Result:
    """Do it all. Raises StackError, and StalledError when the pipeline does not come to rest."""
    there = topology(options.workers, options.brokers, apis=2 if options.release else 1)
    is_scheduled = not options.kills and not options.release
    schedule = make_schedule(options.seed, options.duration_s, options.deck, options.pace) if is_scheduled else []
    # Not below a folder that only we may pass: PostgreSQL does not run as root.
    with tempfile.TemporaryDirectory(prefix="hfts-faults-", ignore_cleanup_errors=True) as folder:
        scene = Scene(Path(folder), there, partitions=options.partitions, mounts=options.mounts)
        try:
            points = _queue_crash_points(options, there)
            await scene.start()
            tell("the stack is up")
            result = await _run_on(scene, options, schedule, points, tell)
        finally:
            await scene.stop()
            if options.logs:
                _keep(scene.stack.layout.logs, options.logs)
    return result


async def _run_on(
    scene: Scene, options: Options, schedule: list[Planned], points: dict[str, list[str]], tell: Tell
) -> Result:
    settings, book, arrivals = scene.settings, Book(), Arrivals()
    await wait_for_apis(scene)
    async with _load(scene, options, book) as load, _watching(settings, arrivals):
        await load.fund()
        await wait_until_told(book, arrivals)
        tell("the wallets have their money, the load begins")
        stop = asyncio.Event()
        rates = {"kafka": options.rate_kafka, "http": options.rate_http}
        sending = asyncio.create_task(load.run(rates, stop))
        try:
            await asyncio.sleep(0.0 if options.release else CALM_S)
            made = await _break(scene, options, schedule, points, arrivals, tell)
            await asyncio.sleep(CALM_S)
        finally:
            stop.set()
        tell("no more faults and no new requests; waiting for the rest")
        await sending
        await settle(settings)
        await wait_until_told(book, arrivals)
        await wait_until_given_back(settings)
        tell("everything has come to rest, checking")
        verdict = check(book, await gather(settings))
        await _second_opinion(settings, verdict)
        return Result(
            options=options,
            verdict=verdict,
            stalls=longest_stalls(made, _times(book, arrivals)),
            refusals=load.refusals,
            exits={name: Counter(one.status for one in each.exits) for name, each in scene.processes.items()},
            replications=await replications(settings),
            crash_points=_reached(scene, points),
        )


async def _break(  # noqa: PLR0917 (each is one thing)
    scene: Scene,
    options: Options,
    schedule: list[Planned],
    points: dict[str, list[str]],
    arrivals: Arrivals,
    tell: Tell,
) -> list[Made]:
    if options.release:
        return await roll_out(scene, tell)
    if options.kills:
        return await kill_workers(scene, options.kills, options.seed, lambda: len(arrivals.first_s), tell)
    for name, texts in points.items():
        process = scene.processes[name]
        process.lives.extend({"CRASH_POINT": text} for text in texts)
    # Each process begins with an ordinary life; this ends it.
    await asyncio.gather(*(scene.processes[name].restart() for name in points))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CRASHES_TIMEOUT_S):
            while not all(_reached(scene, points).values()):  # noqa: ASYNC110 (other processes bring it about)
                await asyncio.sleep(0.1)
    return await keep_schedule(scene, schedule, tell)


def _queue_crash_points(options: Options, there: Topology) -> dict[str, list[str]]:
    """For each process the points that its next lives end at; the workers share theirs."""
    if not options.crash_points:
        return {}
    random = Random(options.seed)
    queued: dict[str, list[str]] = {}
    for name in (*there.workers, "downstream", "api"):
        points = crash_points(name)
        if name in there.workers:
            points = points[there.workers.index(name) :: len(there.workers)]
        queued[name] = [point_text(point, random) for point in points]
    return queued


def _reached(scene: Scene, points: dict[str, list[str]]) -> dict[str, bool]:
    ended = {
        f"{name} {one.variables.get('CRASH_POINT')}"
        for name, process in scene.processes.items()
        for one in process.exits
        if one.killed_itself
    }
    due = [f"{name} {text}" for name, texts in points.items() for text in texts]
    return {one: one in ended for one in due}


@contextlib.asynccontextmanager
async def _load(scene: Scene, options: Options, book: Book) -> AsyncIterator[Load]:
    settings = scene.settings
    database = await connect(settings)
    try:
        fleet = await create_fleet(database, options.wallets, "USD")
    finally:
        await database.close()
    producer = Producer(settings)
    async with contextlib.AsyncExitStack() as clients:
        apis = [await clients.enter_async_context(_api(scene.access(name))) for name in scene.there.apis]
        try:
            admin = await apis[0].users.me()
            yield Load(book, fleet, producer, apis, user_id=admin.user_id, random=Random(options.seed))
        finally:
            await producer.stop()


def _api(access: ApiAccess) -> AsyncClient:
    """Sends everything once: the load itself sends again, and counts."""
    password = access.admin_password.get_secret_value()
    return AsyncClient(access.api_url, email=access.admin_email, password=password, retry=RetryPolicy(total_s=0.0))


@contextlib.asynccontextmanager
async def _watching(settings: Settings, arrivals: Arrivals) -> AsyncIterator[None]:
    task = asyncio.create_task(watch_outcomes(settings, arrivals))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _second_opinion(settings: Settings, verdict: Verdict) -> None:
    """What `hfts reconcile` and `hfts audit verify` say."""
    report = await reconcile(settings, settled=True)
    for finding in report.findings:
        if finding.faults or finding.pending:
            name = f"reconcile: {finding.title}"
            verdict.problems[name] = finding.faults + finding.pending
            verdict.examples[name] = [f"{fault.at}: {fault.problem}" for fault in finding.examples]
    await write_checkpoints(settings)  # as one more process that goes on where others were cut off
    audit = await verify_audit(settings)
    verdict.add("audit verify", (f"{fault.partition}-{fault.offset}: {fault.problem}" for fault in audit.faults))
    if audit.checkpoints.fault is not None or audit.checkpoints.last is None:
        verdict.add("checkpoints", [str(audit.checkpoints.fault)])


def _times(book: Book, arrivals: Arrivals) -> Times:
    acknowledged = book.acknowledged_s
    return Times(
        outcomes=arrivals.by_partition,
        transfers=[(acknowledged[one], came_s) for one, came_s in arrivals.first_s.items() if one in acknowledged],
        answers=[(book.asked_s[one], moment_s) for one, moment_s in acknowledged.items()],
    )


def _keep(logs: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for log in logs.iterdir():
        shutil.copy(log, folder)
