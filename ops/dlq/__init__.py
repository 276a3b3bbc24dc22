"""Dead letters as operators see them: list, show, replay, discard. The functions here serve the command and others."""
