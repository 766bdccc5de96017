"""Parts of the benchmark of thirds of the sources left out."""
