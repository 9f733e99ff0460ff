"""Pages for people: what they show, and how. Data in, HTML out; nothing here reads or writes."""
