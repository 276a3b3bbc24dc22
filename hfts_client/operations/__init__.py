"""What can be asked of the API, a module a resource. Written once, for both clients."""
