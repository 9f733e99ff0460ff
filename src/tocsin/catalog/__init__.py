"""The catalogue: what rules of every ecosystem look for, found, counted and compared."""
