"""What is known of rules beside running them: what they look for, and how they relate."""
