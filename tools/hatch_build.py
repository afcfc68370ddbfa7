"""Hatchling's hook: a wheel, an editable install and an sdist have the networks with them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ModelsHook(BuildHookInterface[Any]):
    """Gathers the networks before anything is packed; git ignores them, so they are named here."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling once a target."""
        place = Path(__file__).with_name("gather_models.py")
        specification = importlib.util.spec_from_file_location("gather_models", place)
        assert specification is not None
        assert specification.loader is not None
        gathering = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(gathering)
        for path in gathering.gather(self.app.display_info):
            build_data["artifacts"].append(f"/{path.relative_to(self.root).as_posix()}")
