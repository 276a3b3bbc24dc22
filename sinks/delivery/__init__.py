"""Telling people: the queue of what is to be told, and the channels it goes out on."""
