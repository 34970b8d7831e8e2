from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest.feeding import Shop, shop_in


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
