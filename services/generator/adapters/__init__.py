"""How are the provider, its delivery hosts and the store's ledger reached?"""
