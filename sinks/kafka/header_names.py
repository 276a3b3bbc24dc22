r"""Lets consumers read records whose header names are no UTF-8.

Kafka's protocol says they are, and brokers do not check. aiokafka's record parser raises UnicodeDecodeError in the
middle of a fetch, at the same record for ever: one such record would stop a partition. Here the batch with that record
is read once more, its names with backslash escapes (``\xff``) where they are no UTF-8. So they are text that can be
published again; keys and values are untouched.
"""

from collections.abc import Callable, Iterator

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record._protocols import DefaultRecordProtocol
from aiokafka.record.default_records import DefaultRecord, _DefaultRecordBatchPy
from aiokafka.record.util import decode_varint

from sinks.kafka.batch_heads import KeptRecords, batch_heads
from sinks.kafka.records import Consumed


class AnyNameRecords(fetcher.PartitionRecords):
    """Goes back to the slow reading for the rest of a batch in which the fast one has failed."""

    next_fetch_offset: int
    _records: KeptRecords
    _consumer_record: Callable[[TopicPartition, DefaultRecordProtocol], Consumed]

    def _unpack_records(self) -> Iterator[Consumed]:
        while True:
            try:
                yield from super()._unpack_records()  # type: ignore[no-untyped-call]  # aiokafka has no annotations here
            except (UnicodeDecodeError, CorruptRecordException) as error:
                if not isinstance(error.__cause__ or error, UnicodeDecodeError):
                    raise  # aiokafka without its extension wraps the one in the other
                # The batch is taken out of the records already: what remains there comes behind it.
                yield from self._rest_of_batch()
            else:
                return

    def _rest_of_batch(self) -> Iterator[Consumed]:
        batch = _DefaultRecordBatchPy(_batch_with(self._records.data, self.next_fetch_offset))
        for record in read_batch(batch):
            if record.offset >= self.next_fetch_offset:
                self.next_fetch_offset = record.offset + 1
                yield self._consumer_record(self._tp, record)
        self.next_fetch_offset = batch.next_offset


def _batch_with(data: bytes, offset: int) -> memoryview:
    """The first batch that ends at this offset or behind. Raises CorruptRecordException if none does."""
    for head in batch_heads(data):
        if head.base_offset + head.last_offset_delta >= offset:
            return memoryview(data)[head.begin : head.end]
    raise CorruptRecordException(f"no record batch of the fetch holds offset {offset}")


def read_batch(batch: _DefaultRecordBatchPy) -> Iterator[DefaultRecordProtocol]:
    """The records of a batch in message format 2. Raises CorruptRecordException where a length does not fit."""
    iter(batch)  # uncompresses it
    fields = _Fields(batch._buffer, batch._pos)  # noqa: SLF001 (they have no public names)
    for _ in range(batch._num_records):  # noqa: SLF001
        yield _read_record(fields, batch)


def _read_record(fields: "_Fields", batch: _DefaultRecordBatchPy) -> DefaultRecordProtocol:
    length = fields.number()
    end = fields.position + length
    fields.position += 1  # attributes, of which there are none yet
    timestamp = batch.first_timestamp + fields.number()
    if batch.timestamp_type == batch.LOG_APPEND_TIME:
        timestamp = batch.max_timestamp
    offset = batch.base_offset + fields.number()
    key, value = fields.blob(), fields.blob()
    headers = [(_text(fields.blob()), fields.blob()) for _ in range(fields.number())]
    if fields.position != end:
        raise CorruptRecordException(f"the record at offset {offset} is not as long as it says")
    return DefaultRecord(offset, timestamp, batch.timestamp_type, key, value, headers)


def _text(name: bytes | None) -> str:
    return (name or b"").decode("utf-8", "backslashreplace")


class _Fields:
    """Reads the fields of records one after another (KIP-82: lengths and numbers are zigzag varints, -1 is null)."""

    def __init__(self, data: bytearray, position: int) -> None:
        self._data = data
        self.position = position

    def number(self) -> int:
        value, self.position = decode_varint(self._data, self.position)
        return value

    def blob(self) -> bytes | None:
        size = self.number()
        if size < 0:
            return None
        start, self.position = self.position, self.position + size
        return bytes(self._data[start : self.position])
