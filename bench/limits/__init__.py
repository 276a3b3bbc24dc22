"""What no pipeline of this kind can beat: parts of the work, without any logic in between."""
