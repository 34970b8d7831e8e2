"""What tells the speed of a machine: the imports of any such program, and two connections to a store."""

import sys
import tempfile
from pathlib import Path

sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # as the command line does: DuckDB would import it

import duckdb  # noqa: E402, F401
import pydantic  # noqa: E402
import sqlalchemy  # noqa: E402
import typer  # noqa: E402, F401
from sqlalchemy.pool import NullPool  # noqa: E402


class _Settings(pydantic.BaseModel):
    name: str = ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            engine = sqlalchemy.create_engine(f"duckdb:///{Path(folder, 'store.duckdb')}", poolclass=NullPool)
            with engine.connect() as connection:
                connection.exec_driver_sql("select 1").all()
