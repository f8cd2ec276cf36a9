"""labgrid drivers that hold a rig's parts, with the strategy that moves the board from state to state.

targets:
  main:
    drivers:
      ContainerRigDriver: {}
      MienStrategy: {}
"""

import abc
from pathlib import Path
from typing import ClassVar

import attr
from labgrid import target_factory
from labgrid.driver import Driver
from labgrid.strategy import Strategy

from hil.images import fingerprint, newest
from hil.rig import Rig
from hil.stages import Stages, State

REPOSITORY = Path(__file__).resolve().parents[1]


class RigHolder(abc.ABC):
    """What the strategy needs of a driver."""

    rig: Rig
    image: Path


@target_factory.reg_driver
@attr.s(eq=False)
class ContainerRigDriver(Driver, RigHolder):
    """The container board. work: its scratch folder, of which there is one a machine. commit: what to flash."""

    bindings: ClassVar[dict[str, object]] = {}
    work = attr.ib(default="/tmp/mien-hil", validator=attr.validators.instance_of(str))
    commit = attr.ib(default="HEAD", validator=attr.validators.instance_of(str))
    display = attr.ib(default=77, validator=attr.validators.instance_of(int))
    memory_mb = attr.ib(default=1000, validator=attr.validators.instance_of(int))

    def on_activate(self) -> None:
        """Called by labgrid when the target is acquired."""
        from hil.container.prepare import SOFTWARE, wheel
        from hil.container.rig import container_rig

        self.image: Path = wheel(self.commit)
        self.rig: Rig = container_rig(Path(self.work), SOFTWARE, display=self.display, memory_mb=self.memory_mb)

    def on_deactivate(self) -> None:
        """Called by labgrid when the target is released."""
        self.rig.close()


@target_factory.reg_driver
@attr.s(eq=False)
class QemuRigDriver(Driver, RigHolder):
    """The emulated board. image_name: which image of the environment. icount: guest time counts instructions."""

    bindings: ClassVar[dict[str, object]] = {}
    image_name = attr.ib(default="card", validator=attr.validators.instance_of(str))
    work = attr.ib(default="build/hil/qemu", validator=attr.validators.instance_of(str))
    icount = attr.ib(default=False, validator=attr.validators.instance_of(bool))
    patience = attr.ib(default=25.0, converter=float)

    def on_activate(self) -> None:
        """Called by labgrid when the target is acquired."""
        from hil.qemu.rig import qemu_rig

        self.image = newest(self.target.env.config.get_image_path(self.image_name))
        self.rig: Rig = qemu_rig(REPOSITORY / self.work, icount=self.icount, patience=self.patience)

    def on_deactivate(self) -> None:
        """Called by labgrid when the target is released."""
        self.rig.close()


@target_factory.reg_driver
@attr.s(eq=False)
class MienStrategy(Strategy):
    """Moves the board between off, flashed, booted and ready: `strategy.transition("ready")`."""

    bindings: ClassVar[dict[str, object]] = {"holder": RigHolder}

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._stages: Stages | None = None

    @property
    def stages(self) -> Stages:
        """The board's state machine; the rig is opened at first use."""
        if self._stages is None:
            self.target.activate(self.holder)
            self._stages = Stages(self.holder.rig, self.holder.image, fingerprint(self.holder.image))
        return self._stages

    @property
    def rig(self) -> Rig:
        """The parts of the bench."""
        return self.stages.rig

    def transition(self, status: str) -> None:
        """Move the board to one of off, flashed, booted, ready."""
        self.stages.to(State[status.upper()])
