"""Scan, test, identify: rules and logs in, results out, in this process or in several."""
