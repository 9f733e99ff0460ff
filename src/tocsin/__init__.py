"""Tocsin runs the world's open detection rules, unmodified, on your own logs."""

__version__ = "0.1.0"

__all__ = ["__version__"]
