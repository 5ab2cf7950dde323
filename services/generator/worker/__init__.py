"""What does the worker do with a job, step by step?"""
