"""What people do: one module a class, each act a generator that first sets bodies, then hands."""
