"""What all sections of config.toml share."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streammetrics.runtime import utc

LONGEST_NAME = 200

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]

Moment = Annotated[datetime, Field(strict=False), AfterValidator(utc.naive)]
"""A time of TOML or JSON, as naive UTC."""


class Section(BaseModel):
    """The base of all sections: they cannot be changed, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
