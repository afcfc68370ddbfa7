"""The native recording: a folder of ``take.json`` and append-only fixed-size records."""
