"""What a network costs, and what fits."""
