"""What all tests share: the reference data's place, and hypothesis without luck."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from streammetrics.runtime import suggestions
from tests.ingest.feeding import Shop, shop_in

# Derandomized: what failed fails again, and nothing fails by chance. Deadlines measure the machine, not the program.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50, database=None)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder that holds `set_a`: where REFERENCE_DATA says. Unset skips the test; set and not there fails it."""
    place = os.environ.get("REFERENCE_DATA")
    if not place:
        pytest.skip("REFERENCE_DATA does not say where the reference data are")
    folder = Path(place).resolve()
    if not (folder / "set_a").is_dir():
        pytest.fail(f"REFERENCE_DATA = {place!r}: {folder / 'set_a'} is not a folder", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def one_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop_in(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def shop(one_shop: Shop, tmp_path: Path) -> Shop:
    """An empty store and an empty folder."""
    one_shop.clear()
    one_shop.folder = tmp_path
    return one_shop


@pytest.fixture(autouse=True)
def _default_settings() -> Iterator[None]:
    """What a command of a test has set for its process."""
    yield
    suggestions.configure(None)
