"""What a binary network is, in integers; numpy alone."""
