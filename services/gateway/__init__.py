"""The gateway: the public gRPC API, and the plain HTTP that a transcoder can not do.

    settings.py   the environment
    domain/       what needs no world: errors, input checks, byte ranges, how an artifact is shown
    adapters/     the store's gRPC API; artifacts in object storage
    watch/        who follows which job, and how no revision is missed
    rpc/          GenerationService: check, ask the store, show
    http/         strict JSON, downloads with ranges, health; over the same servicer

It keeps nothing: any number run side by side, and a caller may go on at another.
"""
