"""Values of events as Python code sees them, and what pure expressions make of them.

What rules of Panther compute is repeated here by our own code: none of theirs is run.
"""
