"""KQL, the Kibana query language: text → tree → condition, and the tree back to text."""
