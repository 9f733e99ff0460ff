"""Sigma rules: text → Rule (`load_sigma`)."""
