"""Make ``python -m ganedit_widgets.cli`` the same as ``ganedit``."""

import sys

from . import main

sys.exit(main())
