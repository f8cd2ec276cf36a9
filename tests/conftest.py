"""What all tests share. Doubles with a contract of their own live here; none of them knows the wall clock."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # so that tests can import `rigs`
