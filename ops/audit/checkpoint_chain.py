"""Whether the checkpoints on their topic form an unbroken chain of signed statements. Pure: bytes in, verdict out."""

from collections.abc import Collection, Sequence

from ops.audit.chain import ChainFault
from ops.audit.marks import Marks
from schemas.audit import GENESIS_HASH
from schemas.checkpoints import Checkpoint, CheckpointError, check_signature, decode_checkpoint


class CheckpointVerifier:
    """Checks checkpoints one after another. After its first fault it takes no more.

    ``audit_topic`` is what they must be of, ``trusted`` the public keys that are believed. ``kept`` are checkpoints
    that were kept elsewhere, and must be found again.
    """

    def __init__(self, audit_topic: str, trusted: Collection[bytes], kept: Sequence[Checkpoint] = ()) -> None:
        self._audit_topic = audit_topic
        self._trusted = trusted
        self._kept = {checkpoint.statement.number: checkpoint for checkpoint in kept}
        self.fault: ChainFault | None = None
        self.checked = 0
        self.last: Checkpoint | None = None
        self.marks = Marks()

    def check(self, partition: int, offset: int, value: bytes | None) -> None:
        """Take the next one."""
        if self.fault is not None:
            return
        try:
            checkpoint = decode_checkpoint(value)
            self._check(checkpoint)
        except CheckpointError as error:
            self.fault = ChainFault(partition, offset, str(error))
            return
        self.last = checkpoint
        self.checked += 1
        self.marks.add(checkpoint)

    def finish(self, end: int) -> None:
        """All have been taken: ``end`` is the offset behind them. What was kept elsewhere and not found is a fault,
        and what it says is still compared with the audit."""
        missing = [self._kept[number] for number in sorted(self._kept) if number > self.checked]
        if missing and self.fault is None:
            self.fault = ChainFault(0, end, f"{missing[0].title}, which was kept, is gone: they were cut off")
        for checkpoint in missing:
            self.marks.add(checkpoint)

    def _check(self, checkpoint: Checkpoint) -> None:
        check_signature(checkpoint.statement, checkpoint.signature, self._trusted)
        said, last = checkpoint.statement, self.last
        if said.topic != self._audit_topic:
            raise CheckpointError(f"{checkpoint.title} is of {said.topic}")
        if said.number != self.checked + 1:
            raise CheckpointError(f"it is number {said.number}, {self.checked + 1} is due")
        if said.previous != (GENESIS_HASH if last is None else last.hash):
            raise CheckpointError(f"{checkpoint.title} does not follow from the one before")
        if last is not None and any(checkpoint.tree(t.partition).size < t.size for t in last.trees):
            raise CheckpointError(f"{checkpoint.title} is of fewer records than the one before")
        kept = self._kept.get(said.number)
        if kept is not None and kept.hash != checkpoint.hash:
            raise CheckpointError(
                f"{checkpoint.title} is not the one of this number that was kept: they were rewritten"
            )
