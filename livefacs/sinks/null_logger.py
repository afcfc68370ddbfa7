"""A logger for libraries whose complaints are counted here, not printed."""

from __future__ import annotations

import logging
from typing import Final

QUIET_LOGGER: Final = logging.getLogger("livefacs.sinks")
QUIET_LOGGER.addHandler(logging.NullHandler())
QUIET_LOGGER.propagate = False
