"""Rules of Panther: YAML metadata beside Python, read as data; no Python is run here."""
