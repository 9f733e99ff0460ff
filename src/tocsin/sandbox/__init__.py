"""Runs the Python of Panther's rules, in processes apart (`docs/panther.md`).

The rest of Tocsin calls `pool.py` to run tests and `stream.py` to look at events; `process.py` is
how both hold a worker. All else here runs in the worker, next to rules, and imports nothing but the
standard library.
"""
