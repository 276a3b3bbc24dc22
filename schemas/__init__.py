"""What crosses a boundary: settings, messages, topics, codes. No I/O, and no imports of ours."""
