"""What a recipe may say: the keys that every family understands, with their bounds."""

from typing import Literal

import pydantic

from zoo.errors import ZooError
from zoo.known import ColumnNames


class RecipeError(ZooError, ValueError):
    """A recipe that cannot be trained; the message is one sentence that says what to change."""


class Recipe(pydantic.BaseModel, extra="forbid", frozen=True, allow_inf_nan=False):
    """What every family understands. A family adds its own keys in a subclass."""

    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,95}$")
    title: str = pydantic.Field(min_length=1, max_length=200)
    family: str
    description: str = pydantic.Field("", max_length=4000)
    dataset: str
    image_column: str | None = pydantic.Field(None, max_length=100, description="of a table; by its type when absent")
    label_column: str | None = pydantic.Field(None, max_length=100, description="of a table or of metadata.csv")
    images: int | None = pydantic.Field(None, ge=8, description="train on this many images, all when absent")
    network: Literal["conv", "dense"] = "conv"
    width: int = pydantic.Field(64, ge=4, le=1024, description="channels (conv) or units (dense) of the networks")
    refine: int = pydantic.Field(0, ge=0, le=4, description="convolutions at full resolution in a conv decoder")
    upsampling: Literal["depth_to_space", "bilinear"] = pydantic.Field(
        "depth_to_space", description="in a conv decoder, from a quarter of the side on; bilinear leaves no lattice"
    )
    mapping: int = pydantic.Field(0, ge=0, le=8, description="dense layers between latent and grid in a conv decoder")
    epochs: int = pydantic.Field(20, ge=1, le=100_000)
    batch: int = pydantic.Field(128, ge=2, le=8192)
    learning_rate: float = pydantic.Field(1e-3, gt=0, le=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    ema: float = pydantic.Field(
        0.995, ge=0, lt=1, description="decay of the weight average that is exported; 0 exports the raw weights"
    )
    shift: int = pydantic.Field(0, ge=0, le=16, description="augmentation: random shift in pixels")
    flip: bool = pydantic.Field(False, description="augmentation: random mirror image")
    turn: float = pydantic.Field(0.0, ge=0, le=180, description="augmentation: random turn, up to this many degrees")
    balance: bool = pydantic.Field(False, description="draw all classes equally often, the images of rare ones again")
    snapshots: int = pydantic.Field(12, ge=1, le=60, description="sample sheets kept along training")
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    seed: int = pydantic.Field(0, ge=0, lt=2**31)

    @property
    def columns(self) -> ColumnNames:
        """The columns of the dataset's table, as datasets.load takes them."""
        return {"image_column": self.image_column, "label_column": self.label_column}
