"""What can be set from outside? Environment only, prefix SIMULATOR_."""

import secrets
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting of the simulator, with what it means."""

    model_config = SettingsConfigDict(
        env_prefix="SIMULATOR_", env_ignore_empty=True, extra="ignore"
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=9900, ge=0, le=65535, description="Port to listen on; 0 lets the OS choose."
    )
    speed: float = Field(
        default=1.0, gt=0, description="How many times faster than life models queue and run."
    )
    instant: bool = Field(
        default=False,
        description="Predictions take no time and share one picture (for benchmarks).",
    )
    retention: float = Field(
        default=3600.0,
        gt=0,
        description="Seconds after its end until a prediction's data is removed.",
    )
    enforce_limits: bool = Field(
        default=False,
        description="Answer 429 beyond the limits (the headers always count).",
    )
    creates_per_minute: float = Field(default=600.0, gt=0, description="The limit of creates.")
    creates_burst: float = Field(
        default=600.0, ge=1, description="How many creates may come at once after a pause."
    )
    unknown_inputs: Literal["drop", "refuse"] = Field(
        default="drop",
        description="What an unknown key inside `input` does; what Replicate does varies.",
    )
    delivery_url: str = Field(
        default="",
        description="Base of the file URLs; empty means the base the create was sent to.",
    )
    keep: int = Field(default=50_000, ge=1, description="Predictions kept; the oldest go first.")
    webhook_secret: str = Field(
        default="",
        pattern=r"^(whsec_[A-Za-z0-9+/]+={0,2})?$",
        description="Signs webhooks; empty means one that follows from the seed.",
        repr=False,
    )
    seed: str = Field(
        default_factory=lambda: secrets.token_hex(8),
        description="Fixes ids and chances, so that a run can be repeated exactly.",
    )
