"""How does a prompt become stored media? One worker: claim, spend once, observe, save.

worker/run_job  one job as named steps; read it first
worker/prepare  the input that is sent, with its files in it
worker/submit   the paid call between its permit and its recorded id
worker/observe  from the provider's id to its last word
worker/save     from the provider's output to stored artifacts
worker/leases   the heartbeat that keeps every running job
worker/reconciler  paid calls whose answer was lost, looked up in the provider's listing
worker/catalogue, janitor  what only workers can do for the store: ask about models, delete objects
media/          what a file shows, found out by processes apart
domain/         what outcomes mean; pure
adapters/       the provider, its delivery hosts, the store's ledger
"""
