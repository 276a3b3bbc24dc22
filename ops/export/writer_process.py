"""A process that writes files, and its side at the one that reads the topic.

Decoding, sealing and compressing take three times as long as reading, so each processor gets such a process. Run as
``python -m ops.export.writer_process FOLDER``: frames on standard input, and on standard output the error that it ended
with, if there is one. It ends with its input, and with it the lock on the folder, whose descriptor it has got.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from ops.errors import CommandError
from ops.export.frames import Begin, End, Frame, Records, encode_frame, read_frame
from ops.export.partition_writer import PartitionWriter
from schemas.codes import CliCode


class Refusal(msgspec.Struct):
    """Why a process has stopped writing."""

    message: str
    code: CliCode


class WriterProcess:
    """Writes the partitions that it is told of. Every method raises CommandError when the process has ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, folder: Path, lock: int) -> "WriterProcess":
        """A new process, which holds the lock, too."""
        command = (sys.executable, "-P", "-m", "ops.export.writer_process", str(folder))
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, pass_fds=(lock,)))

    async def send(self, frame: Frame) -> None:
        """Hand a frame over, as soon as the process can take more."""
        pipe = self._process.stdin
        if pipe is None:
            raise CommandError("a process that writes the export has no standard input")
        if not pipe.is_closing():
            with suppress(ConnectionError):
                pipe.write(encode_frame(frame))
                await pipe.drain()
        if pipe.is_closing():  # from the other side
            await self.finish()
            raise CommandError("a process that writes the export has ended by itself")

    async def finish(self) -> None:
        """Wait until everything is written and the process has ended."""
        if self._process.stdin is not None:
            self._process.stdin.close()  # communicate() does so from Python 3.12 on
        told, _ = await self._process.communicate()
        if told:
            refusal = msgspec.json.decode(told, type=Refusal)
            raise CommandError(refusal.message, refusal.code)
        if self._process.returncode:
            raise CommandError(f"a process that writes the export has ended with status {self._process.returncode}")

    async def abandon(self) -> None:
        """End the process, whatever it is doing."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


def write_frames(folder: Path, stream: BinaryIO) -> None:
    """Write what the frames tell, up to their end. Raises CommandError."""
    writers: dict[int, PartitionWriter] = {}
    while (frame := read_frame(stream)) is not None:
        match frame:
            case Begin():
                writers[frame.partition] = PartitionWriter(folder, frame.partition, frame.link)
            case Records():
                writers[frame.partition].add(frame.offsets, frame.values)
            case End():
                writers.pop(frame.partition).flush()


def main() -> None:
    """The process."""
    try:
        write_frames(Path(sys.argv[1]), sys.stdin.buffer)
    except CommandError as error:
        sys.stdout.buffer.write(msgspec.json.encode(Refusal(str(error), error.code)))
        sys.exit(1)
    except OSError as error:
        told = f"{sys.argv[1]} cannot be written to: {error}"
        sys.stdout.buffer.write(msgspec.json.encode(Refusal(told, CliCode.COMMAND_REFUSED)))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(1)


if __name__ == "__main__":
    main()
