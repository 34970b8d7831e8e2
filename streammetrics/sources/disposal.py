"""Keeps, moves or deletes a file once all of it is committed.

If a run is killed between the commit and this, the next run finds the file in the ledger, and moves or deletes it.
"""

import errno
import os
import shutil
from pathlib import Path

from streammetrics.config import Config
from streammetrics.errors import InputOutputError
from streammetrics.runtime import atomic_files
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.open_once import folder_of, held


def dispose(config: Config, file: SourceFile) -> None:
    """Do what the source says, unless the file was written to meanwhile: then it must be read first.

    Raises:
        InputOutputError: it cannot be moved or deleted; its records count, and the next run tries again.
    """
    source = file.source
    # An empty file is probably about to be written.
    if source.after == "keep" or not file.is_spooled or not file.size:
        return
    try:
        if file.is_changed():
            return
        with folder_of(file.path, file.base) as lying_in:
            if source.move_to is None:
                (lying_in / file.path.name).unlink()
            else:
                _move(file, lying_in / file.path.name, config.resolve(source.move_to))
    except OSError as error:
        raise InputOutputError(
            f"{file.path}: was loaded, but cannot be {source.after}d: {error.strerror or error}"
        ) from None


def _move(file: SourceFile, path: Path, folder: Path) -> None:
    """Move into a folder, perhaps on another disk; an existing file of the same name is not replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.samefile(path.parent):
        return
    target, number = folder / path.name, 1
    while os.path.lexists(target):
        number += 1
        target = folder / f"{path.stem}.{number}{path.suffix}"
    try:
        atomic_files.move(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with atomic_files.replacing(target) as unfinished, held(file.path, file.base) as lying:
            shutil.copy2(lying, unfinished)
        path.unlink()
