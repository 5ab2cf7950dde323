"""How does a job's id travel over RabbitMQ?

topology  -> the exchanges and queues, as data, and the one declare
publisher -> the store's relay: confirmed, mandatory publishes
consumer  -> the worker: a slot first, then a delivery
events    -> the gateway: hints from an exclusive queue
link      -> one connection kept alive, under each of the three
"""
