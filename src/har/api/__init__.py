"""The public functions, by concern; `har` itself names them all and loads each when it is used."""
