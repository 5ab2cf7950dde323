"""How does an event reach a caller's URL? The order in which to read.

worker/post_delivery -> one delivery: claim, ack, post, record
worker/turns         -> a few posts at once per host, so that a slow one does not take every slot
adapters/posting     -> the POST itself: bounded in time and bytes, redirects not followed
adapters/dialing     -> which address is connected to: the one that was checked, and no other
domain/outcome       -> what an answer, or none, comes to
The store decides everything else: what is posted, signed how, when, and how often.
"""
