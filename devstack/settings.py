"""What may be said about the stack by environment variables?"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .part import DevstackError

ROOT = Path(__file__).resolve().parent.parent

PortNumber = Field(ge=1, le=65535)
Count = Field(ge=1, le=64)


def software_folder() -> Path:
    """Where the checkout keeps the RabbitMQ that it fetched; shared by runs and tests."""
    return ROOT / ".run" / "rabbitmq-server"


class Settings(BaseModel):
    """The variables that decide which parts start, how many, and where they listen.

    Everything else in the environment goes to the services as it is.
    """

    model_config = ConfigDict(frozen=True)

    state_dir: Path = ROOT / ".run"
    edge_port: int = PortNumber
    web_port: int = PortNumber
    gateway_port: int = PortNumber
    store_port: int = PortNumber
    simulator_port: int = PortNumber
    # Of the first store; 0: any free one, as the others take.
    metrics_port: int = Field(default=0, ge=0, le=65535)
    generators: int = Count
    stores: int = Count
    gateways: int = Count
    notifiers: int = Count
    database_url: str = ""
    amqp_url: str = ""
    artifacts_url: str = ""
    replicate_base_url: str = ""
    replicate_api_token: str = Field(default="", repr=False)
    replicate_delivery_hosts: str = ""
    public_url: str = ""
    webhook_allowed_hosts: str = ""

    @property
    def simulated(self) -> bool:
        """Whether a simulator stands in for Replicate."""
        return not (self.replicate_api_token or self.replicate_base_url)

    @property
    def origin(self) -> str:
        """The address under which a browser finds the edge."""
        return self.public_url or f"http://localhost:{self.edge_port}"


_DEFAULTS = {
    "edge_port": "8000",
    "web_port": "3000",
    "gateway_port": "50051",
    "store_port": "50052",
    "simulator_port": "9900",
    "generators": "1",
    "stores": "1",
    "gateways": "1",
    "notifiers": "1",
}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings; every problem at once in the error."""
    given = {name.lower(): text for name, text in environ.items() if text}
    known = {name: given[name] for name in Settings.model_fields if name in given}
    try:
        settings = Settings.model_validate(_DEFAULTS | known)
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise DevstackError("\n".join(lines)) from None
    folder = settings.state_dir
    absolute = folder if folder.is_absolute() else ROOT / folder
    return settings.model_copy(update={"state_dir": absolute})
