"""How is a test or a benchmark kept from real money and real data?

python -m devstack.isolation pytest -k store     the command, without the variables in REAL
"""

import os
import sys

# A test must not spend money, nor write to somebody's database.
REAL = (
    "AMQP_URL",
    "API_KEYS_FILE",
    "ARTIFACTS_URL",
    "DATABASE_URL",
    "REPLICATE_API_TOKEN",
    "REPLICATE_BASE_URL",
    "REPLICATE_DELIVERY_HOSTS",
    "REPLICATE_WEBHOOK_SECRET",
    "REPLICATE_WEBHOOK_URL",
)


def scrub_environment() -> str:
    """Take the real variables out of this process's environment; what was done, in a sentence."""
    present = [name for name in REAL if os.environ.pop(name, None) is not None]
    if present:
        return f"Ignored, so that no test spends money or writes to real data: {', '.join(present)}"
    return "No real database, broker, bucket or Replicate account is set; tests use their own."


def main(command: list[str]) -> None:
    """Become the command, in the scrubbed environment."""
    print(scrub_environment(), flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
