"""Alerts: what a rule found, built from its matches."""
