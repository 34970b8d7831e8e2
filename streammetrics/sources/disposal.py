"""What becomes of a file once all of it is committed: it stays, moves, or goes.

A run that is killed between the commit and this leaves a file that the ledger knows: the next run makes up for it.
"""

import errno
import os
import shutil
from pathlib import Path

from streammetrics.config import Config
from streammetrics.errors import InputOutputError
from streammetrics.runtime import atomic_files
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.open_once import held


def dispose(config: Config, file: SourceFile) -> None:
    """Do what the source says, unless somebody has written to the file meanwhile: then it is read first.

    Raises:
        InputOutputError: it cannot be moved or deleted; it is counted all the same, and the next run tries again.
    """
    source = file.source
    # Into an empty file somebody is about to write.
    if source.after == "keep" or not file.is_spooled or not file.size:
        return
    try:
        if file.is_changed():
            return
        if source.move_to is None:
            file.path.unlink()
        else:
            _move(file.path, config.resolve(source.move_to))
    except OSError as error:
        raise InputOutputError(
            f"{file.path}: was loaded, but cannot be {source.after}d: {error.strerror or error}"
        ) from None


def _move(path: Path, folder: Path) -> None:
    """Into a folder, which may lie on another disk; a file that has the name there already stays as it is."""
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
        with atomic_files.replacing(target) as unfinished, held(path) as lying:
            shutil.copy2(lying, unfinished)
        path.unlink()
