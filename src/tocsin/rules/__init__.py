"""Rules: text of any rule language → Rule."""
