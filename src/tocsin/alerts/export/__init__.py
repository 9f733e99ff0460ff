"""Alerts as the documents of others: one module for each schema."""
