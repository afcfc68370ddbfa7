"""Where frames come from: cameras, network cameras, clips, folders of images."""

from livefacs.sources.opening import OpenedSource, open_source

__all__ = ["OpenedSource", "open_source"]
