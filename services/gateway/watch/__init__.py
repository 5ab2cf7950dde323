"""How does a watcher see every revision once, in order?

    broker's hints ─▶ hub.hear ─┐
                                ├▶ feed (one position per tenant) ─▶ mailbox of each watcher
    the store's feed ─▶ hub.run ┘                                        │
    the store's revisions of one job ─────────────────────────▶ watch ◀──┘ ─▶ caller

Hints only save a read: the feed is read every second and on each hole, and what a mailbox can not
hold is read again from the store or told as a gap.
"""
