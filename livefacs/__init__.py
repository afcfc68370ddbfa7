"""Real-time facial action capture: camera frames to FACS Action Units to animation rigs."""

import logging

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())  # quiet unless somebody asks
