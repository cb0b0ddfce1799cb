"""``python -m vpcflow``."""

import sys

from .cli import main

sys.exit(main())
