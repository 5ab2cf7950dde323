"""How is a bucket reached? Within the time that a caller waits."""

from __future__ import annotations

from datetime import timedelta

from obstore.store import S3Store


def s3_store(bucket: str, path: str) -> S3Store:
    """What is under *path* of *bucket*, with keys and endpoint of the AWS_* variables."""
    # The default keeps on trying for three minutes, longer than any caller waits.
    return S3Store(
        bucket,
        prefix=path.strip("/") or None,
        client_options={
            "allow_http": True,  # the scheme of AWS_ENDPOINT_URL decides; AWS itself is https
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=60),
        },
        retry_config={
            "max_retries": 4,
            "backoff": {
                "base": 2,
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=2),
            },
            "retry_timeout": timedelta(seconds=20),
        },
    )
