"""Does everything hold while everything dies? Many jobs, a hostile provider, kills without end.

python -m soak [--jobs N] [--seed S] [--json FILE]      (make soak)

    scale.py        how many jobs, watchers and processes, and the bound of every wait
    rig.py          a stack of its own: Postgres, RabbitMQ, simulator, services, edge
    weather.py      what the provider does wrong
    orders.py       which jobs are asked for, by which road
    submitting.py   callers, who never give up while the service is unavailable
    watching.py     watchers over gRPC and SSE, who resume from the last revision they saw
    chaos.py        kill -9, every two seconds
    running.py      all of that at once, then the wait until every job has ended
    evidence.py     what API, provider's ledger, broker and database say afterwards
    sightings.py    what a watcher saw: every revision?     ┐
    payments.py     was anything paid twice?                │ pure
    judging.py      the figures, and the rule of each       ┘
    report.py       the table

Everything here is measured from outside: by what callers are told and the provider would bill.
"""
