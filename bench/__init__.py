"""How fast is it, beside what it is made of?

python -m bench [--quick] [--json FILE]      (make bench)

    rig.py          a stack of its own, and one process for each load
    raw_limits.py   bare grpc.aio echo, bare INSERT … COMMIT, bare publish-confirm-consume-ack
    submitting.py   submits over gRPC and over REST          ┐ in rounds, each beside its raw
    finishing.py    jobs/s end to end                        ┘ limits, so that noise meets both
    watching.py     from a commit to a watcher's message
    edge_cost.py    what the edge adds to GetJob
    memory.py       KiB per running job
    report.py       the table, the aims, the JSON

Nothing here is asserted: a machine's noise is no reason for a red build.
"""
