"""What ships beside the code: rule packs and the demo scenario."""
