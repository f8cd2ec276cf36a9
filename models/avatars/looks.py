"""The family: every avatar that build.py makes."""

from generator.look import Look

LOOKS = (Look(name="default", seed=11),)
