"""What of the gateway needs no world?"""
