"""How are the store, a name's addresses and a receiver of webhooks reached?"""
