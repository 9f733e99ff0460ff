"""Runs the Python of Panther's rules, in processes apart (`docs/panther.md`).

`pool.py` is what the rest of Tocsin calls. All else here runs in a worker process, next to rules,
and imports nothing but the standard library.
"""
