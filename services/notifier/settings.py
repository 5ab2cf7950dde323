"""What can be set from outside? Environment only, read once."""

from __future__ import annotations

from pydantic import Field

from servicekit.channels import Address
from servicekit.settings import AmqpUrl, Common, Hosts, Port


class Settings(Common):
    """Every setting of the notifier."""

    store_address: Address = Field(
        "127.0.0.1:50052", description="host:port of the store, several separated by commas"
    )
    amqp_url: AmqpUrl = Field(description="amqp://user:password@host:port/vhost of RabbitMQ")
    webhook_allowed_hosts: Hosts = Field(
        "", description="hosts that webhooks may go to though they are not public, plain http too"
    )
    notifier_concurrency: int = Field(
        32, ge=1, le=1000, description="how many webhooks one process posts at once"
    )
    health_port: Port = Field(0, description="port of grpc.health.v1 on loopback; 0: any free one")
