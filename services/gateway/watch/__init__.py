"""How does a watcher see every revision once, in order?

    broker's hints ─▶ hub.hear ─┐
                                ├▶ feed (one place per tenant, and the last events before it)
    the store's feed ─▶ hub.run ┘    │ rings the bell of each group that an event is for
                                     ▼
    the store's revisions of one job ─▶ watching ─────▶ caller
    the store's list, and its feed ───▶ jobs_watching ─▶ caller

Hints only save a read: the feed is read every second and on each hole. A watch has a place of its
own in what the feed keeps; what is no longer kept is read from the store or told as a gap.
"""
