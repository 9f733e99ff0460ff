"""Elastic Security's rules."""
