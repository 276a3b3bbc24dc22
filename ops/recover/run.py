"""One run of `hfts recover`."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from aiokafka import AIOKafkaConsumer

from ops.errors import CommandError
from ops.recover.look import RETELL_ALL, Findings, look
from ops.recover.renewing import renewal
from ops.recover.retelling import retell
from ops.recover.statements import BEGIN, FINISH, FORGET_LETTERS, REDELIVER
from ops.topic_reader import partition_counts
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, DEAD_LETTERS, NOTIFICATIONS
from sinks.errors import CannotFollowError
from sinks.kafka.tails import committed_reader
from sinks.postgres.pool import Connection
from streams.catching_up import alone, catch_up, decide_again
from streams.standing import renewing

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]
"""Told of something done how much of how much."""


async def recover(settings: Settings, *, dry_run: bool, decide: bool, say: Say, progress: Progress) -> None:
    """Say what stands between the ledger and the topics, and mend it unless it is a ``dry_run``.

    ``decide``: apply what a restored ledger lacks anew if it cannot be made of what was told. Cut off, run it again.
    Raises CommandError, TopicReadError, TransientError while another process is at it, KafkaError, OSError and
    asyncpg's errors.
    """
    await partition_counts(settings, map(settings.topic_name, ALL_TOPICS))  # says so if one is missing
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(alone(settings))
        consumer = await stack.enter_async_context(committed_reader(settings))
        found = await look(settings, consumer, database)
        for line in found.lines():
            say(line)
        if not found.lines():
            say("the ledger and the topics belong together: there is nothing to do")
        if dry_run or not found.lines():
            return
        if found.followed_beyond:
            raise CommandError(
                "the outcomes have lost what others followed, and nobody can tell them apart from new ones. Delete the "
                "topics of outcomes, notifications and audit, and audit.checkpoints, make them with hfts topics, and "
                "run this again"
            )
        mending = _Mending(settings, database, consumer, say, progress)
        if found.behind:
            await mending.begin(found)  # first, since who catches up leaves markers where all outcomes are gone
            await _catch_up(settings, say, decide=decide)
            found = await look(settings, consumer, database)
        await mending.run(found)
    say("done: workers that wait go on by themselves. Then run hfts reconcile")


async def _catch_up(settings: Settings, say: Say, *, decide: bool) -> None:
    try:
        say(f"made {await catch_up(settings):,} rows of what was told")
    except CannotFollowError as error:
        if not decide:
            raise CommandError(
                f"{error}. What cannot be mended can be applied anew, with other outcomes than were told: "
                "hfts recover --decide-again"
            ) from error
        say(f"applied {await decide_again(settings):,} requests anew, for {error}")


class _Mending:
    """What is done about topics that have lost records."""

    def __init__(
        self, settings: Settings, database: Connection, consumer: AIOKafkaConsumer, say: Say, progress: Progress
    ) -> None:
        self._settings = settings
        self._database = database
        self._consumer = consumer
        self._say = say
        self._progress = progress

    async def begin(self, found: Findings) -> bool:
        """Note what is to be mended of the topics, for whoever takes it up when this is cut off. Whether anything is.

        Where a partition that is behind is to begin, is known when the ledger has caught up with it.
        """
        if not (found.lost or found.untold or found.renewals):
            return False
        begins = {s.partition: RETELL_ALL if s.partition in found.untold else 0 for s in found.standings}
        begins = {p: offset for p, offset in (begins | found.lost).items() if p not in found.behind}
        await self._database.execute(BEGIN, renewing(self._settings), list(begins), list(begins.values()))
        return True

    async def run(self, found: Findings) -> None:
        """Mend what was found. No partition is behind any more."""
        if await self.begin(found):
            await self._renew(found)
            await self._retell()
        await self._forget(found)
        await self._database.execute(FINISH, renewing(self._settings))

    async def _renew(self, found: Findings) -> None:
        begins = dict(found.lost)
        begins |= {partition: begin_at for partition, begin_at in found.renewals.items() if begin_at > 0}
        total = sum(begin_at for begin_at in begins.values())
        filled = moved = 0

        def count(offsets: int) -> None:
            nonlocal filled
            filled += offsets
            self._progress("offsets", filled, total)

        async with renewal(self._settings, self._database, self._consumer) as renewals:
            for partition, begin_at in begins.items():
                again = partition in found.renewals
                moved += await renewals.renew(partition, begin_at, count, again=again)
                self._say(f"the requests of partition {partition} begin at {begin_at}")
        if begins:
            self._say(f"put {moved:,} requests there that had come in meanwhile")

    async def _retell(self) -> None:
        found = await look(self._settings, self._consumer, self._database)
        told = {s.partition: s.told for s in found.standings if s.partition in found.untold}
        if told:
            total, done = sum(found.untold.values()), 0

            def count(outcomes: int) -> None:
                nonlocal done
                done += outcomes
                self._progress("outcomes", done, total)

            self._say(f"published {await retell(self._settings, self._database, told, count):,} outcomes anew")

    async def _forget(self, found: Findings) -> None:
        if found.undelivered_end:
            topic, ends = self._settings.topic_name(NOTIFICATIONS), found.undelivered_end
            await self._database.execute(REDELIVER, topic, list(ends), list(ends.values()))
            self._say("notifications are delivered from the ends of their partitions on")
        if found.lost_actions:
            topic, ends = self._settings.topic_name(DEAD_LETTERS), found.letter_ends
            await self._database.execute(FORGET_LETTERS, topic, list(ends), list(ends.values()))
            self._say("what was done about dead letters that are gone is forgotten")
