"""The condition tree, its functions, and what is done with it."""
