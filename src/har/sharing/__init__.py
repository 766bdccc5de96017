"""Bundles as one file and as model repositories of a hub: pack, unpack, verify, describe, share."""
