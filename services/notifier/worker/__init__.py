"""What becomes of one delivery, and whose turn is it?"""
