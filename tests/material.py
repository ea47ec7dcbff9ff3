"""Where photos and ratings lie that are too large to be kept with the code. Without them their tests are skipped."""

import os
from pathlib import Path

MATERIAL = Path(os.environ.get("KEEPERS_TEST_DATA", "test-material")).absolute()
