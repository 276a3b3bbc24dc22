"""The documents of the contract, made of the program: OpenAPI, AsyncAPI, JSON Schemas, the list of codes."""
