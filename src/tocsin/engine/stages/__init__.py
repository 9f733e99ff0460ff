"""Stages: matches in the order of their times in, findings out. Pure; state is behind a port."""
