"""What all sections of config.toml share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LONGEST_NAME = 200

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Section(BaseModel):
    """What all sections share: they cannot be changed, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
