"""What can go wrong at the provider? Every known way, numbered, in one table.

Kept by hand from what is known of Replicate's API: what reads do (4.1), its limits (6.1), how it
throttles (6.2), its other refusals (6.3), what others met in the field (12.1), how a run fails
(12.2), and at which moment of a call anything at all can happen (12.3). Each row has a case in
`hostile_cases`; a test says so.
"""

from __future__ import annotations

ROWS: dict[str, str] = {
    # Reading a prediction.
    "4.1-object": "a read answers with the object",
    "4.1-early-404": "a new id is not found at first",
    "4.1-two-stores": "two reads differ in version, times and fields",
    # Limits.
    "6.1-creates": "600 creates a minute",
    "6.1-others": "3000 other requests a minute",
    "6.1-reads": "reads of one prediction have a limit of their own",
    "6.1-burst": "short bursts above the limit pass, then do not",
    "6.1-running-low": "stronger limits when the credit runs low",
    "6.1-granted": "granted credit without a payment method: one a second, six a minute",
    "6.1-below-5": "credit below 5 dollars: six a minute, one at a time",
    # 429.
    "6.2-body": "429 with retry_after in the body",
    "6.2-header": "429 with a Retry-After in seconds",
    "6.2-date": "429 with a Retry-After that is a date",
    "6.2-reset": "429 with ratelimit-reset",
    "6.2-sentence": "429 with the seconds in its sentence",
    "6.2-plain": "429 that says nothing about when",
    # Other refusals.
    "6.3-400": "400",
    "6.3-401": "401, a token that is not valid",
    "6.3-402": "402, no credit, with the address of the bill",
    "6.3-403": "403",
    "6.3-404": "404, no such model, or one of a kind that this endpoint does not serve",
    "6.3-409": "409",
    "6.3-413": "413, too large",
    "6.3-422-input": "422 with the fields that are wrong",
    "6.3-422-version": "422 for a version that does not exist or is not permitted",
    "6.3-5xx": "5xx, perhaps as the CDN's HTML",
    "6.3-shape": "an error whose body is no problem document",
    # What others met.
    "12.1-read-timeouts": "reads that time out on create and poll",
    "12.1-write-timeout": "a large request that times out",
    "12.1-early-return": "output is shown before the run has ended",
    "12.1-data-uri": "data: URIs in place of addresses",
    "12.1-long-boot": "a start that takes more than half an hour",
    "12.1-aborted": "aborted, at which others hang",
    "12.1-sporadic-404": "404 now and then around create and read",
    "12.1-model-names": "404 or 422 for a model of the other kind",
    "12.1-unknown-key": "422 for a key of the body that nobody knows",
    "12.1-for-ever": "a run without an end",
    "12.1-siblings": "finished work thrown away because of one part's trouble",
    "12.1-dead-urls": "addresses of results that go dead later",
    "12.1-partial": "one file of several that is filtered out",
    # How a run fails.
    "12.2-E1000": "unknown, perhaps transient",
    "12.2-E1001": "the model ran out of memory",
    "12.2-E4875": "an empty webhook address",
    "12.2-E6716": "timed out while starting",
    "12.2-E8367": "stopped in a state that is not final",
    "12.2-E8765": "failed its health check",
    "12.2-E9243": "failed to start",
    "12.2-E9825": "failed to upload a file",
    "12.2-E9828": "the director's unexpected error",
    "12.2-PA": "interrupted",
    "12.2-E005": "flagged as sensitive",
    "12.2-NSFW": "every picture filtered by the model",
    "12.2-OOM": "CUDA out of memory",
    "12.2-unknown": "words that no table knows",
    # Moments.
    "12.3-created": "create: 2xx with an id",
    "12.3-unsent": "create: no byte was sent",
    "12.3-ambiguous": "create: bytes were sent, and no definite answer came",
    "12.3-429": "create: 429",
    "12.3-account": "create: 401 or 402",
    "12.3-refused": "create: 400, 403, 404, 413 or 422",
    "12.3-poll-trouble": "poll: no answer, 408, 409, 429, 5xx",
    "12.3-poll-404": "poll: 404, at first or for good",
    "12.3-poll-deadline": "poll: the job's own deadline",
    "12.3-outputs": "ended: succeeded, with output",
    "12.3-removed": "ended: succeeded, the data removed",
    "12.3-fewer": "ended: succeeded, with fewer files or none",
    "12.3-failed": "ended: failed",
    "12.3-canceled": "ended: canceled, by us or not",
    "12.3-aborted": "ended: aborted",
    "12.3-download-trouble": "download: 5xx, a timeout, a file that breaks off",
    "12.3-download-gone": "download: 403, 404, 410",
}
