"""What is served as plain HTTP, and how?

app.py          the routes
jobs.py         jobs as strict JSON, over the gateway's own gRPC server
operating.py    dead letters, decided about as strict JSON
endpoints.py    webhook endpoints, changed as strict JSON
webhooks.py     what the provider tells, as it came
models.py       one model, with its schemas
uploads.py      files that are inputs, received as they come
downloads.py    files: length, ranges, digest, ETag
strict_json.py  a JSON body as a message, with every mistake told
replies.py      answers and google.rpc.Status as JSON
server.py       uvicorn, beside the gRPC server
"""
