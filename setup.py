"""Puts the shipped model, avatars and systemd files into the wheel beside the code that looks for them."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SHIPPED = {
    "mien/motion/data": ("models/motion/*.json", "models/motion/*.tflite", "models/motion/*.bin"),
    "mien/data": ("models/avatars/*.mien-avatar",),
    "mien/data/systemd": (
        "systemd/*.service",
        "systemd/*.socket",
        "systemd/*.timer",
        "systemd/*.target",
        "systemd/*.conf",
        "systemd/*.rules",
        "systemd/board-defaults.toml",
        "systemd/emulated-board",
        "systemd/failure-note",
        "systemd/install.sh",
    ),
}


class BuildWithModels(build_py):
    """build_py that also copies the artefacts."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # the code finds them in the source tree
            return
        for folder, patterns in SHIPPED.items():
            target = Path(self.build_lib, folder)
            target.mkdir(parents=True, exist_ok=True)
            for pattern in patterns:
                for source in sorted(ROOT.glob(pattern)):
                    shutil.copy2(source, target)


setup(cmdclass={"build_py": BuildWithModels})
