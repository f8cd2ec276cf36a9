"""The command `mien link`, which is mien-link on a desk."""

from mien.link.__main__ import main as link

__all__ = ["link"]
