"""The section [[source]] of config.toml: where error records come from, and how they are read."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from streammetrics.config.section import LONGEST_NAME, Name, Section


def _column(value: object) -> object:
    is_position = type(value) is int and 1 <= value <= 10_000
    if not is_position and not (isinstance(value, str) and 1 <= len(value) <= LONGEST_NAME):
        raise ValueError("is neither the name of a column nor, from 1 on, its position")
    return value


def _time_columns(value: object) -> object:
    return tuple(map(_column, value)) if isinstance(value, list | tuple) and len(value) == 2 else _column(value)


_Column = Annotated[str | int, BeforeValidator(_column)]
_TimeColumns = Annotated[str | int | tuple[str | int, str | int], BeforeValidator(_time_columns)]


class SourceColumns(Section):
    """The names or positions (from 1) of the columns in the source; columns that are not set are found by the header.

    `ts` may be two columns: the date, and the time of day. `stratum`: ingest puts its value and a slash before the
    build. `client`: identifies the installation, user or session; never found by the header alone, because it is
    personal data.
    """

    ts: _TimeColumns | None = None
    build: _Column | None = None
    code: _Column | None = None
    stratum: _Column | None = None
    client: _Column | None = None

    @property
    def all(self) -> tuple[str | int | None, ...]:
        times = self.ts if isinstance(self.ts, tuple) else (self.ts,)
        optional = (found for found in (self.stratum, self.client) if found is not None)
        return *times, self.build, self.code, *optional


_EXTRACTS = "select regexp_extract('', $pattern, 1) = ''"

_READ_BACK = "select try_strptime(strftime($moment, $time_format), $time_format) = $moment"
"""Whether DuckDB can read back, to the minute, what it writes with a format."""

_MOMENT = datetime(2026, 11, 28, 17, 3, tzinfo=UTC)

_OF_DATABASES = {"url", "password_env", "password_file", "table", "query", "cursor", "overlap", "portion_rows"}
_WITH_URL = _OF_DATABASES | {"name", "columns", "date", "timezone", "stratum", "code_pattern", "silent_after_seconds"}


def is_stratum(value: str) -> bool:
    """Whether it has only letters and separators: a digit begins the version. As in sql/jobs/stratified_records.sql."""
    return all(map(str.isalpha, re.split("[-_ .]", value)))


def _is_true_in_duckdb(sql: str, **parameters: object) -> bool:
    """Whether DuckDB answers true; an error counts as false."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        with suppress(duckdb.Error):
            return connection.execute(sql, parameters).fetchone() == (True,)
    return False


def _has_one_group(pattern: str) -> bool:
    with suppress(re.error):
        return re.compile(pattern).groups == 1 and _is_true_in_duckdb(_EXTRACTS, pattern=pattern)
    return False


class Source(Section):
    """Files of one kind, `path`, or rows of a database, `url`; and how to read them.

    `stratum` is what all its records have in common, such as a platform: ingest puts it and a slash before builds.
    If each record has its own, `columns` names the column.
    `code_pattern` has one group: the part of a code that it matches is kept; a code without a match stays whole.
    `status` calls the source silent if no newer record has come for `silent_after_seconds`.
    `overlap` is in units of the cursor: a number, or seconds if the cursor is a time.
    """

    name: Name
    path: str | None = Field(default=None, min_length=1)
    url: SecretStr | None = None
    password_env: Name | None = None
    password_file: Name | None = None
    table: Name | None = None
    query: str | None = Field(default=None, min_length=1)
    cursor: Name | None = None
    overlap: int | None = Field(default=None, ge=0, le=10**12)
    portion_rows: int = Field(default=200_000, ge=1, le=10**7)
    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    header: bool = True
    columns: SourceColumns | None = None
    date: str | None = None
    timezone: str = "UTC"
    stratum: str | None = Field(default=None, min_length=1, max_length=LONGEST_NAME)
    code_pattern: str | None = Field(default=None, max_length=LONGEST_NAME)
    time_format: str | None = None
    same_content: Literal["skip", "load"] = "skip"
    last_line_seconds: int = Field(default=600, ge=0, le=10**9)
    silent_after_seconds: int = Field(default=3600, ge=1, le=10**9)
    after: Literal["keep", "move", "delete"] = "keep"
    move_to: str | None = Field(default=None, min_length=1)

    @field_validator("date")
    @classmethod
    def _date_exists(cls, value: str | None) -> str | None:
        if value is not None and value != "name":
            try:
                is_day = date.fromisoformat(value).isoformat() == value
            except ValueError:
                is_day = False
            if not is_day:
                raise ValueError('is neither a day such as 2026-11-23 nor "name"')
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str) -> str:
        from zoneinfo import available_timezones

        if value != "UTC" and value not in available_timezones():
            raise ValueError("is not the name of a time zone such as UTC or Europe/Berlin")
        return value

    @field_validator("stratum")
    @classmethod
    def _is_a_family(cls, value: str | None) -> str | None:
        if value is not None and not is_stratum(value):
            raise ValueError('is not a word of letters, such as "ios": a version begins where digits do')
        return value

    @field_validator("code_pattern")
    @classmethod
    def _keeps_a_group(cls, value: str | None) -> str | None:
        if value is not None and not _has_one_group(value):
            raise ValueError(
                "is no regular expression (of RE2) with one group in parentheses, which is what is kept of a code, "
                r"such as '^(\w+)'"
            )
        return value

    @field_validator("time_format")
    @classmethod
    def _reads_times(cls, value: str | None) -> str | None:
        if value is not None and not _is_true_in_duckdb(_READ_BACK, moment=_MOMENT, time_format=value):
            raise ValueError(
                "does not read a date and a time of day; write a format of DuckDB's strptime, "
                'such as "%d.%m.%Y %H:%M:%S"'
            )
        return value

    @model_validator(mode="after")
    def _files_or_database(self) -> "Source":
        if (self.path is None) == (self.url is None):
            raise ValueError("has either path (files) or url (a database)")
        foreign = self.model_fields_set & _OF_DATABASES if self.url is None else self.model_fields_set - _WITH_URL
        if foreign:
            raise ValueError(f"{min(foreign)} does not go with {'path' if self.url is None else 'url'}")
        if self.url is not None:
            self._check_database(self.url.get_secret_value())
        return self

    def _check_database(self, url: str) -> None:
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            password = make_url(url).password
        except (ArgumentError, ValueError):
            # SQLAlchemy's message may hold the password.
            raise ValueError(
                "url is not one of SQLAlchemy's, such as postgresql+psycopg://user@host/database"
            ) from None
        if (self.table is None) == (self.query is None):
            raise ValueError("url needs either table or query")
        if self.cursor is None:
            raise ValueError("url needs cursor: the column that rises from row to row, such as an id")
        if sum(given is not None for given in (password, self.password_env, self.password_file)) > 1:
            raise ValueError("the password is given twice: in url, by password_env or by password_file")
        if self.date == "name":
            raise ValueError('date = "name" does not go with url')
        if self.columns is not None and isinstance(self.columns.ts, tuple):
            raise ValueError("columns.ts of two columns does not go with url: let query join them")

    @model_validator(mode="after")
    def _names_or_positions(self) -> "Source":
        columns = self.columns.all if self.columns is not None else (None, None, None)
        positions = [column for column in columns if isinstance(column, int)]
        if self.header and positions:
            raise ValueError("columns by position belong to header = false; with a header they are named")
        if not self.header and len(positions) < len(columns):
            raise ValueError(
                "header = false needs all columns by position, such as columns = { ts = 1, build = 2, code = 3 }"
            )
        if not self.header and len(set(positions)) < len(positions):
            raise ValueError("one column cannot be two of ts, build, code, stratum and client")
        if not self.header and self.format in ("jsonl", "parquet"):
            raise ValueError(f'header = false does not go with format = "{self.format}"')
        return self

    @model_validator(mode="after")
    def _one_stratum(self) -> "Source":
        if self.stratum is not None and self.columns is not None and self.columns.stratum is not None:
            raise ValueError(
                "stratum is given twice, for all records and as a column: remove stratum or columns.stratum"
            )
        return self

    @model_validator(mode="after")
    def _one_day(self) -> "Source":
        if self.time_format is not None and self.date is not None:
            raise ValueError("date does not go with time_format, which reads the date: remove one of them")
        return self

    @model_validator(mode="after")
    def _moves_somewhere(self) -> "Source":
        if (self.after == "move") != (self.move_to is not None):
            raise ValueError('after = "move" and move_to belong together')
        return self
