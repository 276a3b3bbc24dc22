"""How far each consumer group is behind, read from outside the workers: `hfts lag`."""
