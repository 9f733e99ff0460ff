"""Log types, and the formats that logs come in."""
