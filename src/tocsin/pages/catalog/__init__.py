"""The pages of the catalogue: view models, and the static site that is made of them."""
