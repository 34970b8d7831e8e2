"""What all sections of config.toml share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=200)]


class Section(BaseModel):
    """What all sections share: they cannot be changed, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
