"""Events and codings into and out of files of other tools."""
