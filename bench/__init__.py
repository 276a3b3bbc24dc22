"""Speed, measured side by side on one server: ours, its peers, and the limits of what lies below."""
