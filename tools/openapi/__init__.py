"""How is the OpenAPI 3.1 document made from the protos?

descriptors.py   what the protos declare, with their comments
rules.py         protovalidate rules as JSON Schema keywords
schemas.py       messages as JSON Schema
operations.py    google.api.http rules as operations
errors.py        the error responses
over_http.py     what the protos cannot say: ranges, server-sent events, examples
document.py      all of it together
"""
