"""Where frames come from: cameras, network cameras, clips, folders of images."""

import os

from livefacs.sources.limits import MOST_PIXELS

# OpenCV reads it once, when it is loaded: a picture of a few megabytes may unpack to gigabytes.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))

from livefacs.sources.source_from_words import open_source

__all__ = ["open_source"]
