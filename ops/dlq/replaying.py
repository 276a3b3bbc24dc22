"""What a letter becomes when it is put back, and how letters are cut into transactions. Pure."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from ops.dlq.letters import Letter
from schemas.headers import REPLAY_ATTEMPT, REPLAY_OF
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.partitions import partition_of
from sinks.kafka.publisher import BATCH_BYTES_MAX
from sinks.kafka.records import Record

CHUNK_RECORDS_MAX = 2_000
CHUNK_BYTES_MAX = 4 * 1024 * 1024


def is_request(letter: Letter, settings: Settings) -> bool:
    """Whether it was a request. Letters of other topics, and records that are no letters, cannot be put back."""
    return letter.note is not None and letter.note.topic == settings.topic_name(TRANSFERS_REQUESTED)


def request_of(letter: Letter, attempt: UUID) -> Record:
    """The record as it first came, with two headers more: the letter's address, and the attempt."""
    added = [(REPLAY_OF, str(letter.address).encode()), (REPLAY_ATTEMPT, str(attempt).encode())]
    return Record(letter.key, letter.value, [*letter.headers, *added])


def target_partition(letter: Letter, partitions: int) -> int:
    """Where its key belongs. Without a key, where it came from."""
    if letter.key is not None:
        return partition_of(letter.key, partitions)
    came_from = letter.address.partition if letter.note is None else letter.note.partition
    return came_from % partitions


def chunks(letters: Iterable[Letter]) -> Iterator[list[Letter]]:
    """Letters in order, cut into transactions. One that may be too large for the brokers stands alone."""
    chunk: list[Letter] = []
    size_bytes = 0
    for letter in letters:
        letter_bytes = Record(letter.key, letter.value, letter.headers).size_bytes_max
        if chunk and (len(chunk) == CHUNK_RECORDS_MAX or size_bytes + letter_bytes > _room(letter_bytes)):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(letter)
        size_bytes += letter_bytes
        if letter_bytes > BATCH_BYTES_MAX:
            yield chunk
            chunk, size_bytes = [], 0
    if chunk:
        yield chunk


def _room(letter_bytes: int) -> int:
    return 0 if letter_bytes > BATCH_BYTES_MAX else CHUNK_BYTES_MAX
