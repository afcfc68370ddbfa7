"""Real-time facial action capture: camera frames to FACS Action Units to animation rigs."""

__version__ = "0.1.0"
