"""Small RAUC bundles, signed with the keys that firmware_scripts/make-keys makes."""

import os
import subprocess
import tempfile
from pathlib import Path

MAKE_KEYS = Path(__file__).resolve().parents[2] / "firmware_scripts/make-keys"


class Keys:
    """A folder with a key that signs updates."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        subprocess.run([MAKE_KEYS], env=os.environ | {"MIEN_KEYS": str(folder)}, capture_output=True, check=True)

    @property
    def certificate(self) -> Path:
        """What a board trusts."""
        return self._folder / "bundle.cert.pem"

    @property
    def options(self) -> tuple[str, str]:
        """rauc's, for a board that trusts this key."""
        return ("--keyring", str(self.certificate))

    def bundle(
        self,
        path: Path,
        *,
        compatible: str = "mien-arm64",
        version: str = "0.3.0",
        build: str = "2",
        size: int = 100_000,
    ) -> Path:
        """A bundle with `size` random bytes as its root."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "content"
            folder.mkdir()
            (folder / "root.ext4").write_bytes(os.urandom(size))
            (folder / "manifest.raucm").write_text(
                f"[update]\ncompatible={compatible}\nversion={version}\nbuild={build}\n\n"
                "[bundle]\nformat=verity\n\n[image.rootfs]\nfilename=root.ext4\n"
            )
            key = self._folder / "bundle.key.pem"
            command = ["rauc", "--cert", self.certificate, "--key", key, "bundle", folder, path]
            path.unlink(missing_ok=True)
            subprocess.run(command, capture_output=True, check=True)
        return path
