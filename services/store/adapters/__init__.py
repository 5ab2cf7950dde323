"""How the store touches Postgres and RabbitMQ."""
