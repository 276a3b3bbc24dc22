"""What the process that reads the topic tells those that write files: one after another, each behind its length."""

import struct
from typing import BinaryIO, TypeAlias

import msgspec

from ops.export.link import Link


class Begin(msgspec.Struct, tag="begin", array_like=True):
    """The records of this partition come next, from its link on."""

    partition: int
    link: Link


class Records(msgspec.Struct, tag="records", array_like=True):
    """Offsets and values."""

    partition: int
    offsets: list[int]
    values: list[bytes | None]


class End(msgspec.Struct, tag="end", array_like=True):
    """No more of this partition for now."""

    partition: int


Frame: TypeAlias = Begin | Records | End

_LENGTH = struct.Struct(">I")
_DECODER = msgspec.msgpack.Decoder(Frame)


def encode_frame(frame: Frame) -> bytes:
    """Its length in 4 bytes, and itself as MessagePack."""
    content = msgspec.msgpack.encode(frame)
    return _LENGTH.pack(len(content)) + content


def read_frame(stream: BinaryIO) -> Frame | None:
    """The next frame, or None where the stream ends."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    return _DECODER.decode(content) if len(content) == length else None
