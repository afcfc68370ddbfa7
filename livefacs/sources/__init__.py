"""Where frames come from: cameras, network cameras, clips, folders of images."""

from livefacs.sources.opening import open_source

__all__ = ["open_source"]
