"""The dashboard at `/ops`: what runs, how far it is behind, what failed, and the way of one transfer."""
