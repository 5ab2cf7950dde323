"""The edge: one Envoy in front of the gateways, configured by the protos.

envoy.src.yaml   what Envoy is told, with !insert where a value is computed
settings.py      the environment
api.binpb        the compiled public protos (written by `tools/proto generate`)
rest.py          which REST paths these protos declare
routes.py        one Envoy route per REST path and for gRPC: clusters, methods, headers
pages.py         one Envoy route per file of site/ (the API's documentation) and app/ (the page)
errors.py        Envoy's own errors as google.rpc.Status
config.py        puts these together into the file that Envoy reads
process.py       runs Envoy, and drains it before it stops
"""
