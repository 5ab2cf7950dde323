"""What stands in for Replicate when there is no account?

A look-alike of the HTTP API under /v1: predictions that take time, files that vanish after an
hour, signed webhooks, error bodies, faults on demand, and a ledger of what it would have billed.
One road through the code: `routes_predictions` (the API) -> `planning` (what will happen) ->
`predictions` (what has happened by now, pure) -> `wire` (how that reads as JSON) -> `delivery`
(the files) -> `pictures` (what they show). `faults` lists everything that can be made to go wrong.
"""
