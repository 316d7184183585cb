"""Where the files lie."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

import ima2


class LocalStorageSettings(BaseModel):
    """The gallery's folder; without a path, ``name`` below the configuration folder."""

    path: Path | None = ima2.setting(None, env="IMA2_GENERATED_DIR", key="storage.generatedDir", help="the gallery")
    name: str = ima2.setting(
        "generated", env="IMA2_GENERATED_DIRNAME", key="storage.generatedDirName", help="its name without a path"
    )

    def folder(self, config_dir: Path) -> Path:
        """The folder as an absolute path."""
        return (self.path.expanduser() if self.path else config_dir / self.name).absolute()
