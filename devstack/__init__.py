"""What starts the whole of mediagen on one machine, for `make run` and for the tests?

stack.py        which parts there are, and with which settings each starts
supervisor.py   start in order of readiness, restart, stop in waves, leave nothing behind
part.py         what the supervisor must know of one part
child.py        one process: its output, its end, its process group
watchdog.py     ends the parts if the supervisor itself is killed
postgres.py     a private Postgres; rabbitmq.py a private RabbitMQ (rabbitmq_install.py gets it),
                rabbitmq_cluster.py three of them as one
testing.py      the same for tests: free ports, one server a session, kill and restart a part
"""
