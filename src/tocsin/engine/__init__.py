"""The columnar engine: records in, matches out."""
