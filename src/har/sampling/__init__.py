"""Which frames a time step compares, which steps a window has, which part of a picture is seen."""
