"""What the benchmarks are made of; their figures are no test."""

from pathlib import Path

import pytest

from bench import inputs, inside
from streammetrics import config
from streammetrics.config import REFERENCE_TOML


@pytest.mark.slow
def test_a_made_history_is_judged_on(tmp_path: Path) -> None:
    """It is written past ingest and passes, so that it has to follow the tables."""
    settings = tmp_path / "history.toml"
    source = f'[[source]]\nname = "bench"\npath = "{tmp_path}/*.csv"\n'
    settings.write_text(f'[store]\npath = "history.duckdb"\n{REFERENCE_TOML}{source}')
    inputs.make_history(str(tmp_path / "history.duckdb"), 1)
    # Its last minute was not judged.
    assert inside.judge(config.load(settings, {})) > 0
    with pytest.raises(RuntimeError, match="nothing waited"):
        inside.judge(config.load(settings, {}))
