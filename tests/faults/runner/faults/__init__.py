"""What each kind of fault does. Each begins it, holds it as long as its card says, and takes it back."""

from collections.abc import Awaitable, Callable

from tests.faults.runner.faults import brokers, clocks, commits, crashes, disks, membership, network, signals
from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw

Fault = Callable[[Scene, Draw], Awaitable[bool]]
"""Returns whether it struck: a process may just be away, a point may not be reached."""

FAULTS: dict[str, Fault] = {
    "kill": signals.kill,
    "terminate": signals.terminate,
    "zombie": signals.zombie,
    "immediate": signals.immediate,
    "kill all": signals.kill_all,
    "kill in turn": brokers.kill_in_turn,
    "reset": network.reset,
    "stall": network.stall,
    "one-way up": network.one_way_up,
    "one-way down": network.one_way_down,
    "lose commit": commits.lose_commit,
    "lose commit's answer": commits.lose_answer,
    "kill backend at commit": commits.kill_backend,
    "kill postgres at commit": commits.kill_server,
    "crash point": crashes.end_at_point,
    "stop at point": crashes.stop_at_point,
    "rebalances": membership.rebalances,
    "rolling restart": membership.rolling_restart,
    "disk full": disks.disk_full,
    "clock jump": clocks.clock_jump,
}
