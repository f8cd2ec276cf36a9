"""Adds the shipped models and avatars, which live in models/, to the wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SHIPPED = {
    "mien/motion/data": ("models/motion/*.json", "models/motion/*.tflite"),
    "mien/data": ("models/avatars/*.mien-avatar",),
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
